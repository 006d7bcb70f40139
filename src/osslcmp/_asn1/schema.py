"""The structures of CMP (RFC 9810) and CRMF (RFC 4211), declared for ``cryptography.hazmat.asn1``.

They read what libcrypto has accepted and encoded, and have their fields by the names that
:func:`osslcmp.message.bodyparts.made` takes them by. Names, certificates, extensions and texts stay undecoded
here: libcrypto is more lenient about their contents, and one odd name must not hide the rest of a message.
A SEQUENCE that ends in an optional value of any type, which cannot be declared, is a list of elements.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import cryptography
from cryptography import x509
from cryptography.hazmat import asn1

from . import der

Elements = list[asn1.TLV]
"""A SEQUENCE of anything."""

_T = TypeVar("_T")
#: Python prints no integer of more than 4,300 decimal digits.
MOST_BITS = 14_000
#: asn1.encode_der takes a TLV.
_ENCODES_TLV = int(cryptography.__version__.split(".")[0]) >= 50


def encoded(element: asn1.TLV) -> bytes:
    """The DER of an element."""
    if _ENCODES_TLV:
        # A signal that strikes in ``data`` makes it panic, and the exception of the handler is lost.
        return asn1.encode_der(element)
    return element.tag_bytes + der.encode(der.OCTET_STRING, bytes(element.data))[1:]


def content(element: asn1.TLV) -> bytes:
    """The octets in an element."""
    return der.read(encoded(element)).content


def sequence(elements: Elements) -> bytes:
    """The DER of a SEQUENCE of these elements."""
    return der.encode(der.SEQUENCE, *map(encoded, elements))


def decode(cls: type[_T], data: bytes) -> _T:
    """Read one whole element. Raises ``ValueError``."""
    try:
        found = asn1.decode_der(cls, data)
    except ValueError as error:
        raise ValueError(f"{cls.__name__}: {error}") from error
    if 8 * len(data) > MOST_BITS:  # no number in less is that long
        _make_printable(found)
    return found


class _LongInteger(int):
    """One that Python refuses to print in decimal."""

    def __repr__(self) -> str:
        return hex(self)


def _make_printable(found: Any) -> None:
    for name, value in vars(found).items():
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            setattr(found, name, _LongInteger(value))
        for part in value if isinstance(value, list) else (value,):
            if type(part).__module__ == __name__ and not isinstance(part, int):
                _make_printable(part)


def inside(cls: type[_T], *parts: bytes) -> _T:
    """Read ``parts``, joined, as the fields of ``cls``: also how what is no SEQUENCE is read."""
    return decode(cls, der.encode(der.SEQUENCE, *parts))


@asn1.sequence
class PKIHeader:
    pvno: int
    sender_der: asn1.TLV
    recipient_der: asn1.TLV
    message_time: Annotated[asn1.GeneralizedTime | None, asn1.Explicit(0)]
    protection_alg: Annotated[Elements | None, asn1.Explicit(1)]
    sender_kid: Annotated[bytes | None, asn1.Explicit(2)]
    recip_kid: Annotated[bytes | None, asn1.Explicit(3)]
    transaction_id: Annotated[bytes | None, asn1.Explicit(4)]
    sender_nonce: Annotated[bytes | None, asn1.Explicit(5)]
    recip_nonce: Annotated[bytes | None, asn1.Explicit(6)]
    free_text: Annotated[Elements | None, asn1.Explicit(7)]
    general_info: Annotated[list[Elements] | None, asn1.Explicit(8)]


@asn1.sequence
class PKIMessage:
    header: asn1.TLV
    body: asn1.TLV
    protection: Annotated[asn1.BitString | None, asn1.Explicit(0)]
    extra_certs: Annotated[Elements | None, asn1.Explicit(1)]


@asn1.sequence
class PBMParameter:
    salt: bytes
    owf: Elements
    iteration_count: int
    mac: Elements


@asn1.sequence
class PKIStatusInfo:
    status: int
    text: Elements | None
    failure_info: asn1.BitString | None


@asn1.sequence
class OptionalValidity:
    not_before: Annotated[asn1.UTCTime | asn1.GeneralizedTime | None, asn1.Explicit(0)]
    not_after: Annotated[asn1.UTCTime | asn1.GeneralizedTime | None, asn1.Explicit(1)]


@asn1.sequence
class CertTemplate:
    version: Annotated[int | None, asn1.Implicit(0)]
    serial_number: Annotated[int | None, asn1.Implicit(1)]
    signing_algorithm: Annotated[Elements | None, asn1.Implicit(2)]
    issuer_der: Annotated[Elements | None, asn1.Explicit(3)]
    validity: Annotated[OptionalValidity | None, asn1.Implicit(4)]
    subject_der: Annotated[Elements | None, asn1.Explicit(5)]
    public_key_der: Annotated[Elements | None, asn1.Implicit(6)]
    issuer_uid: Annotated[asn1.BitString | None, asn1.Implicit(7)]
    subject_uid: Annotated[asn1.BitString | None, asn1.Implicit(8)]
    extensions_der: Annotated[Elements | None, asn1.Implicit(9)]


@asn1.sequence
class AttributeTypeAndValue:
    oid: x509.ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class PKIPublicationInfo:
    action: int
    places: list[Elements] | None


@asn1.sequence
class CertRequest:
    request_id: int
    template: CertTemplate
    controls: list[AttributeTypeAndValue] | None


@asn1.sequence
class POPOSigningKey:
    input: Annotated[Elements | None, asn1.Implicit(0)]
    algorithm: Elements
    signature: asn1.BitString


@asn1.sequence
class CertReqMsg:
    request: CertRequest
    popo: (
        Annotated[asn1.Variant[asn1.Null, Literal["RAVERIFIED"]], asn1.Implicit(0)]
        | Annotated[asn1.Variant[POPOSigningKey, Literal["SIGNATURE"]], asn1.Implicit(1)]
        | Annotated[asn1.Variant[asn1.TLV, Literal["KEYENC"]], asn1.Explicit(2)]
        | Annotated[asn1.Variant[asn1.TLV, Literal["KEYAGREE"]], asn1.Explicit(3)]
        | None
    )
    reg_info: list[AttributeTypeAndValue] | None


@asn1.sequence
class CertReqMessages:
    requests: list[CertReqMsg]


@asn1.sequence
class CertResponse:
    request_id: int
    status: PKIStatusInfo
    certified_key_pair: Elements | None
    rsp_info: bytes | None


@asn1.sequence
class CertRepMessage:
    ca_pubs_der: Annotated[Elements | None, asn1.Explicit(1)]
    responses: list[CertResponse]


@asn1.sequence
class CertStatus:
    cert_hash: bytes
    request_id: int
    status: PKIStatusInfo | None
    hash_algorithm: Annotated[Elements | None, asn1.Explicit(0)]


@asn1.sequence
class CertConfirmContent:
    statuses: list[CertStatus]


@asn1.sequence
class RevDetails:
    template: CertTemplate
    crl_entry_extensions_der: Elements | None


@asn1.sequence
class RevReqContent:
    details: list[RevDetails]


@asn1.sequence
class CertId:
    issuer_der: asn1.TLV
    serial_number: int


@asn1.sequence
class RevRepContent:
    statuses: list[PKIStatusInfo]
    certificates: Annotated[list[CertId] | None, asn1.Explicit(0)]
    crls_der: Annotated[Elements | None, asn1.Explicit(1)]


@asn1.sequence
class ErrorMsgContent:
    status: PKIStatusInfo
    error_code: int | None
    error_details: Elements | None


@asn1.sequence
class PollReq:
    request_id: int


@asn1.sequence
class PollReqContent:
    requests: list[PollReq]


@asn1.sequence
class PollRep:
    request_id: int
    check_after: int
    reason: Elements | None


@asn1.sequence
class PollRepContent:
    answers: list[PollRep]


@asn1.sequence
class GenMsgContent:
    items: list[Elements]


@asn1.sequence
class NestedMessageContent:
    messages_der: Elements


def text(element: asn1.TLV) -> str:
    """A UTF8String; octets that are not UTF-8 are kept as escapes."""
    return content(element).decode("utf-8", "backslashreplace")
