"""The bodies of the messages that a client sends, read into what the authority gets. DER in.

Every function raises one of MALFORMED for a body that is not what its tag says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import sha256
from typing import Any, TypeVar

from cryptography import x509

from .._asn1 import der, oids, x509_parts
from .._asn1.der import explicit
from .._openssl.convert import csr_look_alike
from .._openssl.public_keys import public_key
from ..enums import BodyType, FailureInfo, POPOMethod, RevocationReason
from ..message.bodies import CertConfirm, CertReqMessages, CertStatus, RevReq
from ..message.bodyparts import CertId, CertRequest, CertTemplate, PKIStatusInfo
from . import wire
from .authority import (
    CertificateId,
    CertificateRequest,
    RevocationRequest,
)
from .ca.grants import name_key


class UnacceptedExtensionError(ValueError):
    """What the client says is critical is not known here."""


_Read = TypeVar("_Read", bound=Callable[..., Any])
ALL_FAILURES = (1 << 27) - 1
MALFORMED = (
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    TypeError,  # cryptography's for a BIT STRING in a name
)
"""What reading a body may raise."""


def _or(otherwise: Any) -> Callable[[_Read], _Read]:
    """A decorator for what reads a body: where it cannot, ``otherwise`` is returned."""

    def decorate(read: Any) -> Any:
        @wraps(read)
        def reading(data: Any) -> Any:
            try:
                return read(data)
            except (*MALFORMED, IndexError):
                return otherwise

        return reading

    return decorate


def first(data: bytes) -> der.Element:
    """The first element of a SEQUENCE."""
    return der.read_at(der.read(data, der.SEQUENCE).content, 0)[0]


def _template_in(body: bytes) -> bytes:
    """The CertTemplate of the first CertRequest in an ir, cr or kur, which can be read."""
    at = 0
    for _ in range(3):  # CertReqMessages, CertReqMsg, CertRequest
        at = der.content_at(body, at)
    return der.read_at(body, der.read_at(body, at)[1])[0].encoding


class BadTemplateError(ValueError):
    """What is asked to be in the certificate makes no sense."""


def _asked(extensions: bytes | None) -> x509.Extensions:
    """The extensions that are asked for, from their DER."""
    if extensions is None or not der.sequence(extensions):
        return x509.Extensions([])
    try:
        return x509_parts.read_extensions(extensions)
    except MALFORMED as error:
        each = der.sequence(extensions)
        if len(each) == 1:
            raise BadTemplateError(f"extension {der.dotted(first(each[0].encoding))}: {error}") from None
        for one in each:
            _asked(der.encode(der.SEQUENCE, one.encoding))
        raise BadTemplateError(f"extensions: {error}") from None


def _subject(data: bytes | None) -> x509.Name | None:
    """The subject that is asked for."""
    try:
        return None if data is None else name(x509_parts.only_strings(data))
    except MALFORMED as error:
        raise BadTemplateError(f"subject: {error}") from None


def name(data: bytes | None) -> x509.Name | None:
    """A Name from its DER; None for an empty one, which says as little as none."""
    return None if data is None or data == b"\x30\x00" else x509_parts.read_name(data)


def reference(header: wire.Header) -> bytes | None:
    """Which shared secret a message says that it is protected with: the senderKID, or else the sender's common name, as
    clients of RFC 4210 have it."""
    if header.sender_kid:
        return header.sender_kid
    try:
        sender = name(header.sender_name)
    except MALFORMED:
        return None
    found = [] if sender is None else sender.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    value = found[0].value if len(found) == 1 else ""
    return (value.encode() if isinstance(value, str) else value) or None


@lru_cache(maxsize=32)
def owner(message: wire.RawMessage) -> bytes:
    """Tells clients apart: what all messages of one have in common. The protection proves it."""
    header = message.header
    # Of a signature, the subject of the signer, however it is written, in whichever of its certificates.
    who = reference(header) if header.uses_mac else _name_key(header.sender_name)
    return sha256(b"%d" % header.uses_mac + (who or header.sender)).digest()


@lru_cache(maxsize=128)
@_or(None)
def _name_key(data: bytes | None) -> bytes | None:
    found = name(data)
    return None if found is None else name_key(found).encode()


def about(message: wire.RawMessage, **known: Any) -> dict[str, Any]:
    """The fields of authority.Message, as far as a message tells them by itself, and what is ``known`` of its sender."""
    return {
        "type": message.body_type,
        "transaction_id": message.transaction_id,
        "message": message.encoding,
        "sender": None,
        "reference": None,
        "signer": None,
        **known,
    }


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
        csr = csr_look_alike(message.body)
        info = der.sequence(der.sequence(message.body)[0].encoding)
        return CertificateRequest(
            **about,
            request_id=-1,
            subject=_subject(info[1].encoding),
            public_key=public_key(info[2].encoding),
            public_key_info=info[2].encoding,
            extensions=_asked(x509_parts.requested_extensions(message.body)),
            csr=csr,
        )
    requests = _requests_in(message.body)
    if len(requests) != 1:
        raise der.DERError("exactly one certificate request per message is supported")
    request = requests[0]
    template = request.template
    central = _wants_key(template.public_key_der)
    key = None if central else template.public_key_der
    updated = None if request.old_cert_id is None else _certificate_id(request.old_cert_id)
    signer: x509.Certificate | None = about["signer"]
    if updated is None and signer is not None and message.body_type == BodyType.KUR:
        updated = CertificateId(signer.issuer, signer.serial_number)
    return CertificateRequest(
        **about,
        request_id=request.request_id,
        subject=_subject(template.subject_der),
        public_key=None if key is None else public_key(key),
        public_key_info=template.public_key_der or b"",
        central_key=central,
        extensions=_asked(template.extensions_der),
        not_before=template.not_before,
        not_after=template.not_after,
        template=_template_in(message.body),
        old_certificate=updated,
        ra_verified=request.popo.method is POPOMethod.RAVERIFIED,
        controls=request.controls,
        reg_info=request.reg_info,
    )


def _certificate_id(found: CertId) -> CertificateId:
    if not isinstance(found.issuer, x509.DirectoryName):
        raise der.DERError("the issuer in a CertId is not a directoryName")
    return CertificateId(found.issuer.value, found.serial_number)


@lru_cache(maxsize=32)
def _requests_in(body: bytes) -> tuple[CertRequest, ...]:
    return CertReqMessages.of(body).requests


@_or(None)
def _request_of(message: wire.RawMessage) -> CertRequest | None:
    """The first request in an ir, cr or kur; None where there is none that can be read."""
    has_one = message.body_type in (BodyType.IR, BodyType.CR, BodyType.KUR)
    return _requests_in(message.body)[0] if has_one else None


@_or(None)
def template_of(message: wire.RawMessage) -> CertTemplate | None:
    """The CertTemplate of an ir, cr, kur or rr; None where there is none that can be read."""
    if message.body_type == BodyType.RR:
        return RevReq.of(message.body).details[0].template
    request = _request_of(message)
    return None if request is None else request.template


@_or(None)
def template_subject(message: wire.RawMessage) -> x509.Name | None:
    """The subject in the template of an ir, cr or kur; None where there is none that can be read."""
    template = template_of(message)
    return None if template is None else name(template.subject_der)


@_or([])
def entry_extensions(message: wire.RawMessage) -> list[tuple[str, bytes]]:
    """The extensions that an rr asks for in the entry of the CRL, by OID, as far as they can be read."""
    details = der.sequence(first(message.body).encoding)
    extensions = [der.sequence(one.encoding) for one in der.sequence(details[1].encoding)]
    return [(der.dotted(parts[0]), der.octets(parts[-1].encoding)) for parts in extensions]


@_or([])
def crl_reasons(message: wire.RawMessage) -> list[int]:
    """The reasons that an rr gives, as far as they can be read."""
    given = [value for oid, value in entry_extensions(message) if oid == oids.CRL_REASON]
    return [der.integer(der.read(value, der.ENUMERATED)) for value in given]


def has_encrypted_key_proof(message: wire.RawMessage) -> bool:
    """Whether possession of a key is to be proved by an encrypted copy of it (POPOPrivKey, RFC 4211, section 4)."""
    request = _request_of(message)
    if request is None or request.popo.method not in (POPOMethod.KEYENC, POPOMethod.KEYAGREE):
        return False
    return (request.popo.value or b"")[:1] == bytes([explicit(4)])


def is_ra_verified(message: wire.RawMessage) -> bool:
    """Whether proof of possession is vouched for, not given."""
    request = _request_of(message)
    return request is not None and request.popo.method is POPOMethod.RAVERIFIED


def _wants_key(public_key_info: bytes | None) -> bool:
    """Whether the key of a template is missing, or only its algorithm is there (RFC 9483, section 4.1.6)."""
    return public_key_info is None or not x509_parts.key_parts(public_key_info)[1]


@_or(False)
def wants_key(message: wire.RawMessage) -> bool:
    """Whether an ir, cr or kur asks the authority to make the key."""
    request = _request_of(message)
    return request is not None and _wants_key(request.template.public_key_der)


@_or(0)
def request_id(message: wire.RawMessage) -> int:
    """The certReqId of the first entry of an ir, cr, kur (or -1 for a p10cr), even when the rest is
    unreadable."""
    if message.body_type == BodyType.P10CR:
        return -1
    request = _request_of(message)
    return (
        der.integer(first(first(first(message.body).encoding).encoding))
        if request is None
        else request.request_id
    )


def revocation_request(message: wire.RawMessage, about: dict[str, Any]) -> RevocationRequest:
    """Read an rr."""
    requests = RevReq.of(message.body).details
    if len(requests) != 1:
        raise der.DERError("exactly one revocation per message is supported")
    template, extensions = requests[0].template, requests[0].crl_entry_extensions_der
    entry = [] if extensions is None else list(x509_parts.each_extension(extensions))
    reason = None
    for extension in entry:
        if extension.oid.dotted_string == oids.CRL_REASON:
            reason = RevocationReason(der.integer(der.read(extension.value.public_bytes(), der.ENUMERATED)))
        elif extension.critical:
            raise UnacceptedExtensionError(f"extension {extension.oid.dotted_string}")
    return RevocationRequest(
        **about,
        issuer=name(template.issuer_der),
        serial=template.serial_number,
        subject=name(template.subject_der),
        public_key_info=template.public_key_der,
        extensions=_asked(template.extensions_der),
        entry_extensions=x509.Extensions(entry),
        reason=reason,
    )


@lru_cache(maxsize=32)
@_or(None)
def cert_statuses(body: bytes) -> tuple[CertStatus, ...] | None:
    """What a certConf says; None if it cannot be read."""
    return CertConfirm.of(body).statuses


def status_fields(info: PKIStatusInfo) -> dict[str, Any]:
    """What the authority gets of a PKIStatusInfo: failInfo as far as it has names, and the texts as one."""
    return {
        "failure_info": FailureInfo(info.failure_info & ALL_FAILURES),
        "text": "; ".join(info.text),
    }


def nested_messages(message: wire.RawMessage) -> list[bytes]:
    """Read a nested message: the messages in it, as DER."""
    return [element.encoding for element in der.sequence(message.body)]


@_or(None)
def poll_ids(message: wire.RawMessage) -> list[int] | None:
    """Read a pollReq: the certReqIds; None if it cannot be read."""
    return [der.integer(first(element.encoding)) for element in der.sequence(message.body)]
