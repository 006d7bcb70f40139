"""The bodies of CMP messages (RFC 9810 section 5.3) as dataclasses: what ``Message.body`` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

from cryptography import x509

from .._asn1 import der, oids, schema
from .._asn1.itav import InfoTypeAndValue
from .._asn1.schema import decode, inside
from .._asn1.x509_parts import read_csr, read_extensions
from .._openssl.convert import cert_from_der, crl_from_der
from ..enums import BodyType, RevocationReason
from .bodyparts import AlgorithmIdentifier, CertId, CertRequest, CertTemplate, PKIStatusInfo, Structure, made

__all__ = [
    "Body", "CertConfirm", "CertRepMessage", "CertReqMessages", "CertResponse", "CertStatus",
    "ErrorMessage", "GeneralMessage", "NestedMessage", "OtherBody", "PKCS10Request", "PKIConfirm",
    "PollAnswer", "PollRep", "PollReq", "RevDetails", "RevRep", "RevReq",
]  # fmt: skip

_CRL_REASON = x509.ObjectIdentifier(oids.CRL_REASON)
_CERTIFICATE, _ENCRYPTED_CERT = b"\xa0", b"\xa1"  # in CertOrEncCert
_PRIVATE_KEY, _PUBLICATION_INFO = b"\xa0", b"\xa1"  # in CertifiedKeyPair

_B = TypeVar("_B", bound="_Decoded")


class _Decoded:
    """A body with the fields of a structure, which ``read`` decodes."""

    _read: Callable[[bytes], Any]

    def __init_subclass__(cls, read: Callable[[bytes], Any]) -> None:
        cls._read = read

    @classmethod
    def of(cls: type[_B], data: bytes) -> _B:  # noqa: PYI019
        """Decode. Raises ``ValueError``."""
        return made(cls, vars(cls._read(data)))


@dataclass(frozen=True)
class CertReqMessages(_Decoded, read=partial(inside, schema.CertReqMessages)):
    """ir, cr, kur (also krr, ccr): requests for certificates."""

    requests: tuple[CertRequest, ...]


@dataclass(frozen=True)
class PKCS10Request:
    """p10cr: a CSR."""

    csr_der: bytes = field(repr=False)

    @cached_property
    def csr(self) -> x509.CertificateSigningRequest:
        """The CSR. Raises ``ValueError`` for what ``cryptography`` does not read."""
        return read_csr(self.csr_der)


@dataclass(frozen=True)
class CertResponse:
    """The answer to one request for a certificate."""

    request_id: int
    status: PKIStatusInfo
    certificate_der: bytes | None = field(default=None, repr=False)
    encrypted_certificate: bytes | None = field(default=None, repr=False)
    """EncryptedKey as DER: only who has the private key can read the certificate."""
    private_key: bytes | None = field(default=None, repr=False)
    """EncryptedKey as DER: a key that the server made."""
    publication_info: bytes | None = field(default=None, repr=False)
    """PKIPublicationInfo as DER."""
    rsp_info: bytes | None = field(default=None, repr=False)

    @cached_property
    def certificate(self) -> x509.Certificate | None:
        """The new certificate. Raises ``ValueError`` for what ``cryptography`` does not read."""
        return None if self.certificate_der is None else cert_from_der(self.certificate_der)

    @classmethod
    def of(cls, read: schema.CertResponse) -> CertResponse:
        """Decode."""
        pair = list(read.certified_key_pair or ())
        found: dict[str, bytes] = {}
        if pair:
            first = pair.pop(0)
            kind = {_CERTIFICATE: "certificate_der", _ENCRYPTED_CERT: "encrypted_certificate"}
            found[kind[first.tag_bytes]] = schema.content(first)
        for element in pair:
            kind = {_PRIVATE_KEY: "private_key", _PUBLICATION_INFO: "publication_info"}
            found[kind[element.tag_bytes]] = schema.content(element)
        return cls(read.request_id, PKIStatusInfo.of(read.status), **found, rsp_info=read.rsp_info)


@dataclass(frozen=True)
class CertRepMessage(_Decoded, read=partial(decode, schema.CertRepMessage)):
    """ip, cp, kup (also ccp): answers to requests for certificates."""

    responses: tuple[CertResponse, ...]
    ca_pubs_der: tuple[bytes, ...] = field(default=(), repr=False)

    @cached_property
    def ca_pubs(self) -> tuple[x509.Certificate, ...]:
        """CA certificates that the server published. Raises ``ValueError``."""
        return tuple(map(cert_from_der, self.ca_pubs_der))


@dataclass(frozen=True)
class CertStatus(Structure):
    """What the client says to one certificate."""

    cert_hash: bytes
    request_id: int
    status: PKIStatusInfo | None = None
    """``None`` means accepted."""
    hash_algorithm: AlgorithmIdentifier | None = None
    """Only where the certificate's signature algorithm does not tell it."""


@dataclass(frozen=True)
class CertConfirm(_Decoded, read=partial(inside, schema.CertConfirmContent)):
    """certConf: which certificates the client takes."""

    statuses: tuple[CertStatus, ...]


@dataclass(frozen=True)
class PKIConfirm:
    """pkiconf: the server has heard the confirmation."""


@dataclass(frozen=True)
class RevDetails(Structure):
    """One certificate to revoke."""

    template: CertTemplate
    crl_entry_extensions_der: bytes | None = field(default=None, repr=False)

    @property
    def crl_entry_extensions(self) -> x509.Extensions | None:
        """Extensions for the CRL entry. Raises ``ValueError``."""
        data = self.crl_entry_extensions_der
        return None if data is None else read_extensions(data)

    @property
    def reason(self) -> RevocationReason | None:
        """Why. Raises ``ValueError`` for what is no reason."""
        for extension in self.crl_entry_extensions or ():
            if extension.oid == _CRL_REASON:
                value = der.read(extension.value.public_bytes(), der.ENUMERATED)
                return RevocationReason(der.integer(value))
        return None


@dataclass(frozen=True)
class RevReq(_Decoded, read=partial(inside, schema.RevReqContent)):
    """rr: certificates to revoke."""

    details: tuple[RevDetails, ...]


@dataclass(frozen=True)
class RevRep(_Decoded, read=partial(decode, schema.RevRepContent)):
    """rp: what became of them."""

    statuses: tuple[PKIStatusInfo, ...]
    certificates: tuple[CertId, ...] = ()
    crls_der: tuple[bytes, ...] = field(default=(), repr=False)

    @cached_property
    def crls(self) -> tuple[x509.CertificateRevocationList, ...]:
        """CRLs sent along. Raises ``ValueError``."""
        return tuple(map(crl_from_der, self.crls_der))


@dataclass(frozen=True)
class GeneralMessage(_Decoded, read=partial(inside, schema.GenMsgContent)):
    """genm or genp: items of any kind."""

    items: tuple[InfoTypeAndValue, ...]


@dataclass(frozen=True)
class ErrorMessage(_Decoded, read=partial(decode, schema.ErrorMsgContent)):
    """error: the sender gives up."""

    status: PKIStatusInfo
    error_code: int | None = None
    error_details: tuple[str, ...] = ()


@dataclass(frozen=True)
class PollReq:
    """pollReq: which requests the client asks about."""

    request_ids: tuple[int, ...]

    @classmethod
    def of(cls, data: bytes) -> PollReq:
        """Decode."""
        return cls(tuple(entry.request_id for entry in inside(schema.PollReqContent, data).requests))


@dataclass(frozen=True)
class PollAnswer(Structure):
    """Not ready: ask again after so many seconds."""

    request_id: int
    check_after: int
    reason: tuple[str, ...] = ()


@dataclass(frozen=True)
class PollRep(_Decoded, read=partial(inside, schema.PollRepContent)):
    """pollRep: what is not ready."""

    answers: tuple[PollAnswer, ...]


@dataclass(frozen=True)
class NestedMessage(_Decoded, read=partial(inside, schema.NestedMessageContent)):
    """nested: messages that somebody in between has protected again, as DER."""

    messages_der: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class OtherBody:
    """A body of a type that nobody uses: its DER."""

    der: bytes = field(repr=False)


Body = (
    CertReqMessages
    | PKCS10Request
    | CertRepMessage
    | CertConfirm
    | PKIConfirm
    | RevReq
    | RevRep
    | GeneralMessage
    | ErrorMessage
    | PollReq
    | PollRep
    | NestedMessage
    | OtherBody
)


_READERS: dict[BodyType, Callable[[bytes], Body]] = {
    **dict.fromkeys((BodyType.IR, BodyType.CR, BodyType.KUR, BodyType.KRR, BodyType.CCR), CertReqMessages.of),
    **dict.fromkeys((BodyType.IP, BodyType.CP, BodyType.KUP, BodyType.CCP), CertRepMessage.of),
    BodyType.P10CR: PKCS10Request,
    BodyType.CERTCONF: CertConfirm.of,
    BodyType.PKICONF: lambda _: PKIConfirm(),
    BodyType.RR: RevReq.of,
    BodyType.RP: RevRep.of,
    BodyType.GENM: GeneralMessage.of,
    BodyType.GENP: GeneralMessage.of,
    BodyType.ERROR: ErrorMessage.of,
    BodyType.POLLREQ: PollReq.of,
    BodyType.POLLREP: PollRep.of,
    BodyType.NESTED: NestedMessage.of,
}


def words(body: Body) -> tuple[str, ...]:
    """What a server says in an answer to people: the texts of its statuses, or why it lets us wait."""
    if isinstance(body, PollRep):
        return tuple(text for answer in body.answers for text in answer.reason)
    infos: Iterable[PKIStatusInfo] = ()
    if isinstance(body, CertRepMessage):
        infos = (response.status for response in body.responses)
    elif isinstance(body, RevRep):
        infos = body.statuses
    elif isinstance(body, ErrorMessage):
        infos = (body.status,)
    return tuple(text for info in infos for text in info.text)


def read_body(kind: BodyType, data: bytes) -> Body:
    """The body of this type whose content is ``data``. Raises ``ValueError``."""
    try:
        return _READERS.get(kind, OtherBody)(data)
    except KeyError as error:
        raise ValueError(f"{kind.name.lower()}: unexpected element {error}") from error
