"""How one message gets its answer: from libcrypto, or instead of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial

from .._asn1.x509_parts import subject_of
from .._text import get_logger
from ..enums import BodyType, FailureInfo
from ..errors import OpenSSLError
from . import bodies, messages, wire
from .authority import Authority, Rejected
from .checks import libcrypto_errors
from .checks.rules import Checker
from .engine import Engine, Pool, UndecodableError
from .failures import log_failure
from .handler import MessageHandler
from .transactions import Transaction

_NO_SECRET = os.urandom(32)
"""Stands for the secret of references that have none: nobody knows it."""

logger = get_logger("osslcmp.server")


def is_error(answer: bytes) -> bool:
    """Whether an answer is an error message."""
    return wire.read_message(answer).body_type == BodyType.ERROR


class Answering:
    """The part of Server that knows nothing of other transactions."""

    authority: Authority
    _pool: Pool
    _rules: Checker
    _sign_always: bool

    @property
    def _explains(self) -> bool:
        """Whether a specific failInfo replaces libcrypto's ``badRequest``."""
        return self._rules.strictness != "openssl"

    @property
    def _is_strict(self) -> bool:
        """Whether what the Lightweight profile restricts is restricted."""
        return self._rules.strictness == "strict"

    def _process(
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
        asked = message if poll is None or self._explains else poll
        try:
            answer = engine.process(message.encoding, handler)
        except UndecodableError as error:
            logger.info("a message cannot be decoded: %s", error)
            found = libcrypto_errors.undecodable(message, error)
            return self._reject(asked, found.rejected, in_body=found.in_body)
        handler.raise_interrupt()
        if handler.refusal is not None:
            return self._reject(asked, handler.refusal)
        if handler.waiting is not None:
            if poll is None:
                return self._answer_with(messages.waiting, message, handler.waiting.reason)
            wait = partial(messages.poll_reply, check_after=handler.waiting.check_after)
            return self._answer_with(wait, poll, handler.waiting.reason)
        if answer is None:
            logger.info("libcrypto found no answer: %s", "; ".join(map(str, engine.log)))
            return self._refuse(asked, FailureInfo.badRequest, "")
        if self._explains and not handler.called:
            refusal = (
                libcrypto_errors.explain(message, engine.log, self._pool.settings.clients)
                if is_error(answer)
                else libcrypto_errors.unproven(message, engine.log, self._rules)
            )
            if refusal is not None:
                return self._reject(asked, refusal.rejected, in_body=refusal.in_body)
        if message.assigned_id:
            answer = engine.protect(answer, message.assigned_id)  # libcrypto has made another one
        answer = self._as_proven(message, answer, handler)
        return answer if asked is message else self._readdress(answer, asked)

    def _readdress(self, answer: bytes, message: wire.RawMessage) -> bytes:
        """What was an answer to another message as one to this."""
        return self._protected(message, messages.readdress(answer, message))

    def _as_proven(self, message: wire.RawMessage, answer: bytes, handler: MessageHandler) -> bytes:
        """libcrypto's answer, which it has protected with the client's secret whatever the message has proved."""
        proven = handler.called and not self._pool.settings.accept_unprotected and not self._sign_always
        if proven or not message.header.uses_mac:
            return answer
        return self._protected(message, answer)

    def _protected(self, message: wire.RawMessage, answer: bytes) -> bytes:
        """An answer, its protection made again, see ``_protecting``."""
        engine = self._protecting(message)
        if engine is None:
            return messages.unprotected(answer)
        with closing(engine):
            return engine.protect(answer, message.transaction_id)

    def _protecting(self, message: wire.RawMessage) -> Engine | None:
        """A context to protect an answer with; None leaves it unprotected.

        The client's secret is used only when the message proves that its sender knows it. Else whoever asks with the
        reference alone gets something to try guesses on, and learns which references there are.
        """
        affordable = self._rules.limits.mac_policy.check(message) is None
        if message.header.uses_mac and affordable and not self._sign_always:
            engine = self._engine(message)
            try:
                proven = engine.proves(message.encoding)
            except BaseException:
                engine.close()
                raise
            if proven:
                return engine
            engine.close()
        return None if self._pool.settings.certificate is None else Engine(self._pool, None, None)

    def _handler(self, engine: Engine, message: wire.RawMessage, transaction: Transaction) -> MessageHandler:
        return MessageHandler(self.authority, engine, message, transaction, self._rules)

    def _engine(self, message: wire.RawMessage, certificates: Iterable[bytes] = ()) -> Engine:
        """A context with the credentials that fit a message."""
        header = message.header
        if not header.uses_mac:
            return Engine(self._pool, None, None, certificates)
        secret = None
        reference = bodies.reference(header)
        if reference is not None:
            try:
                secret = self.authority.shared_secret(reference)
            except Exception as error:
                log_failure(logger, "the authority failed to look up a shared secret", error)
        # Whoever has no secret here costs as much as who has one and does not know it.
        return Engine(self._pool, reference, secret or _NO_SECRET, certificates, header.mac)

    def _reject(self, message: wire.RawMessage, rejected: Rejected, *, in_body: bool = False) -> bytes:
        """What a rule or the authority says, as an answer: see ``_refuse``."""
        return self._refuse(message, rejected.failure_info, rejected.text, in_body=in_body)

    def _refuse(
        self, message: wire.RawMessage, failure: FailureInfo, text: str, *, in_body: bool = False
    ) -> bytes:
        """An error message, or with ``in_body`` the answer that the request asks for with a rejection in it,
        protected as ``_protecting`` says."""
        kind = messages.rejection if in_body else messages.error
        return self._answer_with(
            partial(kind, failure_info=failure),
            message,
            text,
            protect=not self._pool.settings.send_unprotected_errors,
        )

    def _answer_with(
        self, kind: Callable[..., bytes], message: wire.RawMessage, text: str, *, protect: bool = True
    ) -> bytes:
        """A message that is put together here, protected as ``_protecting`` says."""
        certificate = self._pool.settings.certificate
        name = None if certificate is None else subject_of(certificate)
        make = partial(kind, message, name, text=text)
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
