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
    key: bytes = b""
    """Of the message, see ``retransmission_key``."""

    @classmethod
    def to(cls, message: wire.RawMessage, answer: bytes) -> Reply:
        """The reply to a message."""
        return cls(sha256(message.encoding).digest(), answer, retransmission_key(message))

    def fits(self, message: bytes) -> bool:
        """Whether this very message came before."""
        return self.digest == sha256(message).digest()

    def repeats(self, message: wire.RawMessage) -> bool:
        """Whether a message is that message made once more, because the answer has not arrived."""
        found = retransmission_key(message)
        return bool(found) and found == self.key


def retransmission_key(message: wire.RawMessage) -> bytes:
    """A hash of what a pollReq or certConf says, as whom, and in answer to what; empty for other messages.

    A client whose answer was lost may make its message anew, with another senderNonce.
    """
    header = message.header
    if message.body_type not in (BodyType.POLLREQ, BodyType.CERTCONF) or header.recip_nonce is None:
        return b""
    found = sha256()
    protection = header.protection_oid or ""
    parts = (header.sender, header.sender_kid or b"", protection.encode(), header.recip_nonce, message.body)
    for part in (message.transaction_id, bytes([message.body_type]), *parts):
        found.update(sha256(part).digest())
    return found.digest()


class _CachedReply(NamedTuple):
    reply: Reply
    confirmed: bool
    until: float


class Replies:
    """The last replies of closed transactions, limited in number, size and time.

    Args:
        limit: the most replies.
        max_size: the most bytes of answers.
        seconds: how long one is cached.
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
        self._replies: OrderedDict[bytes, _CachedReply] = OrderedDict()

    def __len__(self) -> int:
        return len(self._replies)

    def keep(self, transaction_id: bytes, reply: Reply, *, confirmed: bool) -> None:
        """Keep the last reply of a transaction; ``confirmed`` if that has ended with a confirmation."""
        now = self._clock()
        with self._lock:
            self._drop(transaction_id)
            self._replies[transaction_id] = _CachedReply(reply, confirmed, now + self._seconds)
            self._size += len(reply.answer)
            while self._replies:
                oldest = next(iter(self._replies))
                full = len(self._replies) > self._limit or self._size > self._max_size
                if not full and self._replies[oldest].until >= now:
                    break
                self._drop(oldest)

    def find(self, transaction_id: bytes, message: bytes) -> bytes | None:
        """The answer that this very message got, None if it is new."""
        cached = self._get(transaction_id)
        return cached.reply.answer if cached is not None and cached.reply.fits(message) else None

    def repeated(self, message: wire.RawMessage) -> bytes | None:
        """What was said to a message that meant the same, None if it is new."""
        cached = self._get(message.transaction_id)
        return cached.reply.answer if cached is not None and cached.reply.repeats(message) else None

    def confirmed(self, transaction_id: bytes) -> bool:
        """Whether a transaction is known to have ended with a confirmation."""
        cached = self._get(transaction_id)
        return cached is not None and cached.confirmed

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._replies.clear()
            self._size = 0

    def _get(self, transaction_id: bytes) -> _CachedReply | None:
        with self._lock:
            cached = self._replies.get(transaction_id)
        return cached if cached is not None and cached.until >= self._clock() else None

    def _drop(self, transaction_id: bytes) -> None:
        cached = self._replies.pop(transaction_id, None)
        if cached is not None:
            self._size -= len(cached.reply.answer)
