"""How an open transaction goes on: what comes next from its client, and what came before and comes again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from ..enums import BodyType, FailureInfo
from . import wire
from .answering import Answering
from .authority import Issued, Message, Rejected, Waiting
from .ca.issuing import is_ra
from .checks import libcrypto_errors
from .engine import Engine
from .handler import MessageHandler, refuse_sender
from .reply_cache import Reply
from .transaction_store import TransactionStore
from .transactions import DelayedRequest, LiveEngines, Transaction

_CERT_ANSWERS = frozenset({BodyType.IP, BodyType.CP, BodyType.KUP})
_STAY_OPEN = _CERT_ANSWERS | {BodyType.POLLREP}


def is_confirmed(message: wire.RawMessage, answer: bytes) -> bool:
    """Whether an answer ends a transaction with the confirmation of its certificate."""
    if message.body_type not in (BodyType.CERTCONF, BodyType.POLLREQ):
        return False
    return wire.read_message(answer).body_type == BodyType.PKICONF


class Transacting(Answering):
    """The part of Server that knows of one transaction that is open."""

    transaction_timeout: float
    _transactions: TransactionStore
    _engines: LiveEngines

    def _remember(self, transaction: Transaction, message: wire.RawMessage, answer: bytes) -> None:
        """The message of the transaction's own client has been answered; the answer may get lost."""
        transaction.reply = Reply.to(message, answer)
        transaction.note_nonce(message)
        if transaction.closed:
            self._transactions.keep_last_reply(
                transaction.id, transaction.reply, confirmed=is_confirmed(message, answer)
            )

    def _keep_or_close(
        self,
        transaction: Transaction,
        message: wire.RawMessage,
        raw: wire.RawMessage,
        handler: MessageHandler,
    ) -> None:
        """Keep the transaction if the client is to come back after this answer, else close it.

        Args:
            transaction: the open transaction.
            message: what was answered, which may have been delayed.
            raw: the answer.
            handler: made it.
        """
        delayed, outcome = transaction.delayed, transaction.outcome
        polls = 0 if delayed is None else delayed.polls
        transaction.delayed = None
        if handler.waiting is not None:
            transaction.delayed = DelayedRequest(message, handler.waiting, polls)
            transaction.drop_engine()  # libcrypto does not know that it goes on
        open_ = transaction.delayed is not None or (
            raw.body_type in _STAY_OPEN and isinstance(outcome, (Issued, Waiting))
        )
        if raw.body_type in _CERT_ANSWERS and isinstance(outcome, Issued) and raw.header.implicit_confirm:
            handler.confirmed_implicitly()
            open_ = False
        if not open_:
            if isinstance(outcome, Issued) and raw.body_type == BodyType.ERROR:
                handler.undelivered()
            self._transactions.table.remove(transaction)
            self._engines.forget(transaction)
            return
        self._engines.used(transaction)
        transaction.sent_nonce = raw.header.sender_nonce or b""
        self._transactions.table.keep(transaction, transaction.wait + self.transaction_timeout)

    def _continue(self, transaction: Transaction, message: wire.RawMessage) -> bytes:
        """Process a certConf or pollReq."""
        if transaction.delayed is not None:
            return self._answer_delayed(transaction, transaction.delayed, message)
        engine = self._engine_of(transaction)
        if engine is None:
            self._transactions.table.remove(transaction)
            return self._refuse(message, FailureInfo.badRequest, "no such transaction")
        handler = self._handler(engine, message, transaction)
        answer = self._process(message, engine, handler)
        raw = wire.read_message(answer)
        if raw.body_type == BodyType.ERROR and not handler.called:
            # Not from our client. libcrypto has closed the transaction now; ours is still open.
            transaction.drop_engine()
            return answer
        if raw.body_type == BodyType.PKICONF and not handler.called:
            handler.rejected_by_empty_confirmation()
        self._keep_or_close(transaction, message, raw, handler)
        self._remember(transaction, message, answer)
        return answer

    def _answer_delayed(
        self, transaction: Transaction, delayed: DelayedRequest, poll: wire.RawMessage
    ) -> bytes:
        """Process the pollReq for the answer to an rr, genm or certConf.

        libcrypto's server can delay these only from 3.3 on, and forgets them with the process. Here the message
        is processed once more, as if it had come now; in between, libcrypto knows nothing of it.
        """
        refusal = self._refuse_unverified(poll, transaction.message.extra_certs)
        if refusal is not None:
            return refusal  # not from our client
        transaction.delayed = delayed = replace(delayed, polls=delayed.polls + 1)
        message = delayed.message
        if message is transaction.message:
            transaction.engine = engine = self._engine(message)
        else:
            found = self._engine_of(transaction)
            if found is None:
                self._transactions.table.remove(transaction)
                return self._refuse(poll, FailureInfo.badRequest, "no such transaction")
            engine = found
            engine.expect_nonce(message.header.recip_nonce or b"")
        handler = self._handler(engine, message, transaction)
        answer = self._process(message, engine, handler, poll)
        self._keep_or_close(transaction, message, wire.read_message(answer), handler)
        self._remember(transaction, poll, answer)
        return answer

    def _refuse_unverified(self, message: wire.RawMessage, certificates: Iterable[bytes]) -> bytes | None:
        """The refusal of a message that is not validly protected; ``certificates`` may help to verify it."""
        certificates = tuple(certificates)
        with closing(self._engine(message, (*message.extra_certs, *certificates))) as engine:
            if engine.verifies(message.encoding):
                rejected = self._refuse_sender(engine, message, certificates)
            else:
                rejected = self._unproven(message, engine)
        return None if rejected is None else self._reject(message, rejected)

    def _unproven(self, message: wire.RawMessage, engine: Engine) -> Rejected:
        """What is wrong with the protection that ``engine`` has just refused."""
        if not self._explains:
            return Rejected(FailureInfo.badRequest)
        refusal = libcrypto_errors.explain(message, engine.log, self._pool.settings.clients)
        return Rejected(FailureInfo.badRequest) if refusal is None else refusal.rejected

    def _refuse_forwarder(self, message: wire.RawMessage) -> Rejected | None:
        """Why a nested message is not opened: a registration authority has to have signed it, whatever else the server
        accepts. What is in it proves itself."""
        with closing(self._engine(message, message.extra_certs)) as engine:
            if not engine.proves(message.encoding):
                return self._unproven(message, engine)
            refused = self._refuse_sender(engine, message)
            if refused is not None:
                return refused
            signer = engine.signer(message.header.sender_kid)
        if signer is None or not is_ra(signer):
            return Rejected(
                FailureInfo.notAuthorized, "nested messages are for a registration authority to send"
            )
        return None

    def _refuse_sender(
        self, engine: Engine, message: wire.RawMessage, certificates: Iterable[bytes] = ()
    ) -> Rejected | None:
        """Why the sender of a message that ``engine`` has verified may not authorise anything; None when it may."""
        header = message.header
        if header.uses_mac or header.protection_alg is None:
            return None
        signer = engine.signer(header.sender_kid)
        about = Message(
            type=BodyType(message.body_type),
            transaction_id=message.transaction_id,
            sender=None,
            reference=None,
            signer=signer,
            message=message.encoding,
            request_certs=tuple(certificates),
        )
        return refuse_sender(self.authority, about, message, self._rules)

    def _repeat_answer(
        self, answer: bytes, message: wire.RawMessage, certificates: Iterable[bytes] = ()
    ) -> bytes:
        """The last answer once more, to a client that has not got it and has made its message anew."""
        return self._refuse_unverified(message, certificates) or self._readdress(answer, message)

    def _client_error(self, transaction: Transaction, message: wire.RawMessage) -> bytes:
        """Process an error message, which ends its transaction if the protection is valid.

        libcrypto takes it for a new transaction, so it gets a context of its own: a forged one does no harm.
        """
        engine = self._engine(message, transaction.message.extra_certs)
        try:
            handler = self._handler(engine, message, transaction)
            answer = self._process(message, engine, handler)
        finally:
            engine.close()
        if handler.called:
            self._transactions.table.remove(transaction)
            self._remember(transaction, message, answer)
        return answer

    def _replay(self, transaction: Transaction) -> None:
        """Let libcrypto verify the request of a transaction once more, so that ``transaction.request`` is there."""
        self._engine_of(transaction)
        transaction.drop_engine()

    def _engine_of(self, transaction: Transaction) -> Engine | None:
        """libcrypto's side of a transaction, made again if it is gone or its settings have changed.

        The request is replayed, and the nonce set that the client really got. None if it is not valid any
        more.
        """
        engine = transaction.engine
        if engine is not None and engine.settings is self._pool.settings:
            return engine
        transaction.drop_engine()
        engine = self._engine(transaction.message)
        handler = self._handler(engine, transaction.message, transaction)
        answer = engine.process(transaction.message.encoding, handler)
        handler.raise_interrupt()
        if answer is None or wire.read_message(answer).body_type not in _CERT_ANSWERS:
            engine.close()
            return None
        engine.expect_nonce(transaction.sent_nonce)
        if transaction.message.assigned_id:
            engine.expect_transaction(transaction.message.assigned_id)
        transaction.engine = engine
        return engine
