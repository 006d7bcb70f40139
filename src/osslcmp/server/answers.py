"""The answer to one message: in comes what libcrypto makes of it, a rule breaks or the authority says; out goes the answer,
protected, as DER. It is libcrypto's, or one of ours where that tells too little."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import partial

from .._asn1.x509_parts import subject_of
from .._text import get_logger
from ..enums import BodyType, FailureInfo
from ..errors import OpenSSLError
from . import messages, wire
from .authority import Rejected
from .checks import libcrypto_errors
from .configuration import Configuration
from .engine import Engine, UndecodableError
from .handler import MessageHandler

logger = get_logger("osslcmp.server")


class Answers:
    """Answers messages one by one; knows nothing of other messages of their transactions."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._pool, self._rules = configuration.pool, configuration.rules

    def process(
        self,
        message: wire.RawMessage,
        engine: Engine,
        handler: MessageHandler,
        poll: wire.RawMessage | None = None,
    ) -> bytes:
        """Let libcrypto answer, or answer instead of it.

        Args:
            message: what is answered.
            engine: libcrypto's side.
            handler: messages for the authority.
            poll: asks for the answer to ``message``, which was delayed.
        """
        # RFC 9483 wants a delayed answer to name the nonce of the request, OpenSSL's server names the last one.
        asked = message if poll is None or self._rules.explains else poll
        try:
            answer = engine.process(message.encoding, handler)
        except UndecodableError as error:
            logger.info("a message cannot be decoded: %s", error)
            return self.reject(asked, libcrypto_errors.undecodable(message, error))
        handler.raise_interrupt()
        if handler.refusal is not None:
            return self.reject(asked, handler.refusal)
        if handler.waiting is not None:
            if poll is None:
                return self.compose(messages.waiting(handler.waiting.reason), message)
            again = messages.poll_reply(handler.waiting.reason, handler.waiting.check_after)
            return self.compose(again, poll)
        if answer is None:
            logger.info("libcrypto found no answer: %s", "; ".join(map(str, engine.log)))
            return self.refuse(asked, FailureInfo.badRequest)
        if self._rules.explains and not handler.called:
            refusal = (
                libcrypto_errors.explain(message, engine.log, self._pool.settings.clients)
                if wire.read_answer(answer).body_type == BodyType.ERROR
                else libcrypto_errors.unproven(message, engine.log, self._rules)
            )
            if refusal is not None:
                return self.reject(asked, refusal)
        if message.assigned_id:
            answer = engine.protect(answer, message.assigned_id)  # libcrypto has made another one
        answer = self._as_proven(message, answer, handler)
        return answer if asked is message else self.readdress(answer, asked)

    def readdress(self, answer: bytes, message: wire.RawMessage) -> bytes:
        """What was an answer to another message as one to this."""
        return self.protect(message, messages.readdress(answer, message))

    def _as_proven(self, message: wire.RawMessage, answer: bytes, handler: MessageHandler) -> bytes:
        """libcrypto's answer, which it has protected with the client's secret whatever the message has proved."""
        anew = self._pool.settings.accept_unprotected or self._configuration.sign_always
        proven = (handler.called and not anew) or not message.header.uses_mac
        return answer if proven else self.protect(message, answer)

    def protect(self, message: wire.RawMessage, answer: bytes) -> bytes:
        """An answer, its protection made again, see ``_protecting``."""
        engine = self._protecting(message)
        if engine is None:
            return messages.unprotected(answer)
        if engine.signs:
            answer = messages.without_sender_kid(answer)
        with closing(engine):
            return engine.protect(answer, message.transaction_id)

    def _protecting(self, message: wire.RawMessage) -> Engine | None:
        """A context to protect an answer with; None leaves it unprotected.

        The client's secret is used only when the message proves that its sender knows it. Else whoever asks with the
        reference alone gets something to try guesses on, and learns which references there are.
        """
        affordable = self._rules.limits.mac_policy.check(message) is None
        if message.header.uses_mac and affordable and not self._configuration.sign_always:
            with ExitStack() as unproven:
                engine = unproven.enter_context(closing(self._configuration.engine_for(message)))
                if engine.proves(message.encoding):
                    unproven.pop_all()
                    return engine
        return None if self._pool.settings.certificate is None else Engine(self._pool, None, None)

    def refuse(self, message: wire.RawMessage, failure: FailureInfo, text: str = "") -> bytes:
        """An error message: see ``reject``."""
        return self.reject(message, Rejected(failure, text))

    def reject(self, message: wire.RawMessage, rejected: Rejected) -> bytes:
        """What a rule or the authority says as an error message, or if it is ``InBody`` as the answer that the request
        asks for; protected as ``_protecting`` says."""
        in_body = isinstance(rejected, libcrypto_errors.InBody)
        make = partial(messages.rejection, message) if in_body else messages.error
        body = make(rejected.failure_info, rejected.text)
        return self.compose(body, message, protect=not self._pool.settings.send_unprotected_errors)

    def compose(self, body: messages.Body, message: wire.RawMessage, *, protect: bool = True) -> bytes:
        """An answer to ``message`` that is put together here, protected as ``_protecting`` says."""
        certificate = self._pool.settings.certificate
        name = None if certificate is None else subject_of(certificate)
        make = partial(messages.message, message, name, body)
        protecting = self._protecting(message) if protect else None
        if protecting is None:
            return make(protect=False)
        with closing(protecting) as engine:
            try:
                try:
                    return engine.protect(make(protect=True), message.transaction_id)
                except UndecodableError:  # the sender of the request is no name
                    make = partial(make, recipient=messages.NOBODY)
                    return engine.protect(make(protect=True), message.transaction_id)
            except OpenSSLError as error:
                logger.info("an answer goes out unprotected: %s", error)
                return make(protect=False)
