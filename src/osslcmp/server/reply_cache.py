"""The answers that ended transactions, kept for a while: a client whose answer was lost sends its message again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from ..enums import BodyType
from . import wire

LIMIT = 1_000
MAX_SIZE = 8 << 20
SECONDS = 120.0


class Reply(NamedTuple):
    """A message, by its hash, and its answer."""

    digest: bytes
    answer: bytes
    meaning: bytes = b""
    """Of the message, see ``meaning``."""

    @classmethod
    def to(cls, message: wire.RawMessage, answer: bytes) -> Reply:
        """The reply to a message."""
        return cls(sha256(message.encoding).digest(), answer, meaning(message))

    def fits(self, message: bytes) -> bool:
        """Whether this very message came before."""
        return self.digest == sha256(message).digest()

    def repeats(self, message: wire.RawMessage) -> bool:
        """Whether a message is that message made once more, because the answer has not arrived."""
        found = meaning(message)
        return bool(found) and found == self.meaning


def meaning(message: wire.RawMessage) -> bytes:
    """A hash of what a pollReq or certConf says, as whom, and in answer to what; empty for other messages.

    A client whose answer was lost may make its message anew, with another senderNonce.
    """
    header = message.header
    if message.body_type not in (BodyType.POLLREQ, BodyType.CERTCONF) or header.recip_nonce is None:
        return b""
    found = sha256()
    protection = header.protection_oid or ""
    said = (header.sender, header.sender_kid or b"", protection.encode(), header.recip_nonce, message.body)
    for part in (message.transaction_id, bytes([message.body_type]), *said):
        found.update(sha256(part).digest())
    return found.digest()


class _Kept(NamedTuple):
    reply: Reply
    confirmed: bool
    until: float


class Replies:
    """The last replies of closed transactions, limited in number, size and time.

    Args:
        limit: the most replies.
        max_size: the most bytes of answers.
        seconds: how long one is kept.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        limit: int = LIMIT,
        max_size: int = MAX_SIZE,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._max_size = max_size
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._size = 0
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, transaction_id: bytes, reply: Reply, *, confirmed: bool) -> None:
        """Keep the last reply of a transaction; ``confirmed`` if that has ended with a confirmation."""
        now = self._clock()
        with self._lock:
            self._drop(transaction_id)
            self._kept[transaction_id] = _Kept(reply, confirmed, now + self._seconds)
            self._size += len(reply.answer)
            while self._kept:
                oldest = next(iter(self._kept))
                full = len(self._kept) > self._limit or self._size > self._max_size
                if not full and self._kept[oldest].until >= now:
                    break
                self._drop(oldest)

    def find(self, transaction_id: bytes, message: bytes) -> bytes | None:
        """The answer that this very message got, None if it is new."""
        kept = self._get(transaction_id)
        return kept.reply.answer if kept is not None and kept.reply.fits(message) else None

    def repeated(self, message: wire.RawMessage) -> bytes | None:
        """What was said to a message that meant the same, None if it is new."""
        kept = self._get(message.transaction_id)
        return kept.reply.answer if kept is not None and kept.reply.repeats(message) else None

    def confirmed(self, transaction_id: bytes) -> bool:
        """Whether a transaction is known to have ended with a confirmation."""
        kept = self._get(transaction_id)
        return kept is not None and kept.confirmed

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _get(self, transaction_id: bytes) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(transaction_id)
        return kept if kept is not None and kept.until >= self._clock() else None

    def _drop(self, transaction_id: bytes) -> None:
        kept = self._kept.pop(transaction_id, None)
        if kept is not None:
            self._size -= len(kept.reply.answer)
