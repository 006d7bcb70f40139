"""What the server knows of an open transaction."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography import x509

from .._openssl import convert as _convert
from . import wire
from .authority import CertificateRequest, Issued, Rejected, Waiting
from .engine import Engine
from .reply_cache import Reply
from .transactions import Entry

LIVE_ENGINES = 256

MAX_NONCES = 100

Outcome = Issued | Waiting | Rejected


def _nonce_hash(message: wire.RawMessage) -> bytes:
    return sha256(message.header.sender_nonce or b"").digest()[:8]


@dataclass(frozen=True)
class Held:
    """A message whose answer is delayed, and that has no other way to say so: an rr, genm or certConf."""

    message: wire.RawMessage
    waiting: Waiting
    polls: int = 0
    """How often the client has come back for the answer."""


class Transaction(Entry):
    """An open transaction: the request that started it, what the authority said, and libcrypto's side of
    it."""

    def __init__(self, message: wire.RawMessage, label: str | None = None) -> None:
        super().__init__(message.transaction_id, message.owner)
        self.message = message
        self.label = label
        """What the path named that the request was sent to."""
        self.request: CertificateRequest | None = None
        self.polls = 0
        """How often the client had come back when ``request`` was lost."""
        self.version = 0
        """Which state in a database this is."""
        self.outcome: Outcome | None = None
        """What the authority said to a request for a certificate."""
        self.held: Held | None = None
        self.engine: Engine | None = None
        """None when it has to be made again from ``message``."""
        self.request_handle: Any = None
        self._handle: Any = None
        self.sent_nonce: bytes = b""
        """The senderNonce of the last answer."""
        self.reply: Reply | None = None
        """The last answer."""
        self.client_nonces: list[bytes] = []
        """Hashes of the senderNonces that the client has used, the last ones."""
        self.on_expire: Callable[[Transaction], None] | None = None

    @property
    def certificate(self) -> x509.Certificate | None:
        """What was issued in this transaction."""
        return self.outcome.certificate if isinstance(self.outcome, Issued) else None

    @property
    def wait(self) -> int:
        """How many seconds the client was told to wait."""
        waiting = self.outcome if self.held is None else self.held.waiting
        return waiting.check_after if isinstance(waiting, Waiting) else 0

    def certificate_handle(self) -> Any:
        """The same as a C object."""
        if self._handle is None and self.certificate is not None:
            self._handle = _convert.cert_to_c(self.certificate)
        return self._handle

    def answered(self, message: wire.RawMessage) -> bytes | None:
        """What was said to this very message, if it came last."""
        return self.reply.answer if self.reply is not None and self.reply.fits(message.encoding) else None

    def repeated(self, message: wire.RawMessage) -> bytes | None:
        """What was said to a message that meant the same, if it came last."""
        return self.reply.answer if self.reply is not None and self.reply.repeats(message) else None

    def note_nonce(self, message: wire.RawMessage) -> None:
        """The client has used the senderNonce of this message."""
        self.client_nonces = [*self.client_nonces[-MAX_NONCES + 1 :], _nonce_hash(message)]

    def has_nonce(self, message: wire.RawMessage) -> bool:
        """Whether the client has used the senderNonce of this message before."""
        return _nonce_hash(message) in self.client_nonces

    def drop_engine(self) -> None:
        """Forget libcrypto's side."""
        engine, self.engine = self.engine, None
        self.request_handle = None
        if engine is not None:
            engine.close()

    def expire(self) -> None:
        """Tell ``on_expire`` that the client did not come in time."""
        if self.on_expire is not None:
            self.on_expire(self)

    def close(self) -> None:
        """Give back libcrypto's side."""
        self.drop_engine()


class LiveEngines:
    """The open transactions that were worked on last keep libcrypto's side, which is large; for the others it is made
    again when their clients come back.

    Args:
        limit: how many.
    """

    def __init__(self, limit: int = LIVE_ENGINES) -> None:
        self._limit = limit
        self._lock = threading.RLock()
        self._order: OrderedDict[int, Transaction] = OrderedDict()

    def used(self, transaction: Transaction) -> None:
        """A transaction stays open, and its client may be back soon. The caller holds its lock."""
        with self._lock:
            self._order[id(transaction)] = transaction
            self._order.move_to_end(id(transaction))
            late = self._order.popitem(last=False)[1] if len(self._order) > self._limit else None
        # One that is being worked on comes in here again.
        if late is not None and late.lock.acquire(blocking=False):
            try:
                late.drop_engine()
            finally:
                late.lock.release()

    def forget(self, transaction: Transaction) -> None:
        """A transaction is closed."""
        with self._lock:
            self._order.pop(id(transaction), None)
