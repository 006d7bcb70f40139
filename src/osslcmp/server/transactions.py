"""The table of open transactions: found by transactionID, limited in number and time. Pure Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar


class InUseError(Exception):
    """There is an open transaction with this transactionID."""


class FullError(Exception):
    """As many transactions are open as the server allows, or allows one client."""


def share(limit: int) -> int:
    """How many of ``limit`` transactions one client may have: some are left for the others."""
    return limit - limit // 4


class Entry:
    """What the table needs to know of a transaction; the server's transaction derives from it.

    ``lock`` is held by the one thread that works on the transaction. ``closed`` is read and written under it.
    ``owner`` tells clients apart.
    """

    def __init__(self, transaction_id: bytes, owner: bytes = b"") -> None:
        self.id = transaction_id
        self.owner = owner
        self.lock = threading.Lock()
        self.deadline = float("inf")
        self.closed = False

    def expire(self) -> None:
        """The client did not come in time. Called once, before ``close``, with the lock held."""

    def close(self) -> None:
        """Release what the transaction holds. Called once, with the lock held."""


T = TypeVar("T", bound=Entry)


class Table(Generic[T]):
    """Open transactions by transactionID.

    Args:
        limit: the most transactions open at once.
        clock: monotonic seconds.
        expires: whether what has waited too long disappears.
    """

    def __init__(
        self, limit: int, clock: Callable[[], float] = time.monotonic, *, expires: bool = True
    ) -> None:
        self._limit = limit
        self._expires = expires
        self._clock = clock
        self._lock = threading.RLock()
        self._open: dict[bytes, T] = {}
        self._next_sweep = 0.0

    def __len__(self) -> int:
        return len(self._open)

    def ids(self) -> list[bytes]:
        """All transactionIDs, the oldest first."""
        with self._lock:
            return list(self._open)

    def add(self, entry: T) -> None:
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
        return len(self._open) >= most and sum(e.owner == owner for e in self._open.values()) >= most

    def get(self, transaction_id: bytes) -> T | None:
        """The open transaction with this ID, its lock not taken."""
        self.sweep()
        return self._open.get(transaction_id)

    def keep(self, entry: T, seconds: float) -> None:
        """The caller holds the lock and is done for now; wait so many seconds for the client."""
        entry.deadline = self._clock() + seconds

    def remove(self, entry: T) -> None:
        """Close a transaction whose lock the caller holds."""
        with self._lock:
            if self._open.get(entry.id) is entry:
                del self._open[entry.id]
        if not entry.closed:
            entry.closed = True
            entry.close()

    def sweep(self) -> None:
        """Close what has waited too long. Costs nothing when called more than once a second."""
        now = self._clock()
        if not self._expires or now < self._next_sweep:
            return
        with self._lock:
            self._next_sweep = now + 1
            late = [entry for entry in self._open.values() if entry.deadline < now]
        for entry in late:
            # A transaction that is being worked on is not late, whatever the clock says.
            if entry.lock.acquire(blocking=False):
                try:
                    if entry.deadline < self._clock() and not entry.closed:
                        entry.expire()
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
