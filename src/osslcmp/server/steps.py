"""The steps of a transaction: in comes a message that keeps the rules of its header; out goes its answer, made by the step
that it is of its transaction: the first, the next, or one that was done before."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from .._text import get_logger
from ..enums import BodyType, FailureInfo
from . import wire
from .answers import Answers
from .authority import Issued, Rejected, Waiting
from .checks.rules import Stage
from .configuration import Configuration
from .engine import Engine
from .failures import log_failure
from .handler import MessageHandler
from .http import paths
from .reply_cache import Reply, repeated, repeated_anew
from .transaction_store import TransactionStore
from .transactions import DelayedRequest, FullError, InUseError, LiveEngines, Transaction
from .verification import refuse_unverified

BUSY_TIMEOUT = 5.0
"""Seconds that a message waits for another one of its transaction."""

logger = get_logger("osslcmp.server")

_CERT_ANSWERS = frozenset({BodyType.IP, BodyType.CP, BodyType.KUP})
_STAY_OPEN = _CERT_ANSWERS | {BodyType.POLLREP}
_UNKNOWN = Rejected(FailureInfo.badRequest, "no such transaction")
_BUSY = Rejected(FailureInfo.systemUnavail, "the transaction is being worked on")
_FULL = Rejected(FailureInfo.systemUnavail, "too many open transactions")
_TOO_MANY = Rejected(FailureInfo.systemUnavail, "too many transactions of the last minutes")
_IN_USE = Rejected(FailureInfo.transactionIdInUse, "the transactionID is in use")
_USED = Rejected(FailureInfo.transactionIdInUse, "the transactionID was used")


class TransactionSteps:
    """Finds the transaction of a message in the store, and does its next step."""

    def __init__(self, configuration: Configuration, answers: Answers, store: TransactionStore) -> None:
        self.configuration = configuration
        self._answers = answers
        self._store = store
        self._engines = LiveEngines()
        store.host = self

    def answer(self, message: wire.RawMessage, place: paths.Place) -> bytes:
        """Answer a message, no nested one, that keeps the rules of its header."""
        known = repeated(self._store.last_reply(message.transaction_id), message)
        if known is not None:
            return known
        return self._start(message, place) if message.body_type in wire.STARTS else self._follow(message)

    # -- a new transaction -----------------------------------------------------------------------------------

    def _start(self, message: wire.RawMessage, place: paths.Place) -> bytes:
        if self._store.table.get(message.transaction_id) is None and self._store.is_full(message):
            return self._answers.reject(message, _TOO_MANY)
        transaction = Transaction(message, place.label)
        try:
            self._store.table.add(transaction)
        except InUseError:
            known = self._answer_to_start(message)
            return known if known is not None else self._answers.reject(message, _IN_USE)
        except FullError:
            return self._answers.reject(message, _FULL)
        try:
            if self._store.was_taken(message):
                self._store.table.remove(transaction)
                return self._answers.reject(message, _USED)
            transaction.engine = engine = self.configuration.engine_for(message)
            handler = MessageHandler(self.configuration, engine, message, transaction)
            try:
                answer = self._answers.process(message, engine, handler)
            finally:
                if handler.verified:
                    self._store.note_taken(message)
            self._keep_or_close(transaction, message, wire.read_answer(answer), handler)
            if handler.called:
                self._remember(transaction, message, answer)
        except BaseException:
            self._store.table.remove(transaction)
            raise
        finally:
            transaction.lock.release()
        return answer

    def _answer_to_start(self, message: wire.RawMessage) -> bytes | None:
        """The answer to a request that opened a transaction and has come again."""
        transaction = self._store.table.get(message.transaction_id)
        if transaction is None or transaction.message.encoding != message.encoding:
            return None
        if not transaction.lock.acquire(timeout=BUSY_TIMEOUT):
            return None
        try:
            return repeated(transaction.reply, message)
        finally:
            transaction.lock.release()

    # -- an open transaction ---------------------------------------------------------------------------------

    def _follow(self, message: wire.RawMessage) -> bytes:
        transaction = self._store.table.get(message.transaction_id)
        if transaction is None:
            return self._refuse_unknown(message)
        if not transaction.lock.acquire(timeout=BUSY_TIMEOUT):
            return self._answers.reject(message, _BUSY)
        try:
            known = repeated(transaction.reply, message)
            if known is not None:
                return known
            if transaction.closed:
                return self._refuse_unknown(message)
            known = repeated_anew(transaction.reply, message)
            if known is not None:
                return self._repeat_answer(known, message, transaction.message.extra_certs)
            problem = self.configuration.rules.broken(Stage.TRANSACTION, message, transaction=transaction)
            if problem is not None:
                # Whoever sent this has proved nothing, so the transaction stays as it is.
                return self._answers.reject(message, problem)
            try:
                if message.body_type == BodyType.ERROR:
                    return self._client_error(transaction, message)
                return self._continue(transaction, message)
            except BaseException:
                self._store.table.remove(transaction)
                raise
        finally:
            transaction.lock.release()

    def _continue(self, transaction: Transaction, message: wire.RawMessage) -> bytes:
        """Process a certConf, or a pollReq: for a certificate, or for the answer to an rr, genm or certConf.

        libcrypto's server can delay the latter only from 3.3 on, and forgets them with the process. Here what is delayed is
        processed once more, as if it had come now; in between, libcrypto knows nothing of it.
        """
        asked, delayed = message, transaction.delayed
        if delayed is not None:
            refused = refuse_unverified(self.configuration, message, transaction.message.extra_certs)
            if refused is not None:
                return self._answers.reject(message, refused)  # not from our client
            transaction.delayed, asked = replace(delayed, polls=delayed.polls + 1), delayed.message
        again = asked is transaction.message
        engine = self.configuration.engine_for(asked) if again else self._engine_of(transaction)
        if engine is None:
            self._store.table.remove(transaction)
            return self._answers.reject(message, _UNKNOWN)
        transaction.engine = engine
        if delayed is not None and not again:
            engine.expect_nonce(asked.header.recip_nonce or b"")
        handler = MessageHandler(self.configuration, engine, asked, transaction)
        answer = self._answers.process(asked, engine, handler, None if delayed is None else message)
        raw = wire.read_answer(answer)
        if delayed is None and raw.body_type == BodyType.ERROR and not handler.called:
            # Not from our client. libcrypto has closed the transaction now; ours is still open.
            transaction.drop_engine()
            return answer
        if delayed is None and raw.body_type == BodyType.PKICONF and not handler.called:
            handler.inform_authority(False)  # a certConf without any status rejects the certificate
        self._keep_or_close(transaction, asked, raw, handler)
        self._remember(transaction, message, answer)
        return answer

    def _client_error(self, transaction: Transaction, message: wire.RawMessage) -> bytes:
        """Process an error message, which ends its transaction if the protection is valid. libcrypto takes it for a new
        transaction, so it gets a context of its own: a forged one does no harm."""
        with closing(self.configuration.engine_for(message, transaction.message.extra_certs)) as engine:
            handler = MessageHandler(self.configuration, engine, message, transaction)
            answer = self._answers.process(message, engine, handler)
        if handler.called:
            self._store.table.remove(transaction)
            self._remember(transaction, message, answer)
        return answer

    # -- a message that comes again, or too late ------------------------------------------------------------

    def _repeat_answer(
        self, answer: bytes, message: wire.RawMessage, certificates: Iterable[bytes] = ()
    ) -> bytes:
        """The last answer once more, to a client that has not got it and has made its message anew."""
        refused = refuse_unverified(self.configuration, message, certificates)
        if refused is not None:
            return self._answers.reject(message, refused)
        return self._answers.readdress(answer, message)

    def _refuse_unknown(self, message: wire.RawMessage) -> bytes:
        rules, last = self.configuration.rules, self._store.last_reply(message.transaction_id)
        confirmed = message.body_type == BodyType.CERTCONF and last is not None and last.confirmed
        # RFC 9483 has a client that has not got the pkiConf told so.
        known = None if confirmed and rules.is_strict else repeated_anew(last, message)
        if known is not None:
            return self._repeat_answer(known, message)
        if confirmed and rules.explains:
            refused = refuse_unverified(self.configuration, message)
            refused = refused or Rejected(FailureInfo.certConfirmed, "already confirmed")
            return self._answers.reject(message, refused)
        return self._answers.reject(message, _UNKNOWN)

    # -- what the steps have in common --------------------------------------------------------------------

    def _remember(self, transaction: Transaction, message: wire.RawMessage, answer: bytes) -> None:
        """The message of the transaction's own client has been answered; the answer may get lost."""
        transaction.reply = Reply.to(message, answer)
        transaction.note_nonce(message)
        if transaction.closed:
            self._store.keep_last_reply(transaction.id, transaction.reply)

    def _keep_or_close(
        self,
        transaction: Transaction,
        message: wire.RawMessage,
        raw: wire.Answer,
        handler: MessageHandler,
    ) -> None:
        """Keep the transaction if the client is to come back after this answer to ``message``, else close it."""
        delayed, outcome = transaction.delayed, transaction.outcome
        polls = 0 if delayed is None else delayed.polls
        transaction.delayed = None
        if handler.waiting is not None:
            transaction.delayed = DelayedRequest(message, handler.waiting, polls)
            transaction.drop_engine()  # libcrypto does not know that it goes on
        stays = raw.body_type in _STAY_OPEN and isinstance(outcome, (Issued, Waiting))
        open_ = stays or transaction.delayed is not None
        if raw.body_type in _CERT_ANSWERS and isinstance(outcome, Issued) and raw.implicit_confirm:
            handler.inform_authority(True, implicit=True)
            open_ = False
        if not open_:
            if isinstance(outcome, Issued) and raw.body_type == BodyType.ERROR:
                handler.undelivered()
            self._store.table.remove(transaction)
            self._engines.forget(transaction)
            return
        self._engines.used(transaction)
        transaction.sent_nonce = raw.sender_nonce or b""
        self._store.table.keep(transaction, transaction.wait + self.configuration.transaction_timeout)

    def _engine_of(self, transaction: Transaction) -> Engine | None:
        """libcrypto's side of a transaction, made again if it is gone or its settings have changed.

        The request is replayed, and the nonce set that the client really got. None if it is not valid any
        more.
        """
        engine = transaction.engine
        if engine is not None and engine.settings is self.configuration.pool.settings:
            return engine
        transaction.drop_engine()
        engine = self.configuration.engine_for(transaction.message)
        handler = MessageHandler(self.configuration, engine, transaction.message, transaction)
        answer = engine.process(transaction.message.encoding, handler)
        handler.raise_interrupt()
        if answer is None or wire.read_answer(answer).body_type not in _CERT_ANSWERS:
            engine.close()
            return None
        engine.expect_nonce(transaction.sent_nonce)
        if transaction.message.assigned_id:
            engine.expect_transaction(transaction.message.assigned_id)
        transaction.engine = engine
        return engine

    # -- called by the store --------------------------------------------------------------------------------

    def replay(self, transaction: Transaction) -> None:
        """Let libcrypto verify the request of a transaction once more, so that ``transaction.request`` is there."""
        self._engine_of(transaction)
        transaction.drop_engine()

    def expire(self, transaction: Transaction) -> None:
        """Inform the authority that a client did not come back in time."""
        inform = getattr(self.configuration.authority, "expired", None)
        if inform is None or transaction.request is None:
            return
        try:
            inform(transaction.request, transaction.certificate)
        except Exception as error:
            log_failure(logger, "the authority failed to take note of an expired transaction", error)
