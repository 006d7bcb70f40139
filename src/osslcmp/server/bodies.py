"""The bodies of the messages that a client sends, read into what the authority gets. Pure Python, DER in.

Every function raises one of MALFORMED for a body that is not what its tag says.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from .._asn1 import der
from .._asn1 import x509_parts as _pieces
from .._asn1.der import explicit, implicit
from .._asn1.itav import InfoTypeAndValue
from ..enums import BodyType, FailureInfo, PKIStatus, RevocationReason
from . import wire
from .authority import (
    CertificateId,
    CertificateRequest,
    ErrorNotice,
    GeneralRequest,
    RevocationRequest,
)

OLD_CERT_ID_OID = "1.3.6.1.5.5.7.5.1.5"
CRL_REASON_OID = "2.5.29.21"


@dataclass(frozen=True)
class _Template:
    """The fields of a CRMF CertTemplate that are used, as DER."""

    serial: int | None
    issuer: bytes | None
    not_before: datetime.datetime | None
    not_after: datetime.datetime | None
    subject: bytes | None
    public_key: bytes | None
    extensions: bytes | None


def _read_template(content: bytes) -> _Template:
    fields = der.Fields(der.children(content))
    fields.maybe(implicit(0))
    serial = fields.maybe(implicit(1))
    fields.maybe(explicit(2))
    issuer = fields.maybe(explicit(3))
    validity = fields.maybe(explicit(4))
    subject = fields.maybe(explicit(5))
    key = fields.maybe(explicit(6))
    fields.maybe(implicit(7))
    fields.maybe(implicit(8))
    extensions = fields.maybe(explicit(9))
    fields.end()
    times: list[datetime.datetime | None] = [None, None]
    if validity is not None:
        ends = der.Fields(der.children(validity.content))
        times = [
            None if end is None else der.moment(der.read(end.content))
            for end in map(ends.maybe, (0xA0, 0xA1))
        ]
        ends.end()
    return _Template(
        serial=None if serial is None else der.integer(serial._replace(tag=der.INTEGER)),
        issuer=None if issuer is None else der.read(issuer.content, der.SEQUENCE).encoding,
        not_before=times[0],
        not_after=times[1],
        subject=None if subject is None else der.read(subject.content, der.SEQUENCE).encoding,
        public_key=None if key is None else der.encode(der.SEQUENCE, key.content),
        extensions=None if extensions is None else der.encode(der.SEQUENCE, extensions.content),
    )


class UnacceptedExtensionError(ValueError):
    """What the client says is critical is not known here."""


ALL_FAILURES = (1 << 27) - 1
MALFORMED = (
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    TypeError,  # cryptography's for a BIT STRING in a name
)
"""What reading a body may raise."""


def _first(data: bytes) -> der.Element:
    """The first element of a SEQUENCE."""
    return der.Fields(der.sequence(data)).take()


def _public_key(csr: x509.CertificateSigningRequest) -> Any:
    """The key, None when ``cryptography`` does not know its kind."""
    try:
        return csr.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None


def name(data: bytes | None) -> x509.Name | None:
    """A Name from its DER; None for an empty one, which says as little as none."""
    return None if data is None or data == b"\x30\x00" else _pieces.read_name(data)


def certificate_request(message: wire.RawMessage, about: dict[str, Any]) -> CertificateRequest:
    """Read an ir, cr, p10cr or kur.

    Args:
        message: the message.
        about: the fields of authority.Message.
    """
    header = message.header
    about = about | {
        "implicit_confirm": header.implicit_confirm,
        "profile": header.profile or about.get("label"),
        "extra_certs": message.extra_certs,
    }
    if message.body_type == BodyType.P10CR:
        csr = x509.load_der_x509_csr(message.body)
        info = der.sequence(der.sequence(message.body)[0].encoding)
        return CertificateRequest(
            **about,
            request_id=-1,
            subject=csr.subject if csr.subject.rdns else None,
            public_key=_public_key(csr),
            public_key_info=info[2].encoding,
            extensions=csr.extensions,
            not_before=None,
            not_after=None,
            template=None,
            csr=csr,
            old_certificate=None,
            ra_verified=False,
        )
    requests = der.sequence(message.body)
    if len(requests) != 1:
        raise der.DERError("exactly one certificate request per message is supported")
    parts = der.Fields(der.sequence(requests[0].encoding))
    request = der.Fields(der.sequence(parts.take(der.SEQUENCE).encoding))
    popo = parts.take() if not parts.done else None
    request_id = der.integer(request.take())
    template_element = request.take(der.SEQUENCE)
    controls = request.maybe(der.SEQUENCE)
    request.end()
    template = _read_template(template_element.content)
    central = _wants_key(template.public_key)
    view = _pieces.as_csr(template.subject, None if central else template.public_key, template.extensions)
    old = None if controls is None else dict(wire.read_itavs(controls.encoding)).get(OLD_CERT_ID_OID)
    return CertificateRequest(
        **about,
        request_id=request_id,
        subject=name(template.subject),
        public_key=None if central else _public_key(view),
        public_key_info=template.public_key or b"",
        central_key=central,
        extensions=view.extensions,
        not_before=template.not_before,
        not_after=template.not_after,
        template=template_element.encoding,
        csr=None,
        old_certificate=None if old is None else _certificate_id(old),
        ra_verified=popo is not None and popo.tag == implicit(0),
    )


def _certificate_id(data: bytes) -> CertificateId:
    fields = der.Fields(der.sequence(data))
    issuer = wire.directory_name(fields.take().encoding)
    serial = der.integer(fields.take())
    if issuer is None:
        raise der.DERError("the issuer in a CertId is not a directoryName")
    return CertificateId(_pieces.read_name(issuer), serial)


def _wants_key(public_key_info: bytes | None) -> bool:
    """Whether the key of a template is missing, or only its algorithm is there (RFC 9483, section 4.1.6)."""
    return public_key_info is None or len(der.sequence(public_key_info)[1].content) <= 1


def wants_key(message: wire.RawMessage) -> bool:
    """Whether an ir, cr or kur asks the authority to make the key."""
    if message.body_type not in (BodyType.IR, BodyType.CR, BodyType.KUR):
        return False
    try:
        request = der.Fields(der.sequence(_first(_first(message.body).encoding).encoding))
        request.take(der.INTEGER)
        return _wants_key(_read_template(request.take(der.SEQUENCE).content).public_key)
    except (ValueError, IndexError):
        return False


def request_id(message: wire.RawMessage) -> int:
    """The certReqId of the first entry of an ir, cr, kur (or -1 for a p10cr), even when the rest is
    unreadable."""
    if message.body_type == BodyType.P10CR:
        return -1
    try:
        return der.integer(_first(_first(_first(message.body).encoding).encoding))
    except der.DERError:
        return 0


def revocation_request(message: wire.RawMessage, about: dict[str, Any]) -> RevocationRequest:
    """Read an rr."""
    requests = der.sequence(message.body)
    if len(requests) != 1:
        raise der.DERError("exactly one revocation per message is supported")
    details = der.Fields(der.sequence(requests[0].encoding))
    template = _read_template(details.take(der.SEQUENCE).content)
    extensions = details.maybe(der.SEQUENCE)
    details.end()
    reason = None
    if extensions is not None:
        for extension in der.sequence(extensions.encoding):
            parts = der.sequence(extension.encoding)
            if len(parts) >= 2 and der.dotted(parts[0]) == CRL_REASON_OID:
                reason = RevocationReason(
                    der.integer(der.read(der.octets(parts[-1].encoding), der.ENUMERATED))
                )
            elif len(parts) != 2:  # it is critical
                raise UnacceptedExtensionError(f"extension {der.dotted(parts[0])}")
    return RevocationRequest(
        **about,
        issuer=name(template.issuer),
        serial=template.serial,
        subject=name(template.subject),
        public_key_info=template.public_key,
        reason=reason,
    )


def general_request(message: wire.RawMessage, about: dict[str, Any]) -> GeneralRequest:
    """Read a genm."""
    infos = (
        InfoTypeAndValue(x509.ObjectIdentifier(oid), value) for oid, value in wire.read_itavs(message.body)
    )
    return GeneralRequest(**about, infos=tuple(infos))


@dataclass(frozen=True)
class StatusInfo:
    """A PKIStatusInfo."""

    status: PKIStatus
    failure_info: FailureInfo
    text: str


def status_info(data: bytes) -> StatusInfo:
    """Read a PKIStatusInfo."""
    fields = der.Fields(der.sequence(data))
    status = PKIStatus(der.integer(fields.take(der.INTEGER)))
    texts = fields.maybe(der.SEQUENCE)
    failure = fields.maybe(der.BIT_STRING)
    fields.end()
    text = "" if texts is None else "; ".join(map(der.text, der.children(texts.content)))
    return StatusInfo(status, FailureInfo(0 if failure is None else der.bits(failure) & ALL_FAILURES), text)


def error_notice(
    message: wire.RawMessage,
    about: dict[str, Any],
    request: CertificateRequest | None,
    certificate: x509.Certificate | None,
) -> ErrorNotice:
    """Read an error message."""
    fields = der.Fields(der.sequence(message.body))
    info = status_info(fields.take(der.SEQUENCE).encoding)
    return ErrorNotice(
        **about,
        status=info.status,
        failure_info=info.failure_info,
        text=info.text,
        request=request,
        certificate=certificate,
    )


@dataclass(frozen=True)
class CertStatus:
    """What a certConf says of one certificate."""

    cert_hash: bytes
    request_id: int
    info: StatusInfo | None
    hash_oid: str | None
    """The hashAlg, which exists since pvno 3."""


def cert_statuses(message: wire.RawMessage) -> list[CertStatus]:
    """Read a certConf."""
    statuses = []
    for element in der.sequence(message.body):
        fields = der.Fields(der.sequence(element.encoding))
        cert_hash = fields.take(der.OCTET_STRING).content
        number = der.integer(fields.take(der.INTEGER))
        info = fields.maybe(der.SEQUENCE)
        algorithm = fields.maybe(explicit(0))
        fields.end()
        statuses.append(
            CertStatus(
                cert_hash,
                number,
                None if info is None else status_info(info.encoding),
                None if algorithm is None else der.dotted(_first(algorithm.content)),
            )
        )
    return statuses


def poll_ids(message: wire.RawMessage) -> list[int]:
    """Read a pollReq: the certReqIds."""
    return [der.integer(_first(element.encoding)) for element in der.sequence(message.body)]
