"""Where a server keeps its transactions: in memory here, or in a database (``persistent``).

In comes a message that is to be answered, and what the server learns of its transaction; out comes the open transaction
that a message belongs to, and whether its transactionID is in use or was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from .._arguments import positive
from . import bodies, wire
from .configuration import Configuration
from .reply_cache import Replies, Reply
from .transactions import MAX_REMEMBERED, Table, Transaction, UsedIDs

MAX_TRANSACTIONS = 10_000


class Host(Protocol):
    """What a store asks of its server."""

    configuration: Configuration

    def replay(self, transaction: Transaction) -> None:
        """Let libcrypto verify the request of a transaction once more, so that ``transaction.request`` is there."""

    def expire(self, transaction: Transaction) -> None:
        """Inform the authority that a client did not come back in time."""


class TransactionStore:
    """Transactions in memory. May be used from many threads at once.

    Args:
        max_transactions: that may be open at once, 3/4 of them of one client.
        max_remembered: requests that are remembered as long as they would be taken as fresh, 3/4 of them of one client.
        clock: monotonic seconds.
    """

    host: Host

    def __init__(
        self,
        max_transactions: int = MAX_TRANSACTIONS,
        max_remembered: int = MAX_REMEMBERED,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        positive(max_transactions=max_transactions, max_remembered=max_remembered)
        self.max_transactions = max_transactions
        self.max_remembered = max_remembered
        self.table = Table(max_transactions, clock, lambda late: self.host.expire(late))  # noqa: PLW0108  # comes later
        """The open transactions that this process has at hand."""
        self.replies = Replies(clock=clock)
        """The last answers of transactions that have ended."""
        self.used = UsedIDs(max_remembered)
        """The transactionIDs of requests that were taken."""

    @property
    def open_transactions(self) -> int:
        """How many transactions wait for their clients or are being worked on."""
        return len(self.table)

    def answer(self, message: wire.RawMessage, work: Callable[[], bytes]) -> bytes:  # noqa: ARG002  # for subclasses
        """Answer a message with ``work``, and keep what that changes before the answer goes out."""
        return work()

    # Whoever can record a request can send it again. What makes it another one is its transactionID alone: a copy may
    # differ in its extraCerts, which no protection covers.

    def is_full(self, message: wire.RawMessage) -> bool:
        """Whether there is no room to remember a request."""
        return self.used.is_full(bodies.owner(message))

    def was_taken(self, message: wire.RawMessage) -> bool:
        """Whether a request with this transactionID was taken before, and could be sent again by anybody."""
        return message.transaction_id in self.used

    def note_taken(self, message: wire.RawMessage) -> None:
        """A request was validly protected, and the authority asked."""
        until = self.host.configuration.rules.limits.fresh_until(message.header.message_time)
        self.used.add(message.transaction_id, bodies.owner(message), until)

    def keep_last_reply(self, transaction_id: bytes, reply: Reply) -> None:
        """A transaction has ended with this reply."""
        self.replies.keep(transaction_id, reply)

    def last_reply(self, transaction_id: bytes) -> Reply | None:
        """The reply that a transaction has ended with; None if it is open or not known."""
        return self.replies.get(transaction_id)

    def sweep(self) -> None:
        """Close the transactions whose clients did not come in time."""
        self.table.sweep()

    def clear(self) -> None:
        """Forget all open transactions, and the answers to those that have ended."""
        self.table.clear()
        self.replies.clear()
