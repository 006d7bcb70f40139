"""Transactions in a database, which outlive the process and may be taken up by another one, and the Server with them."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cryptography import x509
from sqlalchemy.exc import DataError

from .._openssl.convert import encoded
from .._text import get_logger
from ..enums import BodyType, PKIStatus
from . import bodies, wire
from .authority import Authority, Issued, Waiting
from .ca.database import ConflictError
from .ca.store import Store
from .ca.tables import TRANSACTIONS, TransactionRow, damaged
from .failures import log_failure
from .reply_cache import Reply, repeated
from .server import Server
from .transaction_store import MAX_TRANSACTIONS, TransactionStore
from .transactions import MAX_REMEMBERED, DelayedRequest, Table, Transaction, share

logger = get_logger("osslcmp.server")

_CONFIRMED = b"confirmed"
"""The outcome of a transaction that has ended well."""
_ATTEMPTS = 5
_LOCKS = 256
CACHE = 2_000
COUNT_INTERVAL = 1.0
_SWEEP_INTERVAL = 1.0


class DatabaseTransactions(TransactionStore):
    """Transactions in a database: they outlive the process, and another one may take them up.

    The state of a transaction is its request, what the authority said and the nonce that the client has got.
    From that any process makes the rest again: libcrypto is given the request once more. A message that comes
    twice, because its answer was lost, gets the same answer twice.

    Args:
        store: the database.
        max_transactions: of all processes that may be open at once, 3/4 of them of one client.
        max_remembered: requests of all processes that are remembered, 3/4 of them of one client.
        tidy: is called now and then.
    """

    def __init__(
        self,
        store: Store,
        max_transactions: int = MAX_TRANSACTIONS,
        max_remembered: int = MAX_REMEMBERED,
        *,
        tidy: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(max_transactions, max_remembered)
        # What has been late is decided by the database, and so is how many there may be.
        self.table = Table(2**62, expire=None)
        self._store = store
        self._tidy = tidy
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._counts = (0, 0)
        self._local = threading.local()
        self.next_count = 0.0
        """When the transactions in the database are counted again (monotonic seconds)."""
        self._sweeping = threading.Lock()
        self.next_sweep = 0.0
        """When it is looked who is late (monotonic seconds)."""

    @property
    def open_transactions(self) -> int:
        """How many transactions of all processes wait for their clients."""
        return self._store.open_transactions(time.time())

    def answer(self, message: wire.RawMessage, work: Callable[[], bytes]) -> bytes:
        """Answer a message; what the answer tells is in the database before it goes out.

        Raises:
            ConflictError: other processes have changed the same things again and again.
        """
        name = message.transaction_id
        if not name:
            return work()
        self.sweep()
        with self._lock_of(name):
            for _ in range(_ATTEMPTS - 1):
                with suppress(ConflictError):
                    return self._attempt(message, work)
            return self._attempt(message, work)

    def keep_last_reply(self, transaction_id: bytes, reply: Reply) -> None:
        """It is kept together with what else the message has changed, or not at all."""

    def last_reply(self, transaction_id: bytes) -> Reply | None:  # noqa: ARG002
        """The reply that the transaction of this message has ended with; None if it is open, or not known any more."""
        row: TransactionRow | None = self._local.row
        return _reply(row) if row is not None and not row.open and row.deadline >= time.time() else None

    def sweep(self) -> None:
        """Close the transactions whose clients did not come in time, whichever process has answered them: once a
        second at most, by one thread at a time. And let ``tidy`` do what it has to."""
        now = time.monotonic()
        if now >= self.next_sweep and self._sweeping.acquire(blocking=False):
            try:
                self.next_sweep = now + _SWEEP_INTERVAL
                for name in self._store.late_transactions(time.time()):
                    self._try_to_expire(name)
            finally:
                self._sweeping.release()
        if self._tidy is not None:
            self._tidy()

    def _try_to_expire(self, name: bytes) -> None:
        """Do it, unless another process does; a failure is none of those whose messages are being answered."""
        try:
            with suppress(ConflictError), self._lock_of(name):
                try:
                    row = self._store.transaction(name)
                    if row is not None and row.open:
                        self._expire(row)
                except DataError:
                    self._store.close_transaction(name)
                    raise
        except Exception as error:
            log_failure(logger, "a transaction whose client did not come back could not be closed", error)

    def _expire(self, row: TransactionRow) -> None:
        """Tell the authority that a client did not come back, and forget the transaction.

        What the authority writes into the store is written with that, or not at all. Whoever keeps books elsewhere may
        be told twice, when a process is killed in between.
        """
        self._drop(row.id)
        self._store.save_transaction(row)  # claims it
        entry = _entry(row)
        if entry.outcome is not None:
            self.host.replay(entry)
            if entry.request is None:
                # Who sent it can no longer be verified.
                about = bodies.about(entry.message, label=entry.label)
                entry.request = bodies.certificate_request(entry.message, about)
        claimed = replace(row, version=row.version + 1)
        until = self.host.configuration.rules.limits.fresh_until(entry.message.header.message_time)
        with self._store.unit() as unit:
            self.host.expire(entry)
            # Its request can still be sent again, by anybody.
            closed = replace(claimed, open=False, request=b"", outcome=b"", deadline=until)
            self._store.save_transaction(closed)
            self._store.commit(unit)

    # -- one message -----------------------------------------------------------------------------------------

    def _attempt(self, message: wire.RawMessage, work: Callable[[], bytes]) -> bytes:
        """Answer a message, unless another process changes the same things meanwhile (ConflictError)."""
        try:
            return self._answer_and_write(message, work)
        except BaseException:
            # What is at hand must never run ahead of the database.
            self._drop(message.transaction_id)
            raise

    def _answer_and_write(self, message: wire.RawMessage, work: Callable[[], bytes]) -> bytes:
        name = message.transaction_id
        row = self._store.transaction(name)
        alive = row is not None and row.deadline >= time.time()
        if row is not None and alive and (known := repeated(_reply(row), message)) is not None:
            return known
        self._load(name, row if alive and row is not None and row.open else None)
        before = _state(self.table.get(name))
        self._local.row, self._local.taken = row, False
        with self._store.unit() as unit:
            answer = work()
            after = self.table.get(name)
            if not unit.changes and _state(after) == before and not self._local.taken:
                return answer
            self._store.save_transaction(self._row(message, answer, row, after))
            self._store.commit(unit)
        if after is not None:
            after.version = (0 if row is None else row.version) + 1
            self._trim()
        return answer

    def _row(
        self,
        message: wire.RawMessage,
        answer: bytes,
        before: TransactionRow | None,
        after: Transaction | None,
    ) -> TransactionRow:
        """What is to be kept of a transaction."""
        reply = Reply.to(message, answer)
        polls, outcome = 0, b""
        deadline = time.time() + self.host.configuration.transaction_timeout
        if after is not None:
            polls = after.polls if after.request is None else after.request.polls
            deadline += after.wait
            outcome = _write_state(after)
        else:
            # Kept as long as the request could be sent again, which need not be this message.
            deadline = max(deadline, self.host.configuration.rules.limits.fresh_until(None))
            outcome = _CONFIRMED if reply.confirmed else b""
        return TransactionRow(
            id=message.transaction_id,
            version=0 if before is None else before.version,
            open=after is not None,
            request=b"" if after is None else after.message.encoding,
            outcome=outcome,
            polls=polls,
            sent_nonce=b"" if after is None else after.sent_nonce,
            last_hash=reply.digest,
            last_response=answer,
            last_meaning=reply.key,
            deadline=deadline,
            owner=bodies.owner(message) if after is None else after.owner,
        )

    def _load(self, name: bytes, row: TransactionRow | None) -> None:
        """Make the table agree with the database."""
        entry = self.table.get(name)
        if entry is not None and row is not None and entry.version == row.version:
            return
        self._drop(name)
        if row is not None:
            entry = _entry(row)
            self.table.add(entry)
            entry.lock.release()

    def _drop(self, name: bytes) -> None:
        entry = self.table.get(name)
        if entry is not None:
            with entry.lock:
                self.table.remove(entry)

    # -- limits ----------------------------------------------------------------------------------------------

    def _lock_of(self, name: bytes) -> threading.Lock:
        # The hash is salted: nobody can choose a transactionID that shares a lock with another one.
        return self._locks[hash(name) % _LOCKS]

    def is_full(self, message: wire.RawMessage) -> bool:
        """Whether there is no room for another transaction, or to remember a request."""
        now = time.monotonic()
        if now >= self.next_count:
            self.next_count = now + COUNT_INTERVAL
            self._counts = self._store.count_transactions(time.time())
        for kind, limit in enumerate((self.max_transactions, self.max_remembered)):
            most = share(limit)
            if self._counts[kind] >= limit:
                return True
            if self._counts[kind] >= most:
                of_client = self._store.count_transactions(time.time(), bodies.owner(message))
                if of_client[kind] >= most:
                    return True
        return super().is_full(message)

    def was_taken(self, message: wire.RawMessage) -> bool:
        """Whether a request with this transactionID was taken before, by whichever process."""
        row: TransactionRow | None = self._local.row
        # An open one that is late will be closed in a moment; a closed one that is late can be forgotten.
        if row is not None and (row.open or row.deadline >= time.time()):
            return True
        return super().was_taken(message)

    def note_taken(self, message: wire.RawMessage) -> None:
        """A request was validly protected, and the authority asked."""
        if message.body_type == BodyType.GENM:
            super().note_taken(message)  # changes nothing: not worth a commit
        self._local.taken = message.body_type != BodyType.GENM

    def _trim(self) -> None:
        """Keep a limited number of transactions at hand; the others are in the database."""
        if len(self.table) <= CACHE:
            return
        for name in self.table.ids()[: CACHE // 2]:
            lock = self._lock_of(name)
            if lock.acquire(blocking=False):
                try:
                    self._drop(name)
                finally:
                    lock.release()


class PersistentServer(Server):
    """A Server that keeps its transactions in a database, and answers only after what it answers is there.

    Args:
        authority: decides, and keeps its records in the same store.
        store: the database.
        tidy: is called now and then.
        max_transactions: as for Server; counts those of all processes.
        max_remembered: as for Server; counts those of all processes.
        options: those of Server.
    """

    def __init__(
        self,
        authority: Authority,
        store: Store,
        *,
        tidy: Callable[[], object] | None = None,
        max_transactions: int = MAX_TRANSACTIONS,
        max_remembered: int = MAX_REMEMBERED,
        **options: Any,
    ) -> None:
        super().__init__(
            authority,
            transactions=DatabaseTransactions(store, max_transactions, max_remembered, tidy=tidy),
            downloads=True,
            **options,
        )


def _state(entry: Transaction | None) -> bytes | None:
    """Changes whenever a client's message has had an effect: each answer has a nonce of its own."""
    return None if entry is None else entry.sent_nonce


def _entry(row: TransactionRow) -> Transaction:
    """A transaction as it was written down. Raises DataError if it cannot have been."""
    try:
        message = wire.read_message(row.request)
        entry = Transaction(message if message.transaction_id else replace(message, assigned_id=row.id))
        _read_state(row.outcome, entry)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(TRANSACTIONS.name, f"row with id {row.id.hex()}: request or outcome") from error
    entry.reply = _reply(row)
    entry.polls = row.polls
    entry.sent_nonce = row.sent_nonce
    entry.version = row.version
    return entry


def _reply(row: TransactionRow) -> Reply:
    return Reply(row.last_hash, row.last_response, row.last_meaning, row.outcome == _CONFIRMED)


def _write_state(transaction: Transaction) -> bytes:
    """What the authority said, and what it has still to say. A private key does not stay with the server: it went
    out with the answer, which is kept."""
    found: dict[str, Any] = {} if transaction.label is None else {"label": transaction.label}
    found["nonces"] = [nonce.hex() for nonce in transaction.client_nonces]
    outcome, delayed = transaction.outcome, transaction.delayed
    if isinstance(outcome, Waiting):
        found["waiting"] = vars(outcome)
    elif isinstance(outcome, Issued):
        found["issued"] = {
            "certificate": _text(outcome.certificate),
            "chain": list(map(_text, outcome.chain)),
            "ca_pubs": list(map(_text, outcome.ca_pubs)),
            "status": int(outcome.status),
            "text": outcome.text,
        }
    if delayed is not None:
        own = delayed.message is transaction.message
        found["held"] = {
            "message": None if own else _text(delayed.message.encoding),
            "waiting": vars(delayed.waiting),
            "polls": delayed.polls,
        }
    return json.dumps(found).encode()


def _read_state(data: bytes, transaction: Transaction) -> None:
    read = base64.b64decode
    found = json.loads(data)
    transaction.label = found.get("label")
    transaction.client_nonces = [bytes.fromhex(nonce) for nonce in found.get("nonces", ())]
    if "waiting" in found:
        transaction.outcome = Waiting(**found["waiting"])
    elif "issued" in found:
        issued = found["issued"]
        transaction.outcome = Issued(
            read(issued["certificate"]),
            chain=list(map(read, issued["chain"])),
            ca_pubs=list(map(read, issued["ca_pubs"])),
            status=PKIStatus(issued["status"]),
            text=issued["text"],
        )
    delayed = found.get("held")
    if delayed is not None:
        message = transaction.message
        if delayed["message"] is not None:
            message = wire.read_message(read(delayed["message"]))
        transaction.delayed = DelayedRequest(message, Waiting(**delayed["waiting"]), delayed["polls"])


def _text(data: x509.Certificate | bytes) -> str:
    return base64.b64encode(encoded(data)).decode()
