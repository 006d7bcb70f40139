"""How one message gets its answer: from libcrypto, or instead of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial

from ..enums import BodyType, FailureInfo
from ..errors import OpenSSLError
from . import answers, strict, wire
from ._engine import Engine, Pool, UndecodableError
from .authority import Authority
from .exchange import Exchange
from .state import Transaction

logger = logging.getLogger("osslcmp.server")


def is_error(answer: bytes) -> bool:
    """Whether an answer is an error message."""
    return wire.read_message(answer, len(answer)).body_type == BodyType.ERROR


class Answering:
    """The part of Server that knows nothing of other transactions."""

    authority: Authority
    _pool: Pool
    _strict: bool
    _sign_always: bool

    def _process(
        self,
        message: wire.RawMessage,
        engine: Engine,
        exchange: Exchange,
        poll: wire.RawMessage | None = None,
    ) -> bytes:
        """Let libcrypto answer, or answer instead of it.

        Args:
            message: what is answered.
            engine: libcrypto's side.
            exchange: answers for the authority.
            poll: asks for the answer to ``message``, which was delayed.
        """
        # RFC 9483 wants a delayed answer to name the nonce of the request, OpenSSL's server names the last one.
        asked = message if poll is None or self._strict else poll
        try:
            answer = engine.process(message.encoding, exchange)
        except UndecodableError as error:
            logger.info("a message cannot be decoded: %s", error)
            return self._refuse(asked, FailureInfo.badDataFormat, "malformed message")
        exchange.raise_interrupt()
        if exchange.refusal is not None:
            return self._refuse(asked, exchange.refusal.failure_info, exchange.refusal.text)
        if exchange.waiting is not None:
            if poll is None:
                return self._answer_with(answers.waiting, message, exchange.waiting.reason)
            wait = partial(answers.poll_reply, check_after=exchange.waiting.check_after)
            return self._answer_with(wait, poll, exchange.waiting.reason)
        if answer is None:
            logger.info("libcrypto found no answer: %s", "; ".join(map(str, engine.log)))
            return self._refuse(asked, FailureInfo.badRequest, "")
        if self._strict and not exchange.called:
            refusal = strict.explain(message, engine.log) if is_error(answer) else strict.no_key(message)
            if refusal is not None:
                told = refusal.rejected
                return self._refuse(asked, told.failure_info, told.text, in_body=refusal.in_body)
        answer = self._signed(message, answer)
        return answer if asked is message else self._once_more(answer, asked)

    def _once_more(self, answer: bytes, message: wire.RawMessage) -> bytes:
        """What was an answer to another message as one to this."""
        return self._protected(message, answers.once_more(answer, message))

    def _signed(self, message: wire.RawMessage, answer: bytes) -> bytes:
        """The answer, signed if that is asked for and libcrypto has used the client's secret."""
        if not (self._sign_always and message.header.uses_mac):
            return answer
        return self._protected(message, answer)

    def _protected(self, message: wire.RawMessage, answer: bytes) -> bytes:
        """An answer that was put together here, protected."""
        with closing(self._protecting(message)) as engine:
            return engine.protect(answer, message.transaction_id)

    def _protecting(self, message: wire.RawMessage) -> Engine:
        """A context to protect an answer with, so that the client can verify it."""
        return Engine(self._pool, None, None) if self._sign_always else self._engine(message)

    def _exchange(self, engine: Engine, message: wire.RawMessage, transaction: Transaction) -> Exchange:
        return Exchange(self.authority, engine, message, transaction, strict=self._strict)

    def _engine(self, message: wire.RawMessage, certificates: Iterable[bytes] = ()) -> Engine:
        """A context with the credentials that fit a message."""
        header = message.header
        reference = secret = None
        settings = self._pool.settings
        if header.sender_kid and (header.uses_mac or settings.certificate is None):
            try:
                secret = self.authority.shared_secret(header.sender_kid)
            except Exception:
                logger.exception("the authority failed to look up a shared secret")
            reference = header.sender_kid if secret else None
        return Engine(self._pool, reference, secret or None, certificates)

    def _refuse(
        self, message: wire.RawMessage, failure: FailureInfo, text: str, *, in_body: bool = False
    ) -> bytes:
        """An error message, or with ``in_body`` the answer that the request asks for with a rejection in it;
        protected as the client can verify it if at all possible."""
        kind = answers.rejection if in_body else answers.error
        return self._answer_with(
            partial(kind, failure_info=failure),
            message,
            text,
            protect=not self._pool.settings.send_unprotected_errors,
        )

    def _answer_with(
        self, kind: Callable[..., bytes], message: wire.RawMessage, text: str, *, protect: bool = True
    ) -> bytes:
        """A message that is put together here, protected as the client can verify it if at all possible."""
        certificate = self._pool.settings.certificate
        name = None if certificate is None else certificate.subject.public_bytes()
        make = partial(kind, message, name, text=text)
        if not protect:
            return make(protect=False)
        with closing(self._protecting(message)) as engine:
            try:
                try:
                    return engine.protect(make(protect=True), message.transaction_id)
                except UndecodableError:  # the sender of the request is no name
                    make = partial(make, recipient=answers.NOBODY)
                    return engine.protect(make(protect=True), message.transaction_id)
            except OpenSSLError as error:
                logger.info("an answer goes out unprotected: %s", error)
                return make(protect=False)
