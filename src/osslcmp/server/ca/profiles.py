"""Certificate profiles: what the embedded CA puts into a certificate, and what it lets a client ask for."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..._arguments import checked, positive
from ..._asn1 import der, oids, x509_parts
from ..._asn1.der import explicit
from ..._openssl.inputs import is_uri
from ..._openssl.public_keys import key_size
from ...enums import FailureInfo
from ..authority import CertificateRequest, Rejected
from . import issuing

DEFAULT = "default"
"""The profile of requests that name none."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_USAGES: dict[str, x509.ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
    "cmcCA": issuing.CMC_CA,
    "cmcRA": issuing.CMC_RA,
    "cmKGA": issuing.CM_KGA,
}
_KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
}
_CURVES = {f"P-{curve.key_size}": (curve.name, oid) for oid, curve in issuing.CURVES.items()}
_EDWARDS: dict[str, tuple[type[Any], str]] = {
    "Ed25519": (ed25519.Ed25519PublicKey, oids.ED25519),
    "Ed448": (ed448.Ed448PublicKey, oids.ED448),
}
_KEYS = frozenset({*_CURVES, *_EDWARDS, "RSA"})
_MAX_TEXT = 4096
_MAX_PATH_LENGTH = 100
_SANS: dict[str, type[x509.GeneralName]] = {
    "dns": x509.DNSName,
    "ip": x509.IPAddress,
    "email": x509.RFC822Name,
    "uri": x509.UniformResourceIdentifier,
}


@checked
@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of certificate. What is None is as the client asks for it."""

    validity: datetime.timedelta | None = None
    """For a request that asks for none."""
    max_validity: datetime.timedelta | None = None
    """More is shortened."""
    key_usage: frozenset[str] | None = None
    """Exactly these, named as in RFC 5280: ``digitalSignature``, ``keyAgreement``..."""
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] | None = None
    """Exactly these; ``from_table`` takes names."""
    keys: frozenset[str] | None = None
    """Kinds of keys that are certified: ``P-256``, ``P-384``, ``P-521``, ``Ed25519``, ``Ed448``, ``RSA``."""
    rsa_bits: int = issuing.MIN_RSA_BITS
    """The least that an RSA key must have."""
    subject: re.Pattern[str] | None = None
    """What the whole subject (RFC 4514) must match."""
    sans: Mapping[str, tuple[re.Pattern[str], ...]] | None = None
    """What alternative names there may be: by kind (``dns``, ``ip``, ``email``, ``uri``) the patterns, one of
    which the whole name must match. Kinds that are not named are refused."""
    crl_url: str | None = None
    """Where the CRL is, for the certificate."""
    policies: tuple[x509.ObjectIdentifier, ...] | None = None
    """Certificate policies that it states."""
    ca_path_length: int | None = None
    """Certificates of CAs, for requests with ``basicConstraints`` that ask for one: the most that their pathLenConstraint
    is, and they have one. None: there are none."""
    names: Literal["own", "any"] | None = None
    """``any``: a client that signs may ask for other names than its own."""

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what would fail at the first request only, or never be heeded."""
        positive(validity=self.validity, max_validity=self.max_validity, rsa_bits=self.rsa_bits)
        if self.ca_path_length is not None and not 0 <= self.ca_path_length <= _MAX_PATH_LENGTH:
            raise ValueError(f"ca_path_length: 0 to {_MAX_PATH_LENGTH}, not {self.ca_path_length}")
        for field, known in (("key_usage", _KEY_USAGES), ("keys", _KEYS), ("sans", _SANS)):
            if unknown := sorted(set(getattr(self, field) or ()).difference(known)):
                raise ValueError(f"{field}: unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        if self.crl_url is not None and not (self.crl_url.isascii() and is_uri(self.crl_url)):
            raise ValueError(f"crl_url: a URL (ASCII), not {self.crl_url!r}")

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, Any]) -> Profile:
        """Read a profile as it stands in a TOML file.

        Args:
            name: of the profile, for errors.
            table: ``validity`` and ``max_validity`` as ``"90d"``, ``"12h"``; ``key_usage``,
                ``extended_key_usage`` (names or dotted OIDs) and ``keys`` as lists; ``rsa_bits``; ``subject``
                as a regular expression; ``sans`` as a table of lists of regular expressions; ``crl_url``;
                ``policies`` as a list of dotted OIDs; ``ca_path_length`` as a number; ``names`` as ``"own"`` or ``"any"``.

        Raises:
            ValueError: something in it is unknown or of the wrong type.
        """
        readers: dict[str, Callable[[Any], Any]] = {
            "validity": duration,
            "max_validity": duration,
            "key_usage": lambda value: frozenset(_strings(value)),
            "extended_key_usage": lambda value: tuple(_oid(one, _USAGES) for one in _strings(value)),
            "keys": lambda value: frozenset(_strings(value)),
            "subject": _pattern,
            "sans": _read_sans,
            "policies": lambda value: tuple(_oid(one, {}) for one in _strings(value)),
        }
        known = [field.name for field in fields(cls)]
        found = {}
        for field, value in table.items():
            if field not in known:
                raise ValueError(f"profile {name}: unknown setting {field!r}; known: {', '.join(known)}")
            try:
                found[field] = readers[field](value) if field in readers else value
            except ValueError as error:
                raise ValueError(f"profile {name}: {field}: {error}") from None
        try:
            return cls(**found)
        except (TypeError, ValueError) as error:
            raise ValueError(f"profile {name}: {error}") from None

    def check(self, request: CertificateRequest) -> Rejected | None:
        """Why this profile does not allow what is asked for; None when it does."""
        if self.keys is not None and _kind(request.public_key) not in self.keys:
            return no(f"the key is none of {', '.join(sorted(self.keys))}")
        size = key_size(request.public_key_info)
        if size is not None and size[0] == "RSA" and size[1] < self.rsa_bits:
            return no(f"RSA keys need {self.rsa_bits} bits")
        if self.subject is not None:
            subject = "" if request.subject is None else request.subject.rfc4514_string()
            if not matches(self.subject, subject):
                return no("the subject is not allowed")
        asked = x509_parts.asked_extension(request.extensions, x509.SubjectAlternativeName) or ()
        good = self.sans is None or all(map(self._allows, asked))
        return None if good else no("an alternative name is not allowed")

    def _allows(self, name: x509.GeneralName) -> bool:
        for kind, patterns in (self.sans or {}).items():
            if isinstance(name, _SANS[kind]):
                return any(matches(pattern, str(name.value)) for pattern in patterns)
        return False

    def adapt(self, request: CertificateRequest) -> tuple[CertificateRequest, list[str]]:
        """The request as this profile wants it, and in words what differs from what was asked for."""
        changes: list[str] = []
        if self.key_usage is None and not self.extended_key_usage and self.max_validity is None:
            return request, changes
        extensions = list(request.extensions)
        constraints = x509_parts.asked_extension(request.extensions, x509.BasicConstraints)
        ca = self.ca_path_length is not None and constraints is not None and constraints.ca
        usage = self._key_usage(ca=ca)
        for wanted, what in ((usage, "key usage"), (self._extended(), "extended key usage")):
            if wanted is None:
                continue
            asked = [extension for extension in extensions if extension.oid == wanted.oid]
            if asked and asked[0].value != wanted:
                changes.append(f"{what} of the profile")
            extensions = [extension for extension in extensions if extension.oid != wanted.oid]
            critical = asked[0].critical if asked else wanted is usage  # RFC 5280, 4.2.1.3
            extensions.append(x509.Extension(wanted.oid, critical, wanted))
        end = request.not_after
        if self.max_validity is not None and end is not None:
            now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
            begin = max(request.not_before or now, now)
            if end - begin > self.max_validity:
                end = begin + self.max_validity
                changes.append("validity of the profile")
        return replace(request, extensions=x509.Extensions(extensions), not_after=end), changes

    def default_validity(self, otherwise: datetime.timedelta) -> datetime.timedelta:
        """How long a certificate is valid when the request does not say."""
        found = otherwise if self.validity is None else self.validity
        return found if self.max_validity is None else min(found, self.max_validity)

    def own_extensions(self) -> list[x509.ExtensionType]:
        """What goes into a certificate besides."""
        found: list[x509.ExtensionType] = []
        if self.crl_url is not None:
            name = x509.UniformResourceIdentifier(self.crl_url)
            found.append(x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)]))
        if self.policies:
            found.append(x509.CertificatePolicies([x509.PolicyInformation(p, None) for p in self.policies]))
        return found

    def template(self) -> bytes:
        """A CertReqTemplateContent (RFC 9810, section 5.3.19.16) as DER: what to ask for."""
        wanted = [extension for extension in (self._key_usage(), self._extended()) if extension is not None]
        extensions = b"".join(
            der.encode(
                der.SEQUENCE,
                der.encode_oid(extension.oid.dotted_string),
                der.encode(der.OCTET_STRING, extension.public_bytes()),
            )
            for extension in wanted
        )
        template = der.encode(der.SEQUENCE, der.encode(explicit(9), extensions) if extensions else b"")
        controls = [_control(kind, self.rsa_bits) for kind in sorted(self.keys or ())]
        return der.encode(der.SEQUENCE, template, der.encode(der.SEQUENCE, *controls) if controls else b"")

    def _key_usage(self, *, ca: bool = False) -> x509.KeyUsage | None:
        if self.key_usage is None:
            return None
        usages = [_KEY_USAGES[name] for name in self.key_usage]
        return issuing.key_usage(**dict.fromkeys([*usages, *(issuing.CA_USAGES if ca else ())], True))

    def _extended(self) -> x509.ExtendedKeyUsage | None:
        return None if not self.extended_key_usage else x509.ExtendedKeyUsage(self.extended_key_usage)


_FREE = Profile()


def length_needed(profiles: Mapping[str, Profile] | None) -> int:
    """The pathLenConstraint of an issuing CA that has these profiles."""
    lengths = (profile.ca_path_length for profile in (profiles or {}).values())
    return max((length + 1 for length in lengths if length is not None), default=0)


def matches(pattern: re.Pattern[str], text: str) -> bool:
    """Whether an operator's regular expression is for all of a client's name, which may be of any length."""
    return len(text) <= _MAX_TEXT and pattern.fullmatch(text) is not None


def choose(profiles: Mapping[str, Profile] | None, name: str | None, bound: str | None) -> Profile | Rejected:
    """The profile that a request gets.

    Args:
        profiles: by name; None when names do not matter.
        name: what the request names, in its header or by its path.
        bound: the only one for its client, if there is any.
    """
    if bound is not None:
        if name not in (None, bound):
            return Rejected(FailureInfo.unacceptedPolicy, "not the certificate profile of this client")
        name, profiles = bound, profiles or {}
    if profiles is None:
        return _FREE
    if name is None:
        return profiles.get(DEFAULT) or _FREE
    return profiles.get(name) or Rejected(FailureInfo.unacceptedPolicy, "no such certificate profile")


def duration(value: Any) -> datetime.timedelta:
    """A time as ``"90d"``, ``"12h"``, ``"30m"``, ``"10s"``. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,6})([dhms])", value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f'{value!r} is no duration like "90d" or "12h"')
    return datetime.timedelta(**{_UNITS[found[2]]: int(found[1])})


def no(text: str) -> Rejected:
    """Why somebody does not get the certificate that is asked for."""
    return Rejected(FailureInfo.badCertTemplate, text)


def _kind(key: Any) -> str | None:
    """The name of a kind of key."""
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return next((name for name, (curve, _) in _CURVES.items() if curve == key.curve.name), None)
    return next((name for name, (cls, _) in _EDWARDS.items() if isinstance(key, cls)), None)


def _control(kind: str, rsa_bits: int) -> bytes:
    """An AttributeTypeAndValue of a keySpec."""
    if kind == "RSA":
        return der.encode(der.SEQUENCE, der.encode_oid(oids.RSA_KEY_LEN), der.encode_integer(rsa_bits))
    algorithm_oids = (oids.EC, _CURVES[kind][1]) if kind in _CURVES else (_EDWARDS[kind][1],)
    algorithm = der.encode(der.SEQUENCE, *map(der.encode_oid, algorithm_oids))
    return der.encode(der.SEQUENCE, der.encode_oid(oids.ALG_ID), algorithm)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text, not {value!r}")
    return value


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"a list of texts, not {value!r}")
    return [_string(one) for one in value]


def _oid(value: str, names: Mapping[str, x509.ObjectIdentifier]) -> x509.ObjectIdentifier:
    try:
        return names.get(value) or x509.ObjectIdentifier(value)
    except ValueError:
        what = f"neither a dotted OID nor one of {', '.join(names)}" if names else "no dotted OID"
        raise ValueError(f"{value!r} is {what}") from None


def _pattern(value: Any) -> re.Pattern[str]:
    try:
        return re.compile(_string(value))
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None


def _read_sans(value: Any) -> dict[str, tuple[re.Pattern[str], ...]]:
    if not isinstance(value, Mapping):
        raise ValueError("a table of lists")
    return {kind: tuple(map(_pattern, _strings(patterns))) for kind, patterns in value.items()}
