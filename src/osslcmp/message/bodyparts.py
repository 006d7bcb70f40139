"""What the bodies of CMP messages are made of, as dataclasses."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .._asn1 import der
from .._asn1 import schema as _asn1
from .._asn1.itav import InfoTypeAndValue
from .._asn1.schema import Elements, bits, encoded, moment, sequence, text
from .._asn1.x509_parts import read_extensions, read_general_name, read_name
from .._openssl.errorqueue import clear
from .._openssl.errorqueue import text as from_c
from .._openssl.lib import lib
from ..enums import FailureInfo, PKIStatus, POPOMethod

__all__ = [
    "AlgorithmIdentifier",
    "CertId",
    "CertRequest",
    "CertTemplate",
    "Control",
    "PKIStatusInfo",
    "ProofOfPossession",
    "algorithm_from_der",
    "itav",
    "oid_name",
    "texts",
]

SECRET_CONTROLS = ("1.3.6.1.5.5.7.5.1.1", "1.3.6.1.5.5.7.5.1.2")
"""regToken and authenticator: what a requester knows and nobody else should."""
_OLD_CERT_ID = "1.3.6.1.5.5.7.5.1.5"
_CONTROL_NAMES = {
    "1.3.6.1.5.5.7.5.1.1": "regToken",
    "1.3.6.1.5.5.7.5.1.2": "authenticator",
    "1.3.6.1.5.5.7.5.1.3": "pkiPublicationInfo",
    "1.3.6.1.5.5.7.5.1.4": "pkiArchiveOptions",
    "1.3.6.1.5.5.7.5.1.5": "oldCertID",
    "1.3.6.1.5.5.7.5.1.6": "protocolEncrKey",
    "1.3.6.1.5.5.7.5.1.11": "altCertTemplate",
    "1.3.6.1.5.5.7.5.2.1": "utf8Pairs",
    "1.3.6.1.5.5.7.5.2.2": "certReq",
}


def oid_name(oid: x509.ObjectIdentifier) -> str:
    """The name that CRMF or libcrypto has for an object identifier, else its dotted form."""
    dotted = oid.dotted_string
    if dotted in _CONTROL_NAMES:
        return _CONTROL_NAMES[dotted]
    nid = lib.OBJ_txt2nid(dotted.encode())
    clear()
    return from_c(lib.OBJ_nid2ln(nid)) if nid else dotted


def texts(elements: Elements | None) -> tuple[str, ...]:
    """PKIFreeText."""
    return () if elements is None else tuple(map(text, elements))


def itav(elements: Elements) -> InfoTypeAndValue:
    """InfoTypeAndValue."""
    if not 1 <= len(elements) <= 2:
        raise ValueError("InfoTypeAndValue: a type and at most one value")
    oid = elements[0].parse(x509.ObjectIdentifier)
    return InfoTypeAndValue(oid, encoded(elements[1]) if len(elements) == 2 else None)


@dataclass(frozen=True)
class AlgorithmIdentifier:
    """An algorithm and its parameters."""

    oid: x509.ObjectIdentifier
    """Which algorithm."""
    parameters: bytes | None = None
    """DER of the parameters, ``None`` if there are none."""

    @property
    def name(self) -> str:
        """Its name in libcrypto."""
        return oid_name(self.oid)

    @classmethod
    def of(cls, elements: Elements | None) -> Any:
        """Decode; ``None`` for None."""
        if elements is None:
            return None
        read = itav(elements)
        return cls(read.oid, read.value)


def algorithm_from_der(encoded: bytes) -> AlgorithmIdentifier:
    """An AlgorithmIdentifier. Raises ``ValueError``."""
    fields = der.sequence(encoded)
    parameters = fields[1].encoding if len(fields) > 1 else None
    return AlgorithmIdentifier(x509.ObjectIdentifier(der.dotted(fields[0])), parameters)


@dataclass(frozen=True)
class PBMParameter:
    """How a shared secret was made into a MAC (RFC 9810 section 5.1.3.1)."""

    salt: bytes
    owf: AlgorithmIdentifier
    iteration_count: int
    mac: AlgorithmIdentifier

    @classmethod
    def from_der(cls, encoding: bytes) -> PBMParameter:
        """Decode. Raises ``ValueError``."""
        read = _asn1.decode(_asn1.PBMParameter, encoding)
        owf, mac = AlgorithmIdentifier.of(read.owf), AlgorithmIdentifier.of(read.mac)
        return cls(read.salt, owf, read.iteration_count, mac)


@dataclass(frozen=True)
class PKIStatusInfo:
    """What a server (or in certConf the client) says to a request."""

    status: PKIStatus
    failure_info: FailureInfo
    text: tuple[str, ...]

    @classmethod
    def of(cls, read: _asn1.PKIStatusInfo) -> PKIStatusInfo:
        """Decode."""
        failure = FailureInfo(0 if read.failure is None else bits(read.failure))
        return cls(PKIStatus(read.status), failure, texts(read.text))


@dataclass(frozen=True)
class CertTemplate:
    """What is asked for, or in rr which certificate is meant. ``None``: not given."""

    version: int | None = None
    serial_number: int | None = None
    signing_algorithm: AlgorithmIdentifier | None = None
    issuer_der: bytes | None = field(default=None, repr=False)
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    subject_der: bytes | None = field(default=None, repr=False)
    public_key_der: bytes | None = field(default=None, repr=False)
    """SubjectPublicKeyInfo; without key bits where the server is to make the key."""
    extensions_der: bytes | None = field(default=None, repr=False)

    @cached_property
    def issuer(self) -> x509.Name | None:
        """The issuer. Raises ``ValueError`` for what ``cryptography`` does not read."""
        return None if self.issuer_der is None else read_name(self.issuer_der)

    @cached_property
    def subject(self) -> x509.Name | None:
        """The subject. Raises ``ValueError``."""
        return None if self.subject_der is None else read_name(self.subject_der)

    @cached_property
    def public_key(self) -> PublicKeyTypes | None:
        """The key to certify. Raises ``ValueError`` or ``UnsupportedAlgorithm``."""
        return None if self.public_key_der is None else load_der_public_key(self.public_key_der)

    @cached_property
    def extensions(self) -> x509.Extensions | None:
        """The extensions asked for. Raises ``ValueError``."""
        return None if self.extensions_der is None else read_extensions(self.extensions_der)

    @classmethod
    def of(cls, read: _asn1.CertTemplate) -> CertTemplate:
        """Decode."""
        validity = read.validity
        return cls(
            version=read.version,
            serial_number=read.serial,
            signing_algorithm=AlgorithmIdentifier.of(read.signing_alg),
            issuer_der=_maybe(sequence, read.issuer),
            not_before=None if validity is None else moment(validity.not_before),
            not_after=None if validity is None else moment(validity.not_after),
            subject_der=_maybe(sequence, read.subject),
            public_key_der=_maybe(sequence, read.public_key),
            extensions_der=_maybe(sequence, read.extensions),
        )


def _maybe(read: Callable[[Elements], bytes], value: Elements | None) -> bytes | None:
    return None if value is None else read(value)


@dataclass(frozen=True)
class CertId:
    """A certificate by issuer and serial number."""

    issuer_der: bytes = field(repr=False)
    """A GeneralName."""
    serial_number: int

    @cached_property
    def issuer(self) -> x509.GeneralName:
        """Its issuer. Raises ``ValueError`` for what ``cryptography`` does not read."""
        return read_general_name(self.issuer_der)

    @classmethod
    def of(cls, read: _asn1.CertId) -> CertId:
        """Decode."""
        return cls(encoded(read.issuer), read.serial)


@dataclass(frozen=True)
class Control:
    """A control or a registration info of a certificate request; ``value`` is DER."""

    oid: x509.ObjectIdentifier
    value: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in RFC 4211."""
        return oid_name(self.oid)

    @property
    def secret(self) -> bool:
        """Whether it holds a secret of the requester: a regToken or an authenticator."""
        return self.oid.dotted_string in SECRET_CONTROLS

    @property
    def old_certificate(self) -> CertId | None:
        """For oldCertID: the certificate to update. Raises ``ValueError``."""
        if self.oid.dotted_string != _OLD_CERT_ID:
            return None
        return CertId.of(_asn1.decode(_asn1.CertId, self.value))

    @classmethod
    def of(cls, read: _asn1.AttributeTypeAndValue) -> Control:
        """Decode."""
        return cls(read.type, encoded(read.value))


@dataclass(frozen=True)
class ProofOfPossession:
    """How the request proves that its sender has the private key."""

    method: POPOMethod
    algorithm: AlgorithmIdentifier | None = None
    """Of the signature."""
    value: bytes | None = field(default=None, repr=False)
    """The signature, or for KEYENC and KEYAGREE a POPOPrivKey as DER."""

    @classmethod
    def of(cls, read: Any) -> ProofOfPossession:
        """Decode; absent is ``NONE``."""
        if read is None:
            return cls(POPOMethod.NONE)
        method = POPOMethod[read.tag]
        if method is POPOMethod.SIGNATURE:
            signing = read.value
            return cls(method, AlgorithmIdentifier.of(signing.algorithm), signing.signature.as_bytes())
        return cls(method, None, None if method is POPOMethod.RAVERIFIED else encoded(read.value))


@dataclass(frozen=True)
class CertRequest:
    """One request for a certificate."""

    request_id: int
    template: CertTemplate
    controls: tuple[Control, ...]
    popo: ProofOfPossession
    reg_info: tuple[Control, ...]

    @classmethod
    def of(cls, read: _asn1.CertReqMsg) -> CertRequest:
        """Decode."""
        return cls(
            read.request.request_id,
            CertTemplate.of(read.request.template),
            tuple(map(Control.of, read.request.controls or ())),
            ProofOfPossession.of(read.popo),
            tuple(map(Control.of, read.reg_info or ())),
        )
