"""What the mock server answers: the same to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..._asn1 import der
from ..._asn1.itav import InfoTypeAndValue
from ..._openssl import convert as _convert
from ..._openssl.lib import NULL, features, lib, usable_version
from ..._openssl.ownership import share, take
from ...enums import BodyType, PKIStatus
from ...message import Message
from ...message.bodies import CertConfirm, CertReqMessages, ErrorMessage, GeneralMessage, RevReq
from ...server.callbacks import CertAnswer, StatusAnswer
from .console import Console
from .context import CommandContext
from .load import Loader
from .mock_general import Material, Refusal, answer
from .settings import Settings

__all__ = ["Answers", "Fixed"]

#: Before 3.2 the certificate that is returned is also the only one that can be updated and revoked.
_ONE_FOR_ALL = usable_version < (3, 2, 0)
_NO_KEY = b"\0"
"""A BIT STRING without bits: the server is to make the key."""
_PROFILE_OID = "1.3.6.1.5.5.7.4.21"
_PROFILE = "profile1"
"""The only one that mock servers know."""
_OWN_DELAY = frozenset({BodyType.IR, BodyType.CR, BodyType.P10CR, BodyType.KUR, BodyType.ERROR})


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
        reference = certificate if _ONE_FOR_ALL else None
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
        """Tell what went wrong; a Refusal is told by the answer."""
        if not isinstance(error, Refusal):
            self._fixed.console.error(f"mock server: {error}")

    def delayed(self) -> bool:
        """From 3.3 on a client can be made to poll for any answer; requests for certificates say so themselves."""
        kind = lib.OSSL_CMP_MSG_get_bodytype(self._message)
        if kind in _OWN_DELAY or self._fixed.poll_count <= 0 or self._polls:
            return False
        self._keep()
        return True

    def _keep(self) -> None:
        self._request = take(lib.OSSL_CMP_MSG_dup(self._message), lib.OSSL_CMP_MSG_free, "keeping a request")

    def cert_request(self) -> CertAnswer:
        """What ``-rsp_cert`` and its like say, after as many polls as ``-poll_count`` does. Raises Refusal."""
        fixed = self._fixed
        self._fail_if_told()
        if fixed.poll_count > 0 and self._polls == 0:
            if self._request is not None:
                raise Refusal("UNEXPECTED_PKIBODY")
            self._keep()
            return CertAnswer(StatusAnswer(PKIStatus.waiting))
        if self._polls >= fixed.poll_count:
            self._polls = 0
        message = Message.from_der(self._der)
        if message.type is BodyType.CR and features["cert_profile"]:
            _check_profile(message)
        # While polling it is the pollReq that is being processed; the request was checked with it.
        body = message.body
        if isinstance(body, CertReqMessages):
            request = body.requests[0]
            if message.type is BodyType.KUR and fixed.reference is not None:
                self._check_old_cert(request)
            if features["central_key_generation"] and _wants_key(request.template.public_key_der):
                if fixed.key is None:
                    raise Refusal("ERROR_PROCESSING_MESSAGE")
                key = share(fixed.key, lib.EVP_PKEY_up_ref, lib.EVP_PKEY_free, "handing over the key")
                self._ctx.live_new_key(key)
        return CertAnswer(fixed.status, fixed.certificate, fixed.chain, fixed.ca_pubs)

    def _check_old_cert(self, request: Any) -> None:
        named = (control.old_certificate for control in request.controls)
        old = next((cert_id for cert_id in named if cert_id is not None), None)
        if old is None:
            raise Refusal("MISSING_CERTID")
        # A GeneralName: the directoryName is explicitly tagged.
        if not self._is_reference(_convert._unwrap(old.issuer_der), old.serial_number):
            raise Refusal("WRONG_CERTID")

    def _is_reference(self, issuer_der: bytes, serial: int) -> bool:
        cert = self._fixed.reference
        issuer = _convert._from_der(lib.d2i_X509_NAME, lib.X509_NAME_free, issuer_der, "decoding a name")
        number = _convert.integer_to_c(serial)
        return bool(
            lib.X509_NAME_cmp(issuer, lib.X509_get_issuer_name(cert)) == 0
            and lib.ASN1_INTEGER_cmp(number, lib.X509_get0_serialNumber(cert)) == 0
        )

    def revocation(self) -> StatusAnswer:
        """The status of the options; if there is a reference certificate, for that alone. Raises Refusal."""
        fixed = self._fixed
        if _ONE_FOR_ALL and fixed.certificate is None:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, RevReq)
        template = body.details[0].template
        if template.issuer_der is None or template.serial_number is None:
            return fixed.status  # it was made from a CSR
        if fixed.reference is not None and not self._is_reference(
            template.issuer_der, template.serial_number
        ):
            raise Refusal("REQUEST_NOT_ACCEPTED", "wrong certificate to revoke")
        return fixed.status

    def general(self) -> Sequence[InfoTypeAndValue]:
        """The answer to the one item that may be asked for. Raises Refusal."""
        fixed = self._fixed
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, GeneralMessage)
        if len(body.items) > 1:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        material = Material(fixed.ca_pubs, fixed.roots, fixed.crl, fixed.reference)
        return [answer(item, material) for item in body.items]

    def error(self) -> None:
        """Tell on stderr what the client complains of."""
        say = self._fixed.console.plain
        body = Message.from_der(self._der).body
        assert isinstance(body, ErrorMessage)
        say("mock server received error:")
        say(f"pkiStatusInfo: {body.status}")
        say("errorCode absent" if body.error_code is None else f"errorCode: {body.error_code}")
        details = ", ".join(f'"{text}"' for text in body.error_details)
        say(f"errorDetails: {details}" if details else "errorDetails absent")

    def cert_conf(self) -> bool:
        """Whether the client confirms the certificate that it was given. Raises Refusal."""
        fixed = self._fixed
        if fixed.certificate is None:
            raise Refusal("ERROR_PROCESSING_MESSAGE")
        self._fail_if_told()
        body = Message.from_der(self._der).body
        assert isinstance(body, CertConfirm)
        digest = take(
            lib.X509_digest_sig(fixed.certificate, NULL, NULL), lib.ASN1_OCTET_STRING_free, "hashing"
        )
        if body.statuses and body.statuses[0].cert_hash != _convert.octets_from_c(digest):
            raise Refusal("CERTHASH_UNMATCHED")
        return True

    def poll(self) -> int | Any:
        """The seconds of ``-check_after``, or at the last poll the request (``OSSL_CMP_MSG *``). Raises Refusal."""
        self._fail_if_told()
        if self._request is None:
            raise Refusal("UNEXPECTED_POLLREQ")
        self._polls += 1
        if self._polls < self._fixed.poll_count:
            return self._fixed.check_after
        request, self._request = self._request, None
        self._der = _convert.to_der(lib.i2d_OSSL_CMP_MSG, request, "encoding a request")
        return request

    def _fail_if_told(self) -> None:
        if self._fixed.send_error:
            raise Refusal("ERROR_PROCESSING_MESSAGE")


def _wants_key(public_key: bytes | None) -> bool:
    """Whether a template leaves the key to the server."""
    return public_key is None or der.sequence(public_key)[1].content == _NO_KEY


def _check_profile(message: Message) -> None:
    for item in message.header.general_info:
        if item.oid.dotted_string == _PROFILE_OID:
            names = [] if item.value is None else der.sequence(item.value)
            if not names or der.text(names[0]) != _PROFILE:
                raise Refusal("UNEXPECTED_CERTPROFILE")
            return
