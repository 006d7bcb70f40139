"""Open transactions: what the server knows of each, the table that finds them by transactionID, limited in number and
time, and the transactionIDs that are used up."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography import x509

from .._openssl import convert
from . import bodies, wire
from .authority import CertificateRequest, Issued, Rejected, Waiting
from .engine import Engine
from .reply_cache import Reply

LIVE_ENGINES = 256
MAX_NONCES = 100
MAX_REMEMBERED = 500_000
"""TransactionIDs of requests that were taken."""

_SLOT = 5
"""Seconds that are forgotten together."""

Outcome = Issued | Waiting | Rejected


class InUseError(Exception):
    """There is an open transaction with this transactionID."""


class FullError(Exception):
    """As many transactions are open as the server allows, or allows one client."""


def share(limit: int) -> int:
    """How many of ``limit`` transactions one client may have: some are left for the others."""
    return limit - limit // 4


class Table:
    """Open transactions by transactionID.

    Args:
        limit: the most transactions open at once.
        clock: monotonic seconds.
        expire: is told of each transaction whose client did not come in time, with the lock held, before it is closed;
            None: all stay open.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        expire: Callable[[Transaction], object] | None = lambda _: None,
    ) -> None:
        self._limit = limit
        self._expire = expire
        self._clock = clock
        self._lock = threading.RLock()
        self._open: dict[bytes, Transaction] = {}
        self.next_sweep = 0.0

    # A signal handler may enrol while its thread has the lock: what is iterated over is copied, at once.

    def __len__(self) -> int:
        return len(self._open)

    def ids(self) -> list[bytes]:
        """All transactionIDs, the oldest first."""
        with self._lock:
            return list(self._open)

    def add(self, entry: Transaction) -> None:
        """Open a transaction; its lock is taken for the caller.

        Raises InUseError, FullError.
        """
        self.sweep()
        entry.lock.acquire()
        with self._lock:
            if entry.id in self._open:
                raise InUseError
            if len(self._open) >= self._limit or self._has_its_share(entry.owner):
                raise FullError
            self._open[entry.id] = entry

    def _has_its_share(self, owner: bytes) -> bool:
        most = share(self._limit)
        # Seldom true, so that counting is seldom needed.
        return len(self._open) >= most and sum(e.owner == owner for e in list(self._open.values())) >= most

    def get(self, transaction_id: bytes) -> Transaction | None:
        """The open transaction with this ID, its lock not taken."""
        self.sweep()
        return self._open.get(transaction_id)

    def keep(self, entry: Transaction, seconds: float) -> None:
        """The caller holds the lock and is done for now; wait so many seconds for the client."""
        entry.deadline = self._clock() + seconds

    def remove(self, entry: Transaction) -> None:
        """Close a transaction whose lock the caller holds."""
        with self._lock:
            if self._open.get(entry.id) is entry:
                del self._open[entry.id]
        if not entry.closed:
            entry.closed = True
            entry.drop_engine()

    def sweep(self) -> None:
        """Close what has waited too long. Costs nothing when called more than once a second."""
        now = self._clock()
        if self._expire is None or now < self.next_sweep:
            return
        with self._lock:
            self.next_sweep = now + 1
            late = [entry for entry in list(self._open.values()) if entry.deadline < now]
        for entry in late:
            # A transaction that is being worked on is not late, whatever the clock says.
            if entry.lock.acquire(blocking=False):
                try:
                    if entry.deadline < self._clock() and not entry.closed:
                        self._expire(entry)
                        self.remove(entry)
                finally:
                    entry.lock.release()

    def clear(self) -> None:
        """Close everything that is not being worked on."""
        with self._lock:
            entries = list(self._open.values())
        for entry in entries:
            if entry.lock.acquire(blocking=False):
                try:
                    self.remove(entry)
                finally:
                    entry.lock.release()


def _nonce_hash(message: wire.RawMessage) -> bytes:
    return sha256(message.header.sender_nonce or b"").digest()[:8]


@dataclass(frozen=True)
class DelayedRequest:
    """A message whose answer is delayed, and that has no other way to say so: an rr, genm or certConf."""

    message: wire.RawMessage
    waiting: Waiting
    polls: int = 0
    """How often the client has come back for the answer."""


class Transaction:
    """An open transaction: the request that started it, what the authority said, and libcrypto's side of it.

    ``lock`` is held by the one thread that works on it. ``closed`` is read and written under it. ``owner`` tells clients
    apart.
    """

    def __init__(self, message: wire.RawMessage, label: str | None = None) -> None:
        self.message = message
        self.id, self.owner = message.transaction_id, bodies.owner(message)
        self.lock = threading.Lock()
        self.deadline = float("inf")
        self.closed = False
        self.label = label
        """What the path named that the request was sent to."""
        self.request: CertificateRequest | None = None
        self.polls = 0
        """How often the client had come back when ``request`` was lost."""
        self.version = 0
        """Which state in a database this is."""
        self.outcome: Outcome | None = None
        """What the authority said to a request for a certificate."""
        self.delayed: DelayedRequest | None = None
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

    @property
    def certificate(self) -> x509.Certificate | None:
        """What was issued in this transaction, to be looked at."""
        issued = self.outcome.certificate if isinstance(self.outcome, Issued) else None
        return convert.look_alike(issued) if isinstance(issued, bytes) else issued

    @property
    def wait(self) -> int:
        """How many seconds the client was told to wait."""
        waiting = self.outcome if self.delayed is None else self.delayed.waiting
        return waiting.check_after if isinstance(waiting, Waiting) else 0

    def certificate_handle(self) -> Any:
        """What was issued as an ``X509 *``."""
        if self._handle is None and isinstance(self.outcome, Issued):
            self._handle = convert.cert_to_c(self.outcome.certificate)
        return self._handle

    def note_nonce(self, message: wire.RawMessage) -> None:
        """The client has used the senderNonce of this message."""
        self.client_nonces = [*self.client_nonces[-MAX_NONCES + 1 :], _nonce_hash(message)]

    def has_nonce(self, message: wire.RawMessage) -> bool:
        """Whether the client has used the senderNonce of this message before."""
        return _nonce_hash(message) in self.client_nonces

    def drop_engine(self) -> None:
        """Give back libcrypto's side."""
        engine, self.engine = self.engine, None
        self.request_handle = None
        if engine is not None:
            engine.close()


class LiveEngines:
    """The open transactions that were worked on last keep libcrypto's side, which is large; for the others it is made
    again when their clients come back."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._order: OrderedDict[int, Transaction] = OrderedDict()

    def used(self, transaction: Transaction) -> None:
        """A transaction stays open, and its client may be back soon. The caller holds its lock."""
        with self._lock:
            self._order[id(transaction)] = transaction
            self._order.move_to_end(id(transaction))
            late = self._order.popitem(last=False)[1] if len(self._order) > LIVE_ENGINES else None
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


class UsedIDs:
    """TransactionIDs in memory, each kept until its request is no longer fresh.

    None is forgotten for want of room: what finds no room is not to be taken.

    Args:
        limit: the most that are kept, 3/4 of them of one client.
        clock: seconds since 1970; the system's by default.
    """

    def __init__(self, limit: int = MAX_REMEMBERED, clock: Callable[[], float] | None = None) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.RLock()
        self._ids: dict[bytes, bytes] = {}
        """With the owner of each."""
        self._slots: dict[int, list[bytes]] = defaultdict(list)
        """By the time when they are forgotten."""
        self._counts: dict[bytes, int] = defaultdict(int)
        """By owner."""

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, transaction_id: bytes) -> bool:
        return transaction_id in self._ids

    def is_full(self, owner: bytes) -> bool:
        """Whether there is no room for another one of this owner."""
        if max(len(self._ids), self._counts.get(owner, 0)) < share(self._limit):
            return False
        self.sweep()
        return len(self._ids) >= self._limit or self._counts.get(owner, 0) >= share(self._limit)

    def add(self, transaction_id: bytes, owner: bytes, until: float) -> None:
        """Keep one until a time, in seconds since 1970."""
        self.sweep()
        with self._lock:
            if transaction_id not in self._ids:
                self._ids[transaction_id] = owner
                self._counts[owner] += 1
                self._slots[int(until) // _SLOT + 1].append(transaction_id)

    def sweep(self) -> None:
        """Forget what is over."""
        now = int(time.time() if self._clock is None else self._clock()) // _SLOT
        with self._lock:
            for slot in [slot for slot in list(self._slots) if slot < now]:
                for transaction_id in self._slots.pop(slot):
                    owner = self._ids.pop(transaction_id)
                    self._counts[owner] -= 1
                    if not self._counts[owner]:
                        del self._counts[owner]
