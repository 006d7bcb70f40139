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
    """Of the message, see ``_retransmission_key``."""
    confirmed: bool = False
    """Whether it ends a transaction with the confirmation of its certificate."""

    @classmethod
    def to(cls, message: wire.RawMessage, answer: bytes) -> Reply:
        """The reply to a message."""
        asks = message.body_type in (BodyType.CERTCONF, BodyType.POLLREQ)
        confirmed = asks and wire.read_answer(answer).body_type == BodyType.PKICONF
        return cls(sha256(message.encoding).digest(), answer, _retransmission_key(message), confirmed)


def repeated(reply: Reply | None, message: wire.RawMessage) -> bytes | None:
    """What was said to this very message, None if the last one was another."""
    fits = reply is not None and reply.digest == sha256(message.encoding).digest()
    return reply.answer if reply is not None and fits else None


def repeated_anew(reply: Reply | None, message: wire.RawMessage) -> bytes | None:
    """What was said to a message that is made once more because the answer has not arrived; None if it is another."""
    again = reply is not None and reply.key and reply.key == _retransmission_key(message)
    return reply.answer if reply is not None and again else None


def _retransmission_key(message: wire.RawMessage) -> bytes:
    """A hash of what a pollReq or certConf says, as whom, and in answer to what; empty for other messages.

    A client whose answer was lost may make its message anew, with another senderNonce.
    """
    header = message.header
    if message.body_type not in (BodyType.POLLREQ, BodyType.CERTCONF) or header.recip_nonce is None:
        return b""
    protection = header.protection_oid or ""
    parts = (header.sender, header.sender_kid or b"", protection.encode(), header.recip_nonce, message.body)
    kind = bytes([message.body_type])
    return sha256(
        b"".join([sha256(part).digest() for part in (message.transaction_id, kind, *parts)])
    ).digest()


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
        self._replies: OrderedDict[bytes, tuple[Reply, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._replies)

    def keep(self, transaction_id: bytes, reply: Reply) -> None:
        """Keep the last reply of a transaction."""
        now = self._clock()
        with self._lock:
            self._drop(transaction_id)
            self._replies[transaction_id] = reply, now + self._seconds
            self._size += len(reply.answer)
            while self._replies:
                oldest = next(iter(self._replies))
                full = len(self._replies) > self._limit or self._size > self._max_size
                if not full and self._replies[oldest][1] >= now:
                    break
                self._drop(oldest)

    def get(self, transaction_id: bytes) -> Reply | None:
        """The last reply of a transaction, if it is still there."""
        with self._lock:
            reply, until = self._replies.get(transaction_id, (None, 0.0))
        return reply if until >= self._clock() else None

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._replies.clear()
            self._size = 0

    def _drop(self, transaction_id: bytes) -> None:
        if (cached := self._replies.pop(transaction_id, None)) is not None:
            self._size -= len(cached[0].answer)
