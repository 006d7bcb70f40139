"""One message and its answer: asks the authority what libcrypto wants to know, and checks what libcrypto
does not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from .. import _convert, _pieces
from .._callbacks_server import CertAnswer, StatusAnswer
from ..enums import BodyType, FailureInfo, PKIStatus
from ..itav import InfoTypeAndValue
from . import bodies, paths, wire
from . import strict as checks
from ._engine import Engine, default_hash
from .authority import (
    NO_FAILURE,
    Authority,
    CertificateRequest,
    Confirmation,
    Issued,
    Rejected,
    Revoked,
    Waiting,
)
from .replies import Reply
from .transactions import Entry

logger = logging.getLogger("osslcmp.server")

Outcome = Issued | Waiting | Rejected

MAX_CHECK_AFTER = 2**31 - 1
_FAILED = Rejected(FailureInfo.systemFailure, "")
_ED448 = x509.ObjectIdentifier("1.3.101.113")
_HASH_OIDS: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    "2.16.840.1.101.3.4.2.4": hashes.SHA224(),
    "2.16.840.1.101.3.4.2.8": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.2.9": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.2.10": hashes.SHA3_512(),
    "2.16.840.1.101.3.4.2.12": hashes.SHAKE256(64),
}


class Transaction(Entry):
    """An open transaction: the request that started it, what the authority said, and libcrypto's side of
    it."""

    def __init__(self, message: wire.RawMessage) -> None:
        super().__init__(message.transaction_id, message.owner)
        self.message = message
        self.request: CertificateRequest | None = None
        self.polls = 0
        """How often the client had come back when ``request`` was lost."""
        self.version = 0
        """Which state in a database this is."""
        self.outcome: Outcome | None = None
        self.engine: Engine | None = None
        """None when it has to be made again from ``message``."""
        self.request_handle: Any = None
        self._handle: Any = None
        self.sent_nonce: bytes = b""
        """The senderNonce of the last answer."""
        self.reply: Reply | None = None
        """The last answer."""
        self.on_expire: Callable[[Transaction], None] | None = None

    @property
    def certificate(self) -> x509.Certificate | None:
        """What was issued in this transaction."""
        return self.outcome.certificate if isinstance(self.outcome, Issued) else None

    def certificate_handle(self) -> Any:
        """The same as a C object."""
        if self._handle is None and self.certificate is not None:
            self._handle = _convert.cert_to_c(self.certificate)
        return self._handle

    def answered(self, message: wire.RawMessage) -> bytes | None:
        """What was said to this very message, if it came last."""
        return self.reply.answer if self.reply is not None and self.reply.fits(message.encoding) else None

    def drop_engine(self) -> None:
        """Forget libcrypto's side."""
        engine, self.engine = self.engine, None
        self.request_handle = None
        if engine is not None:
            engine.close()

    def expire(self) -> None:
        if self.on_expire is not None:
            self.on_expire(self)

    def close(self) -> None:
        self.drop_engine()


class Exchange:
    """The Handler of libcrypto's callbacks for one message.

    After processing: ``called`` tells whether libcrypto found the message worth asking about (its protection
    is valid then), ``refusal`` what the client is to be told instead of libcrypto's answer, ``failure`` what
    a callback raised.
    """

    def __init__(
        self,
        authority: Authority,
        engine: Engine,
        message: wire.RawMessage,
        transaction: Transaction,
        *,
        strict: bool,
    ) -> None:
        self._authority = authority
        self._engine = engine
        self._message = message
        self._transaction = transaction
        self._strict = strict
        self.called = False
        self._told = False
        self.refusal: Rejected | None = None
        self.failure: BaseException | None = None

    # -- called back -----------------------------------------------------------------------------------------

    def stash(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self.refusal = _FAILED
        if isinstance(error, Exception):
            logger.error("a %s could not be answered", self._name, exc_info=error)

    def cert_request(self) -> CertAnswer:
        self.called = True
        transaction = self._transaction
        if transaction.outcome is None:
            transaction.outcome = self._first_answer()
        elif transaction.request is None:  # taken up again after a restart
            request = bodies.certificate_request(self._message, self._about())
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
        )

    def revocation(self) -> StatusAnswer:
        self.called = True
        answer: Revoked | Rejected | None
        try:
            request = bodies.revocation_request(self._message, self._about())
        except bodies.MALFORMED as error:
            answer = self._unreadable(error)
        else:
            answer = checks.revocation(request) if self._strict else None
            answer = answer or self._ask(self._authority.revoke, request, (Revoked, Rejected))
        if isinstance(answer, Rejected):
            return StatusAnswer(PKIStatus.rejection, int(answer.failure_info), answer.text)
        return StatusAnswer(answer.status, 0, answer.text)

    def general(self) -> Sequence[InfoTypeAndValue]:
        self.called = True
        try:
            request = bodies.general_request(self._message, self._about())
        except bodies.MALFORMED as error:
            self.refusal = self._unreadable(error)
            return ()
        answer = self._ask(self._authority.general, request, (Sequence, Rejected))
        if isinstance(answer, Rejected):
            self.refusal = answer
            return ()
        found: Sequence[InfoTypeAndValue] = answer
        return found

    def error(self) -> None:
        self.called = True
        transaction = self._transaction
        try:
            notice = bodies.error_notice(
                self._message, self._about(), transaction.request, transaction.certificate
            )
        except bodies.MALFORMED as error:
            self.refusal = self._unreadable(error)
            return
        if self._ask(self._authority.error, notice, (type(None),)) is _FAILED:
            self.refusal = _FAILED

    def cert_conf(self) -> bool:
        self.called = True
        status = bodies.cert_statuses(self._message)[0]
        certificate = self._transaction.certificate
        assert certificate is not None
        problem = _check_hash(certificate, self._transaction.certificate_handle(), status)
        if problem is not None:
            self.refusal = problem if self._strict else None
            self._confirm(False, problem.failure_info, problem.text)
            return False
        info = status.info
        if info is None or info.status == PKIStatus.accepted:
            answer = self._confirm(True)
        else:
            answer = self._confirm(False, info.failure_info, info.text)
        self.refusal = answer
        return answer is None

    def poll(self) -> Any:
        self.called = True
        transaction = self._transaction
        assert transaction.request is not None
        transaction.request = replace(transaction.request, polls=transaction.request.polls + 1)
        transaction.outcome = self._issue(transaction.request)
        if isinstance(transaction.outcome, Waiting):
            return transaction.outcome.check_after
        if transaction.request_handle is None:
            transaction.request_handle = self._engine.decode(transaction.message.encoding)
        return transaction.request_handle

    def raise_interrupt(self) -> None:
        """What is no Exception, like KeyboardInterrupt, is for the caller, not for the client."""
        if self.failure is not None and not isinstance(self.failure, Exception):
            raise self.failure

    # -- told by the server ----------------------------------------------------------------------------------

    def confirmed_implicitly(self) -> None:
        """The answer that just went out granted implicit confirmation."""
        self._confirm(True, implicit=True)

    def rejected_by_empty_confirmation(self) -> None:
        """A certConf without any status came: the client rejects the certificate."""
        self._confirm(False)

    def undelivered(self) -> None:
        """The answer to the client is an error, so that it has not got the certificate."""
        if not self._told:
            logger.error("a certificate was issued but could not be handed over")
            self._confirm(False, FailureInfo.systemFailure, "the answer could not be made")

    # -- asking ----------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return BodyType(self._message.body_type).name

    def _about(self) -> dict[str, Any]:
        """The fields of authority.Message."""
        header = self._message.header
        vouched = header.protection_alg is not None and self._engine.vouched()
        name = header.sender_name
        return {
            "type": BodyType(self._message.body_type),
            "transaction_id": self._message.transaction_id,
            "sender": None if name is None or name == b"\x30\x00" else _pieces.read_name(name),
            "reference": header.sender_kid if vouched and header.uses_mac else None,
            "signer": (
                self._engine.signer(header.sender_kid, self._message.extra_certs)
                if vouched and not header.uses_mac
                else None
            ),
            "message": self._message.encoding,
            "label": paths.current.get().label,
        }

    def _ask(self, method: Any, argument: object, expected: tuple[type, ...]) -> Any:
        """Call the authority; what it raises, or a senseless answer, becomes systemFailure."""
        try:
            answer = method(argument)
            if not isinstance(answer, expected):
                names = ", ".join(kind.__name__ for kind in expected)
                raise TypeError(f"{method.__qualname__} returned {type(answer).__name__}, expected: {names}")
        except Exception:
            logger.exception("the authority failed to answer a %s", self._name)
            return _FAILED
        return answer

    def _first_answer(self) -> Outcome:
        transaction = self._transaction
        try:
            transaction.request = bodies.certificate_request(self._message, self._about())
        except bodies.MALFORMED as error:
            return self._unreadable(error)
        problem = checks.request(transaction.request) if self._strict else None
        return problem or self._issue(transaction.request)

    def _issue(self, request: CertificateRequest) -> Outcome:
        answer: Outcome = self._ask(self._authority.issue, request, (Issued, Waiting, Rejected))
        problem = None
        if isinstance(answer, Issued) and answer.status not in (
            PKIStatus.accepted,
            PKIStatus.grantedWithMods,
        ):
            problem = f"a certificate was issued with status {answer.status.name}"
        elif isinstance(answer, Waiting) and not 0 <= answer.check_after <= MAX_CHECK_AFTER:
            problem = f"check_after is {answer.check_after}"
        if problem is not None:
            logger.error("the authority's answer makes no sense: %s", problem)
            return _FAILED
        return answer

    def _confirm(
        self, accepted: bool, failure: FailureInfo = NO_FAILURE, text: str = "", *, implicit: bool = False
    ) -> Rejected | None:
        """Tell the authority; its failure, if any."""
        self._told = True
        certificate = self._transaction.certificate
        assert certificate is not None
        confirmation = Confirmation(
            **self._about() | {"type": BodyType(self._transaction.message.body_type)},
            certificate=certificate,
            accepted=accepted,
            implicit=implicit,
            failure_info=failure,
            text=text,
        )
        failed: Rejected | None = self._ask(self._authority.confirm, confirmation, (type(None),))
        return failed

    def _unreadable(self, error: Exception) -> Rejected:
        logger.info("a %s is malformed: %s", self._name, error)
        return Rejected(FailureInfo.badDataFormat, f"malformed {self._name}")


def _check_hash(certificate: x509.Certificate, handle: Any, status: bodies.CertStatus) -> Rejected | None:
    """Whether a certConf means this certificate."""
    if status.hash_oid is None:
        good = _default_hashes(certificate, handle)
    else:
        algorithm = _HASH_OIDS.get(status.hash_oid)
        if algorithm is None:
            return Rejected(FailureInfo.badAlg, "unknown hashAlg")
        good = [_hash(certificate, algorithm)]
    if status.cert_hash not in good:
        return Rejected(FailureInfo.badCertId, "certHash does not match the certificate")
    return None


def _hash(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(certificate.public_bytes(Encoding.DER))
    return digest.finalize()


def _default_hashes(certificate: x509.Certificate, handle: Any) -> list[bytes]:
    """The hashes that a certConf may have when it does not name the algorithm."""
    if certificate.signature_algorithm_oid == _ED448:
        # RFC 9481 says 64 octets; OpenSSL before 3.4 takes 32, the length that its SHAKE256 had by default.
        return [_hash(certificate, hashes.SHAKE256(64)), _hash(certificate, hashes.SHAKE256(32))]
    found = default_hash(handle)
    return [] if found is None else [found]
