"""What the bodies of CMP messages are made of, as dataclasses."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property, partial
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .._asn1 import der, oids, schema
from .._asn1.itav import InfoTypeAndValue
from .._asn1.publication import PublicationInfo, PublicationPlace
from .._asn1.schema import Elements, encoded, text
from .._asn1.x509_parts import read_extensions, read_general_name, read_name
from .._openssl.errorqueue import clear, text_from_c
from .._openssl.lib import lib
from ..enums import FailureInfo, PKIStatus, POPOMethod, PublicationMethod

__all__ = [
    "AlgorithmIdentifier", "CertId", "CertRequest", "CertTemplate", "Control", "PBMParameter",
    "PKIStatusInfo", "ProofOfPossession", "PublicationInfo", "PublicationPlace", "RegistrationControls",
]  # fmt: skip

_T = TypeVar("_T")
_S = TypeVar("_S", bound="Structure")

SECRET_CONTROLS = (oids.REG_TOKEN, oids.AUTHENTICATOR)
"""What a requester knows and nobody else should."""
_CONTROL_NAMES = {
    oids.REG_TOKEN: "regToken",
    oids.AUTHENTICATOR: "authenticator",
    oids.PKI_PUBLICATION_INFO: "pkiPublicationInfo",
    oids.PKI_ARCHIVE_OPTIONS: "pkiArchiveOptions",
    oids.OLD_CERT_ID: "oldCertID",
    oids.PROTOCOL_ENCR_KEY: "protocolEncrKey",
    oids.ALT_CERT_TEMPLATE: "altCertTemplate",
    oids.ALG_ID: "algId",
    oids.RSA_KEY_LEN: "rsaKeyLen",
    oids.UTF8_PAIRS: "utf8Pairs",
    oids.CERT_REQ: "certReq",
}


def oid_name(oid: x509.ObjectIdentifier) -> str:
    """The name that CRMF or libcrypto has for an object identifier, else its dotted form."""
    dotted = oid.dotted_string
    if dotted in _CONTROL_NAMES:
        return _CONTROL_NAMES[dotted]
    nid = lib.OBJ_txt2nid(dotted.encode())
    clear()
    return text_from_c(lib.OBJ_nid2ln(nid)) if nid else dotted


def _type_and_value(elements: Elements) -> tuple[x509.ObjectIdentifier, bytes | None]:
    if not 1 <= len(elements) <= 2:
        raise ValueError("InfoTypeAndValue: a type and at most one value")
    return elements[0].parse(x509.ObjectIdentifier), encoded(elements[1]) if len(elements) == 2 else None


def itav(elements: Elements) -> InfoTypeAndValue:
    """InfoTypeAndValue."""
    return InfoTypeAndValue(*_type_and_value(elements))


def _octets(value: Any) -> bytes:
    """The octets of an OCTET STRING; else DER."""
    if isinstance(value, list):
        return schema.sequence(value)
    return value if isinstance(value, bytes) else encoded(value)


#: How a field comes to its type, other than those below.
_MAKERS: dict[Any, Callable[[Any], Any]] = {
    bytes: _octets,
    str: text,
    datetime.datetime: lambda value: value.as_datetime(),
    FailureInfo: lambda value: FailureInfo(der.named_bits(value.as_bytes()) if value else 0),
    InfoTypeAndValue: itav,
    PKIStatus: PKIStatus,
}


@cache
def _fields(cls: Any) -> list[tuple[str, bool, Callable[[Any], Any] | None]]:
    """Of each field: its name, whether it may have no value, and what makes its value; None: nothing."""
    found, hints = [], get_type_hints(cls)
    for one in fields(cls):
        hint = hints[one.name]
        kind, *others = get_args(hint) or (hint,)
        make: Any = _MAKERS.get(kind) or getattr(kind, "of", None)
        if get_origin(hint) is tuple:
            make = partial(_several, make)
        found.append((one.name, NoneType in others, make))
    return found


def _several(make: Callable[[Any], Any], values: Iterable[Any] | None) -> tuple[Any, ...]:
    return tuple(map(make, values or ()))


def made(cls: Callable[..., _T], values: Mapping[str, Any]) -> _T:
    """A dataclass with what a structure of :mod:`osslcmp._asn1.schema` has under the names of its fields."""
    found = {}
    for name, optional, make in _fields(cls):
        value = values[name]
        found[name] = value if make is None or (value is None and optional) else make(value)
    return cls(**found)


class Structure:
    """A dataclass that is read from a structure with the same fields."""

    @classmethod
    def of(cls: type[_S], read: Any) -> _S:  # noqa: PYI019
        """Decode. Raises ``ValueError``."""
        return made(cls, vars(read))


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
    def of(cls, elements: Elements) -> AlgorithmIdentifier:
        """Decode."""
        return cls(*_type_and_value(elements))


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
        return made(cls, vars(schema.decode(schema.PBMParameter, encoding)))


@dataclass(frozen=True)
class PKIStatusInfo(Structure):
    """What a server (or in certConf the client) says to a request."""

    status: PKIStatus
    failure_info: FailureInfo
    text: tuple[str, ...]


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
    def of(cls, read: schema.CertTemplate) -> CertTemplate:
        """Decode."""
        validity = vars(read.validity) if read.validity else {"not_before": None, "not_after": None}
        return made(cls, vars(read) | validity)


@dataclass(frozen=True)
class CertId(Structure):
    """A certificate by issuer and serial number."""

    issuer_der: bytes = field(repr=False)
    """A GeneralName."""
    serial_number: int

    @cached_property
    def issuer(self) -> x509.GeneralName:
        """Its issuer. Raises ``ValueError`` for what ``cryptography`` does not read."""
        return read_general_name(self.issuer_der)


def _publication_place(elements: Elements) -> PublicationPlace:
    """Decode. Raises ``ValueError``, also for a method that RFC 4211 does not have."""
    if not 1 <= len(elements) <= 2:
        raise ValueError("SinglePubInfo: a method and at most one location")
    location = read_general_name(encoded(elements[1])) if len(elements) == 2 else None
    return PublicationPlace(PublicationMethod(elements[0].parse(int)), location)


def _publication_info(read: schema.PKIPublicationInfo) -> PublicationInfo:
    """Decode. Raises ``ValueError``."""
    if read.action not in (0, 1):
        raise ValueError(f"PKIPublicationInfo: action {read.action}")
    return PublicationInfo(read.action == 1, tuple(map(_publication_place, read.places or ())))


@dataclass(frozen=True)
class Control(Structure):
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
    def text(self) -> str | None:
        """For regToken, authenticator and utf8Pairs: what it says. Raises ``ValueError``."""
        texts = ("regToken", "authenticator", "utf8Pairs")
        return der.text(der.read(self.value)) if self.name in texts else None

    @property
    def publication_info(self) -> PublicationInfo | None:
        """For pkiPublicationInfo: whether and where to publish. Raises ``ValueError``."""
        if self.name != "pkiPublicationInfo":
            return None
        return _publication_info(schema.decode(schema.PKIPublicationInfo, self.value))

    @property
    def old_certificate(self) -> CertId | None:
        """For oldCertID: the certificate to update. Raises ``ValueError``."""
        return CertId.of(schema.decode(schema.CertId, self.value)) if self.name == "oldCertID" else None

    @property
    def protocol_encryption_key(self) -> PublicKeyTypes | None:
        """For protocolEncrKey: the key to encrypt answers with. Raises ``ValueError`` or ``UnsupportedAlgorithm``."""
        return load_der_public_key(self.value) if self.name == "protocolEncrKey" else None

    @property
    def cert_request(self) -> CertRequest | None:
        """For certReq in regInfo: the request that an RA was asked with, without proof. Raises ``ValueError``."""
        if self.name != "certReq":
            return None
        return CertRequest.of(schema.inside(schema.CertReqMsg, self.value))


class RegistrationControls:
    """What the controls and regInfo of a certificate request say, ``None`` where it has no such one.

    Of several of one kind it is the first. Each raises ``ValueError`` for a value that is not of its type. libcrypto's own
    getters look for a regInfo among the controls (``OSSL_CRMF_MSG_get0_regInfo_utf8Pairs``, 3.0 to 4.0).
    """

    controls: tuple[Control, ...]
    reg_info: tuple[Control, ...]

    def _first(self, name: str, read: Callable[[Control], _T]) -> _T | None:
        found = next((one for one in (*self.controls, *self.reg_info) if one.name == name), None)
        return None if found is None else read(found)

    @property
    def registration_token(self) -> str | None:
        """regToken: a secret for one use that identifies the requester (RFC 4211 section 6.1)."""
        return self._first("regToken", lambda found: found.text)

    @property
    def authenticator(self) -> str | None:
        """authenticator: a secret that identifies the requester again and again (RFC 4211 section 6.2)."""
        return self._first("authenticator", lambda found: found.text)

    @property
    def publication_info(self) -> PublicationInfo | None:
        """pkiPublicationInfo: whether and where to publish the certificate (RFC 4211 section 6.3)."""
        return self._first("pkiPublicationInfo", lambda found: found.publication_info)

    @property
    def old_cert_id(self) -> CertId | None:
        """oldCertID: the certificate to update (RFC 4211 section 6.5)."""
        return self._first("oldCertID", lambda found: found.old_certificate)

    @property
    def protocol_encryption_key(self) -> PublicKeyTypes | None:
        """protocolEncrKey: the key to encrypt answers with (RFC 4211 section 6.6). Raises ``UnsupportedAlgorithm``, too."""
        return self._first("protocolEncrKey", lambda found: found.protocol_encryption_key)

    @property
    def utf8_pairs(self) -> dict[str, str] | None:
        """utf8Pairs: names and values (RFC 4211 section 7.1). Raises ``ValueError`` also for a name that comes twice."""
        return self._first("utf8Pairs", lambda found: read_pairs(found.text or ""))

    @property
    def cert_request(self) -> CertRequest | None:
        """certReq: the request that an RA was asked with, without its proof (RFC 4211 section 7.2)."""
        return self._first("certReq", lambda found: found.cert_request)


def read_pairs(text: str) -> dict[str, str]:
    """The names and values of a utf8Pairs: ``name?value%name?value%``. Raises ``ValueError``."""
    found: dict[str, str] = {}
    # A percent sign between two pairs, or after the last, is followed by no escape of it or a question mark.
    for pair in re.split("%(?!25|3[fF])", text.removesuffix("%")):
        name, mark, value = map(_unescaped, pair.partition("?"))
        if not mark or not name or name in found:
            raise ValueError("utf8Pairs: not of the form name?value%name?value%, each name once")
        found[name] = value
    return found


def _unescaped(text: str) -> str:
    return text.replace("%3f", "?").replace("%3F", "?").replace("%25", "%")


def write_pairs(pairs: Mapping[str, str]) -> str:
    """A utf8Pairs of these names and values. Raises ``ValueError`` for what cannot be one."""

    if not isinstance(pairs, Mapping) or not all(
        isinstance(text, str) for pair in pairs.items() for text in pair
    ):
        raise TypeError("utf8_pairs: a mapping of str to str")

    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("?", "%3f")

    made = "".join(f"{escaped(name)}?{escaped(value)}%" for name, value in pairs.items())
    if not pairs:
        raise ValueError("utf8_pairs: none are given")
    if any(re.match("$|25|3[fF]", name) for name in pairs):
        raise ValueError(
            "utf8_pairs: a name is empty, or begins with 25 or 3f, which would be taken for an escape"
        )
    return made


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
class CertRequest(RegistrationControls):
    """One request for a certificate."""

    request_id: int
    template: CertTemplate
    controls: tuple[Control, ...]
    popo: ProofOfPossession
    reg_info: tuple[Control, ...]

    @classmethod
    def of(cls, read: schema.CertReqMsg) -> CertRequest:
        """Decode."""
        return made(cls, vars(read.request) | vars(read))
