"""What the mock server answers: the same to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import _convert
from .._bodies import CertConfirm, CertReqMessages, ErrorMessage, GeneralMessage, RevReq
from .._callbacks_server import CertAnswer, StatusAnswer
from .._convert import tlv
from .._handles import share, take
from .._lib import NULL, lib, openssl_version
from ..enums import BodyType, PKIStatus
from ..itav import InfoTypeAndValue
from ..message import Message
from ._cmp_context import CommandContext
from ._cmp_load import Loader
from .cmp_console import Console
from .cmp_settings import Settings

__all__ = ["Answers", "Fixed"]

#: In between, mock servers take a kur and rr for any certificate.
_CHECKS_REFERENCE = openssl_version < (3, 2, 0) or openssl_version >= (4, 0, 0)
_ID_IT = "1.3.6.1.5.5.7.4."
_CA_CERTS, _ROOT_UPDATE, _REQ_TEMPLATE, _ROOT, _CRL_STATUS, _CRLS = (17, 18, 19, 20, 22, 23)
_SEQUENCE, _EXPLICIT_0, _EXPLICIT_1 = 0x30, 0xA0, 0xA1


class _Refused(Exception):
    """libcrypto tells the client what has been queued."""


def _refusal(reason: str) -> _Refused:
    lib.ERR_raise(lib.ERR_LIB_CMP, getattr(lib, f"CMP_R_{reason}"))
    return _Refused()


@dataclass(frozen=True)
class Fixed:
    """The answer's parts, as the options gave them."""

    console: Console
    status: StatusAnswer
    certificate: Any = None
    reference: Any = None
    key: Any = None
    chain: tuple[Any, ...] = ()
    ca_pubs: tuple[Any, ...] = ()
    crl: Any = None
    roots: tuple[Any, Any, Any] = (None, None, None)
    poll_count: int = 0
    check_after: int = 1
    send_error: bool = False

    @classmethod
    def load(cls, s: Settings, console: Console, loader: Loader, failure_bits: int) -> Fixed:
        """Load what the options name. Raises Failure."""
        pass_option = "rsp_keypass" if s.given("rsp_keypass") else "keypass"
        certificate = key = crl = None
        if (path := s.text("rsp_cert")) is None:
            console.warn("no -rsp_cert given for mock server")
        else:
            certificate = loader.cert(path, pass_option, "cert to be returned by the mock server")
        reference = certificate
        if (path := s.text("ref_cert")) is not None:
            reference = loader.cert(path, "otherpass", "reference cert to be expected by the mock server")
        if (path := s.text("rsp_key")) is not None:
            key = loader.private_key(path, "rsp_keypass", "private key for enrollment cert")
        if (path := s.text("rsp_crl")) is not None:
            crl = loader.crl(path, "CRL to be returned by the mock server")
        extra, ca_pubs = s.text("rsp_extracerts"), s.text("rsp_capubs")
        roots = [
            None
            if (path := s.text(f"rsp_{name}")) is None
            else loader.cert(path, "otherpass", f"{name} cert")
            for name in ("newwithnew", "newwithold", "oldwithnew")
        ]
        return cls(
            console=console,
            status=StatusAnswer(s.number("pkistatus"), failure_bits, s.text("statusstring") or ""),
            certificate=certificate,
            reference=reference,
            key=key,
            chain=()
            if extra is None
            else tuple(loader.certs(extra, "CMP extra certificates for mock server")),
            ca_pubs=() if ca_pubs is None else tuple(loader.certs(ca_pubs, "caPubs for mock server")),
            crl=crl,
            roots=(roots[0], roots[1], roots[2]),
            poll_count=s.number("poll_count"),
            check_after=s.number("check_after"),
            send_error=s.flag("send_error"),
        )


class Answers:
    """A ``_callbacks_server.Handler`` for the messages of one transaction."""

    def __init__(self, fixed: Fixed, ctx: CommandContext) -> None:
        self._fixed = fixed
        self._ctx = ctx
        self._message: Any = None
        self._der = b""
        self._request: Any = None
        self._polls = 0
        self.errors: list[BaseException] = []

    @property
    def polled(self) -> bool:
        """Whether a request waits for its client to poll."""
        return self._request is not None

    def begin(self, message: Any, der: bytes) -> None:
        """The next message of the client."""
        self._message, self._der = message, der

    def stash(self, error: BaseException) -> None:
        if not isinstance(error, _Refused):
            self._fixed.console.error(f"mock server: {error}")

    def cert_request(self) -> CertAnswer:
        fixed = self._fixed
        self._fail_if_told()
        if fixed.poll_count > 0 and self._polls == 0:
            if self._request is not None:
                raise _refusal("UNEXPECTED_PKIBODY")
            self._request = take(
                lib.OSSL_CMP_MSG_dup(self._message), lib.OSSL_CMP_MSG_free, "keeping a request"
            )
            return CertAnswer(StatusAnswer(PKIStatus.waiting))
        if self._polls >= fixed.poll_count:
            self._polls = 0
        message = Message.from_der(self._der)
        # While polling it is the pollReq that is being processed; the request was checked with it.
        body = message.body
        if isinstance(body, CertReqMessages):
            request = body.requests[0]
            if message.type is BodyType.KUR and fixed.reference is not None and _CHECKS_REFERENCE:
                self._check_old_cert(request)
            if fixed.key is not None and request.template.public_key_der is None:
                key = share(fixed.key, lib.EVP_PKEY_up_ref, lib.EVP_PKEY_free, "handing over the key")
                self._ctx.live_new_key(key)
        return CertAnswer(fixed.status, fixed.certificate, fixed.chain, fixed.ca_pubs)

    def _check_old_cert(self, request: Any) -> None:
        named = (control.old_certificate for control in request.controls)
        old = next((cert_id for cert_id in named if cert_id is not None), None)
        if old is None:
            raise _refusal("MISSING_CERTID")
        # A GeneralName: the directoryName is explicitly tagged.
        if not self._is_reference(_convert._unwrap(old.issuer_der), old.serial_number):
            raise _refusal("WRONG_CERTID")

    def _is_reference(self, issuer_der: bytes, serial: int) -> bool:
        cert = self._fixed.reference
        issuer = _convert._from_der(lib.d2i_X509_NAME, lib.X509_NAME_free, issuer_der, "decoding a name")
        number = _convert.integer_to_c(serial)
        return bool(
            lib.X509_NAME_cmp(issuer, lib.X509_get_issuer_name(cert)) == 0
            and lib.ASN1_INTEGER_cmp(number, lib.X509_get0_serialNumber(cert)) == 0
        )

    def revocation(self) -> StatusAnswer:
        fixed = self._fixed
        if fixed.certificate is None:
            raise _refusal("ERROR_PROCESSING_MESSAGE")
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, RevReq)
        template = body.details[0].template
        if template.issuer_der is None or template.serial_number is None:
            return fixed.status  # it was made from a CSR
        if _CHECKS_REFERENCE and not self._is_reference(template.issuer_der, template.serial_number):
            raise _refusal("REQUEST_NOT_ACCEPTED")
        return fixed.status

    def general(self) -> Sequence[InfoTypeAndValue]:
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, GeneralMessage)
        if len(body.items) > 1:
            raise _refusal("ERROR_PROCESSING_MESSAGE")
        return [self._info(item) for item in body.items]

    def _info(self, item: InfoTypeAndValue) -> InfoTypeAndValue:
        """The answer to an item; what is not known comes back as it is."""
        fixed, oid = self._fixed, item.oid.dotted_string
        kind = int(oid.removeprefix(_ID_IT)) if oid.startswith(_ID_IT) else 0
        if kind == _CA_CERTS and openssl_version >= (3, 2, 0):
            certs = b"".join(map(_cert_der, fixed.ca_pubs))
            return InfoTypeAndValue(item.oid, tlv(_SEQUENCE, certs) if certs else None)
        if kind == _ROOT and openssl_version >= (3, 2, 0):
            new, new_with_old, old_with_new = fixed.roots
            if new is None:
                return _answer(_ROOT_UPDATE, None)
            content = _cert_der(new)
            for tag, cert in ((_EXPLICIT_0, new_with_old), (_EXPLICIT_1, old_with_new)):
                content += b"" if cert is None else tlv(tag, _cert_der(cert))
            return _answer(_ROOT_UPDATE, tlv(_SEQUENCE, content))
        if kind == _CRL_STATUS and openssl_version >= (3, 4, 0):
            if fixed.crl is None:
                return _answer(_CRLS, None)
            return _answer(
                _CRLS, tlv(_SEQUENCE, _convert.to_der(lib.i2d_X509_CRL, fixed.crl, "encoding a CRL"))
            )
        return item

    def error(self) -> None:
        say = self._fixed.console.plain
        body = Message.from_der(self._der).body
        assert isinstance(body, ErrorMessage)
        say("mock server received error:")
        say(f"pkiStatusInfo: {body.status}")
        say("errorCode absent" if body.error_code is None else f"errorCode: {body.error_code}")
        details = ", ".join(f'"{text}"' for text in body.error_details)
        say(f"errorDetails: {details}" if details else "errorDetails absent")

    def cert_conf(self) -> bool:
        fixed = self._fixed
        if fixed.certificate is None:
            raise _refusal("ERROR_PROCESSING_MESSAGE")
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, CertConfirm)
        digest = take(
            lib.X509_digest_sig(fixed.certificate, NULL, NULL), lib.ASN1_OCTET_STRING_free, "hashing"
        )
        if body.statuses and body.statuses[0].cert_hash != _convert.octets_from_c(digest):
            raise _refusal("CERTHASH_UNMATCHED")
        return True

    def poll(self) -> int | Any:
        self._fail_if_told()
        if self._request is None:
            raise _refusal("UNEXPECTED_PKIBODY")
        self._polls += 1
        if self._polls < self._fixed.poll_count:
            return self._fixed.check_after
        request, self._request = self._request, None
        self._der = _convert.to_der(lib.i2d_OSSL_CMP_MSG, request, "encoding a request")
        return request

    def _fail_if_told(self) -> None:
        if self._fixed.send_error:
            raise _refusal("ERROR_PROCESSING_MESSAGE")


def _answer(kind: int, value: bytes | None) -> InfoTypeAndValue:
    from cryptography import x509

    return InfoTypeAndValue(x509.ObjectIdentifier(f"{_ID_IT}{kind}"), value)


def _cert_der(cert: Any) -> bytes:
    return _convert.to_der(lib.i2d_X509, cert, "encoding a certificate")
