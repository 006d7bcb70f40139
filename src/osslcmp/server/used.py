"""Which transactionIDs are used up: of requests that were taken, and that would be taken once more as fresh."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable

from .transactions import share

LIMIT = 500_000
_SLOT = 5
"""Seconds that are forgotten together."""


class UsedIDs:
    """TransactionIDs in memory, each kept until its request is no longer fresh.

    None is forgotten for want of room: what finds no room is not to be taken.

    Args:
        limit: the most that are kept, 3/4 of them of one client.
        clock: seconds since 1970; the system's by default.
    """

    def __init__(self, limit: int = LIMIT, clock: Callable[[], float] | None = None) -> None:
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
            for slot in [slot for slot in self._slots if slot < now]:
                for transaction_id in self._slots.pop(slot):
                    owner = self._ids.pop(transaction_id)
                    self._counts[owner] -= 1
                    if not self._counts[owner]:
                        del self._counts[owner]
