"""Asks the authority: in comes what libcrypto wants to know about one message; out goes what the authority decides, after
the checks that libcrypto does not make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from .._asn1.itav import InfoTypeAndValue
from .._openssl import convert
from .._text import get_logger, visible
from ..enums import FailureInfo, PKIStatus
from ..message.bodies import ErrorMessage, GeneralMessage
from . import bodies, wire
from .authority import (
    NO_FAILURE,
    CertificateRequest,
    Confirmation,
    ErrorNotice,
    GeneralRequest,
    Issued,
    Message,
    Rejected,
    Revoked,
    Waiting,
)
from .callbacks import CertAnswer, StatusAnswer
from .checks.rules import Stage
from .configuration import Configuration
from .engine import Engine
from .failures import log_failure
from .transactions import Outcome, Transaction
from .verification import FAILED, UNREADABLE_SIGNER, looked_at, refuse_sender

logger = get_logger("osslcmp.server")

#: Characters of why a message cannot be read that its client is told.
_REASON = 200
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")
_REFUSED = StatusAnswer(PKIStatus.rejection, int(FailureInfo.notAuthorized))
"""Never sent: what is refused gets an error message."""


class MessageHandler:
    """The Handler of libcrypto's callbacks for one message.

    After processing: ``verified`` tells whether libcrypto found the message worth asking about (its protection
    is valid then), ``called`` whether its sender may authorise anything, besides; ``refusal`` what the client is to
    be told instead of libcrypto's answer, ``waiting`` that it is to be told to wait instead, ``failure`` what a
    callback raised.
    """

    def __init__(
        self,
        configuration: Configuration,
        engine: Engine,
        message: wire.RawMessage,
        transaction: Transaction,
    ) -> None:
        self._configuration = configuration
        self._authority = configuration.authority
        self._engine = engine
        self._message = message
        self._transaction = transaction
        self._rules = configuration.rules
        self.verified = False
        self.called = False
        self._authority_informed = False
        self.refusal: Rejected | None = None
        self.waiting: Waiting | None = None
        self.failure: BaseException | None = None

    # -- called back -----------------------------------------------------------------------------------------

    def stash(self, error: BaseException) -> None:
        """Keep the first ``failure``, and refuse with ``systemFailure``."""
        self.failure = self.failure or error
        self.refusal = FAILED
        if isinstance(error, Exception):
            log_failure(logger, f"a {self._name} could not be answered", error)

    def cert_request(self) -> CertAnswer:
        """Answer an ir, cr, p10cr or kur. The authority is asked the first time; a replay gets what it said then."""
        transaction = self._transaction
        if transaction.outcome is None and not self._admit():
            return CertAnswer(_REFUSED)
        self.verified = self.called = True
        if transaction.outcome is None:
            transaction.outcome = self._first_answer()
        elif transaction.request is None:  # taken up again after a restart
            request = bodies.certificate_request(self._message, self._about)
            transaction.request = replace(request, polls=transaction.polls)
        outcome = transaction.outcome
        if isinstance(outcome, Waiting):
            return CertAnswer(StatusAnswer(PKIStatus.waiting, 0, outcome.reason))
        if isinstance(outcome, Rejected):
            return CertAnswer(StatusAnswer(PKIStatus.rejection, int(outcome.failure_info), outcome.text))
        return CertAnswer(
            StatusAnswer(outcome.status, 0, outcome.text),
            transaction.certificate_handle(),
            [self._engine.handle(certificate) for certificate in outcome.chain],
            [self._engine.handle(certificate) for certificate in outcome.ca_pubs],
            None if outcome.private_key is None else convert.key_to_c(outcome.private_key),
        )

    def revocation(self) -> StatusAnswer:
        """Answer an rr; what the client gets to see of ``Waiting`` is made of ``waiting``, not of this answer."""
        if not self._admit():
            return _REFUSED
        answer: Revoked | Waiting | Rejected | None
        refused = self._rules.broken(Stage.BODY, self._message)
        try:
            request = bodies.revocation_request(self._message, self._about_polls())
        except bodies.MALFORMED as error:
            answer = refused or self._unreadable(error)
        else:
            if (answer := refused) is None:
                answer = self._ask(self._authority.revoke, request, Revoked, Waiting, Rejected)
        if isinstance(answer, Waiting):
            self.waiting = answer
            return StatusAnswer(PKIStatus.waiting)
        if isinstance(answer, Rejected):
            return StatusAnswer(PKIStatus.rejection, int(answer.failure_info), answer.text)
        return StatusAnswer(answer.status, 0, answer.text)

    def general(self) -> Sequence[InfoTypeAndValue]:
        """Answer a genm; nothing, with ``waiting`` or ``refusal`` set, when there is no answer yet or none at all."""
        if not self._admit():
            return ()
        try:
            items = GeneralMessage.of(self._message.body).items
        except bodies.MALFORMED as error:
            self.refusal = self._unreadable(error)
            return ()
        request = GeneralRequest(**self._about_polls(), infos=items)
        answer = self._ask(self._authority.general, request, Sequence, Waiting, Rejected)
        if isinstance(answer, Waiting):
            self.waiting = answer
        elif isinstance(answer, Rejected):
            self.refusal = answer
        else:
            return answer
        return ()

    def error(self) -> None:
        """Tell the authority of an error message, and what it was asked and has issued in this transaction."""
        if not self._admit():
            return
        transaction = self._transaction
        try:
            info = ErrorMessage.of(self._message.body).status
        except bodies.MALFORMED as error:
            self.refusal = self._unreadable(error)
        else:
            told = bodies.status_fields(info) | {"status": info.status, "request": transaction.request}
            notice = ErrorNotice(**self._about, **told, certificate=transaction.certificate)
            self.refusal = self._ask(self._authority.error, notice, type(None))

    def cert_conf(self) -> bool:
        """Check the hash in a certConf and tell the authority. False unless the client is to get a pkiConf: then
        ``waiting`` or ``refusal`` says what it gets instead."""
        if not self._admit():
            return False
        (status, *_) = bodies.cert_statuses(self._message.body) or ()
        transaction = self._transaction
        problem = self._rules.broken(
            Stage.CONFIRMATION, self._message, transaction=transaction, status=status
        )
        if problem is not None:
            self.refusal = problem
            self._confirm(False, problem.failure_info, problem.text)
            return False
        info = status.status
        if info is None or info.status == PKIStatus.accepted:
            answer = self._confirm(True)
        else:
            answer = self._confirm(False, **bodies.status_fields(info))
        if isinstance(answer, Waiting):
            self.waiting = answer
            return False
        self.refusal = answer
        return answer is None

    def poll(self) -> Any:
        """Ask the authority once more: seconds to wait, or the ``OSSL_CMP_MSG *`` that can be answered now."""
        if not self._admit():
            return 0
        transaction = self._transaction
        assert transaction.request is not None
        transaction.request = replace(transaction.request, polls=transaction.request.polls + 1)
        # Who asked may have lost the right to, even if somebody else with the same name and key polls.
        transaction.outcome = self._refuse_sender(transaction.request) or self._issue(transaction.request)
        if isinstance(transaction.outcome, Waiting):
            return transaction.outcome.check_after
        if transaction.request_handle is None:
            transaction.request_handle = self._engine.decode(transaction.message.encoding)
        return transaction.request_handle

    def raise_interrupt(self) -> None:
        """What is no Exception, like KeyboardInterrupt, is for the caller, not for the client."""
        if self.failure is not None and not isinstance(self.failure, Exception):
            raise self.failure

    # -- called by the server ----------------------------------------------------------------------------------

    def inform_authority(self, accepted: bool, *, implicit: bool = False) -> None:
        """Tell the authority, when the answer to the client has been made, whether the certificate was accepted: by a
        certConf, or because the answer grants implicit confirmation."""
        if isinstance(self._confirm(accepted, implicit=implicit), Waiting):
            logger.error("the authority's answer makes no sense: this client does not wait for it")

    def undelivered(self) -> None:
        """The answer to the client is an error, so that it has not got the certificate."""
        if not self._authority_informed:
            logger.error("a certificate was issued but could not be handed over")
            self._confirm(False, FailureInfo.systemFailure, "the answer could not be made")

    # -- asking ----------------------------------------------------------------------------------------------

    def _admit(self) -> bool:
        """Whether the sender of a verified message may authorise anything; else ``refusal`` says why not."""
        self.verified = True
        about = self._about
        if about["signer_der"] is not None and about["signer"] is not None:
            self.refusal = self._refuse_sender(Message(**about))
        elif self._message.header.is_signed and self._engine.is_protection_valid():
            self.refusal = UNREADABLE_SIGNER
        self.called = self.refusal is None
        return self.called

    def _refuse_sender(self, message: Message) -> Rejected | None:
        return refuse_sender(self._configuration, message, self._message)

    @property
    def _name(self) -> str:
        return self._message.body_type.name

    @cached_property
    def _about(self) -> dict[str, Any]:
        """The fields of authority.Message. Once: before OpenSSL 3.2 it costs a signature to know the signer."""
        header = self._message.header
        valid = header.protection_alg is not None and self._engine.is_protection_valid()
        signer = self._engine.signer(header.sender_kid) if valid and not header.uses_mac else None
        return bodies.about(
            self._message,
            sender=bodies.name(header.sender_name),
            reference=bodies.reference(header) if valid and header.uses_mac else None,
            signer=looked_at(signer),
            signer_der=signer,
            label=self._transaction.label,
            request_certs=self._transaction.message.extra_certs,
        )

    def _about_polls(self) -> dict[str, Any]:
        """The fields of authority.Message, with how often the client has come back for the answer."""
        delayed = self._transaction.delayed
        return {**self._about, "polls": 0 if delayed is None else delayed.polls}

    def _ask(self, method: Callable[[_Asked], _Answer], about: _Asked, *expected: type) -> _Answer | Rejected:
        """Call the authority; what it raises, or a senseless answer, becomes systemFailure."""
        try:
            answer = method(about)
            if not isinstance(answer, expected):
                names = ", ".join(kind.__name__ for kind in expected)
                raise TypeError(f"{method.__qualname__} returned {type(answer).__name__}, expected: {names}")
        except Exception as error:
            log_failure(logger, f"the authority failed to answer a {self._name}", error)
            return FAILED
        return answer

    def _first_answer(self) -> Outcome:
        transaction = self._transaction
        refused = self._rules.broken(Stage.BODY, self._message)
        if refused is not None:
            return refused
        try:
            transaction.request = bodies.certificate_request(self._message, self._about)
        except bodies.MALFORMED as error:
            return self._unreadable(error)
        problem = self._rules.broken(Stage.REQUEST, self._message, request=transaction.request)
        return problem or self._issue(transaction.request)

    def _issue(self, request: CertificateRequest) -> Outcome:
        answer = self._ask(self._authority.issue, request, Issued, Waiting, Rejected)
        problem = _senseless(request, answer) if isinstance(answer, Issued) else None
        if problem is not None:
            logger.error("the authority's answer makes no sense: %s", problem)
            return FAILED
        return answer

    def _confirm(
        self,
        accepted: bool,
        failure_info: FailureInfo = NO_FAILURE,
        text: str = "",
        *,
        implicit: bool = False,
    ) -> Waiting | Rejected | None:
        """Tell the authority; its failure, if any."""
        self._authority_informed = True
        certificate = self._transaction.certificate
        assert certificate is not None
        confirmation = Confirmation(
            **self._about_polls() | {"type": self._transaction.message.body_type},
            certificate=certificate,
            accepted=accepted,
            implicit=implicit,
            failure_info=failure_info,
            text=text,
        )
        return self._ask(self._authority.confirm, confirmation, type(None), Waiting)

    def _unreadable(self, error: Exception) -> Rejected:
        shown = visible(str(error), _REASON)
        if isinstance(error, bodies.UnacceptedExtensionError):
            return Rejected(FailureInfo.unacceptedExtension, str(error))
        if isinstance(error, bodies.BadTemplateError):
            return Rejected(FailureInfo.badCertTemplate, f"malformed template: {shown}")
        logger.info("a %s is malformed: %s", self._name, error)
        return Rejected(FailureInfo.badDataFormat, f"malformed {self._name}: {shown}")


def _senseless(request: CertificateRequest, answer: Issued) -> str | None:
    """What is wrong with the status, or the private key, of an answer."""
    if answer.status not in (PKIStatus.accepted, PKIStatus.grantedWithMods):
        return f"a certificate was issued with status {answer.status.name}"
    if (answer.private_key is None) is request.central_key:
        return "the private key is missing" if request.central_key else "nobody asked for a private key"
    if answer.private_key is None:
        return None
    fits = (
        answer.private_key.public_key()
        == convert.look_alike(convert.encoded(answer.certificate)).public_key()
    )
    return None if fits else "the private key is not that of the certificate"
