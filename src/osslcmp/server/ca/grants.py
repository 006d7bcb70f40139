"""Who may have what: the names, usages and extensions that the embedded CA gives when no profile says otherwise."""

from __future__ import annotations

import datetime
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..._arguments import checked
from ..._asn1 import der, oids, x509_parts
from ...enums import BodyType, FailureInfo
from ..authority import CertificateRequest, Rejected
from . import issuing
from .profiles import Profile, matches, no

MAX_NAMES = 500
MAX_USES = 2**31 - 1
_EMPTY = b"\x30\0"
_DONT_PUBLISH = (b"\x30\3\2\1\0",)
"""A PKIPublicationInfo: nothing is published here."""


def _oids(*dotted: str) -> frozenset[x509.ObjectIdentifier]:
    return frozenset(map(x509.ObjectIdentifier, dotted))


_HARMLESS = _oids(*oids.IPSEC, *oids.SSH) | {
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
}
"""Of RFC 5280's arc, those that speak for their owner alone: TLS, e-mail, IPsec, SSH."""
_POWERFUL = _oids(oids.ANY_EXTENDED_KEY_USAGE, oids.KERBEROS_KDC, *oids.MICROSOFT_PURPOSES)
_AUTHORITIES = _oids(oids.CMC_CA, oids.CMC_RA, oids.CMC_ARCHIVE, oids.CM_KGA)
_LOGONS = _oids(oids.MICROSOFT_UPN, oids.KERBEROS_PRINCIPAL, oids.MICROSOFT_NTDS_REPLICATION)
"""otherNames by which Windows and Kerberos know an account."""
_LABEL = re.compile(r"[A-Za-z0-9_*]([A-Za-z0-9_*-]{0,61}[A-Za-z0-9_*])?")
_IGNORED = frozenset("\u034f\u180b\u180c\u180d\ufffc") | {chr(code) for code in range(0xFE00, 0xFE10)}


@checked
@dataclass(frozen=True)
class Binding:
    """What a shared secret is good for."""

    names: re.Pattern[str] | None = None
    """What the whole subject (RFC 4514) must match, and each alternative name that is not the subject's CN, too."""
    profile: str | None = None
    """The one profile of certificates that its client gets."""
    expires: datetime.datetime | None = None
    """From when on nothing new may be begun under it (a time without a zone is UTC); what was begun before goes on."""
    uses: int | None = None
    """How many certificates are issued under it, whatever becomes of them; None: any number."""

    def __post_init__(self) -> None:
        if self.uses is not None and not 1 <= self.uses <= MAX_USES:
            raise ValueError(f"uses: 1 to {MAX_USES}, not {self.uses}")
        if self.expires is not None and self.expires.tzinfo is None:
            object.__setattr__(self, "expires", self.expires.replace(tzinfo=datetime.timezone.utc))

    def refuse_expired(self) -> Rejected | None:
        """Why nothing new may be begun under the secret now; None when it may."""
        if self.expires is None or self.expires > datetime.datetime.now(datetime.timezone.utc):
            return None
        return Rejected(FailureInfo.notAuthorized, "the secret of this reference has expired")

    def refuse_use(self, used: int) -> Rejected | None:
        """Why no certificate is issued under the secret after so many; None when one is."""
        if self.uses is None or used < self.uses:
            return None
        return Rejected(FailureInfo.notAuthorized, "the secret of this reference is used up")

    def refuse(self, subject: x509.Name | None, sans: Iterable[x509.GeneralName]) -> Rejected | None:
        """Why the client may not have these names; None when it may."""
        if self.names is None:
            return None
        common = {text_key(value) for value in _common_names(subject)}
        whole = "" if subject is None else subject.rfc4514_string()
        others = (name for name in sans if not _keys(name) <= common)
        for text in (whole, *map(_plain, others)):
            if text is None or not matches(self.names, text):
                return no("the secret of this reference is not for this name")
        return None


@checked
@dataclass(frozen=True, kw_only=True)
class Grants:
    """What clients may have although no profile says so. By default nothing that gives power over others."""

    any_usage: bool = False
    """Extended key usages that give power over others: codeSigning, timeStamping, OCSPSigning, anyExtendedKeyUsage and
    all of RFC 5280's arc but those for TLS, e-mail, IPsec and SSH. Those of CMP are by profile in any case."""
    any_extension: bool = False
    """Certificate policies and ``id-pkix-ocsp-nocheck`` as asked for."""
    any_name: bool = False
    """Names of the CA's own certificates and hosts, wildcards, what is no host name, and control characters."""
    names_of_others: bool = False
    """Names in a valid certificate of another client."""
    names_beside_signer: bool = False
    """Other names than its own for a client that signs: those of the certificate that it signs with, or in a kur of the
    one that is updated. An RA enrols in any name, but does not change one in a kur."""
    raverified_by_anybody: bool = False
    """Proof of possession may be vouched for by who is no RA."""
    certificates: tuple[x509.Certificate, ...] = ()
    """Besides those of the CA, whose names nobody gets: that of the TLS server."""
    hosts: tuple[str, ...] = ()
    """Host names and addresses of the server, for nobody but by a profile with ``sans``."""

    @classmethod
    def all(cls) -> Grants:
        """Everything that is asked for, as tests want it."""
        return cls(
            any_usage=True,
            any_extension=True,
            any_name=True,
            names_of_others=True,
            names_beside_signer=True,
            raverified_by_anybody=True,
        )

    def refuse_usages(self, request: CertificateRequest, profile: Profile) -> Rejected | None:
        """Why the client may not have the extended key usages that it asks for."""
        if profile.extended_key_usage is not None:
            return None
        for usage in x509_parts.asked_extension(request.extensions, x509.ExtendedKeyUsage) or ():
            if usage in _AUTHORITIES:
                return no("no certificates of CMP authorities are issued here")
            if not self.any_usage and _is_powerful(usage):
                return no(f"extended key usage {usage.dotted_string} only by profile")
        return None

    def refuse_vouching(self, request: CertificateRequest) -> Rejected | None:
        """Why the client may not vouch for proof of possession."""
        by_ra = request.signer is not None and issuing.is_ra(request.signer)
        if not request.ra_verified or self.raverified_by_anybody or by_ra:
            return None
        return Rejected(FailureInfo.notAuthorized, "raVerified from somebody who is no RA")

    def refuse_names(
        self,
        request: CertificateRequest,
        profile: Profile,
        old: x509.Certificate | None,
        own: Iterable[x509.Certificate],
    ) -> Rejected | None:
        """Why nobody, or not this client, may have the names that it asks for, whoever else has them.

        Args:
            request: what is asked for.
            profile: says what else it may have.
            old: the certificate that a kur updates.
            own: certificates of the CA itself.
        """
        subject, sans = wanted(request, old)
        if not self.any_name:
            refusal = _refuse_form(subject, sans, profile)
            if refusal is not None:
                return refusal
            taken = set(map(_host, self.hosts if profile.sans is None else ()))
            for certificate in (*own, *self.certificates):
                taken |= _names_taken_by(certificate)
            if not taken.isdisjoint((*names_of(subject, sans), *_hosts(sans))):
                return no("a name of the CA or of its server")
        return None if self.names_beside_signer else _refuse_other_names(request, profile, old, subject, sans)


def wanted(
    request: CertificateRequest, old: x509.Certificate | None
) -> tuple[x509.Name | None, list[x509.GeneralName]]:
    """The subject and the alternative names of the certificate that is asked for."""
    subject = request.subject
    if subject is None and old is not None and request.type is BodyType.KUR:
        subject = old.subject
    sans = x509_parts.asked_extension(request.extensions, x509.SubjectAlternativeName)
    return subject, list(sans or ())


def names_in(certificate: x509.Certificate) -> tuple[x509.Name, list[x509.GeneralName]]:
    """The subject and the alternative names of a certificate; of one that is unreadable, the subject alone."""
    try:
        names = x509_parts.find_extension(certificate, x509.SubjectAlternativeName)
    except ValueError:
        names = None
    return certificate.subject, list(names or ())


@lru_cache(maxsize=64)
def _names_taken_by(certificate: x509.Certificate) -> frozenset[str]:
    """What nobody else gets because of a certificate of the CA, of which there are few."""
    subject, sans = names_in(certificate)
    return names_of(subject, sans).union(_hosts(sans))


def names_of(subject: x509.Name | None, sans: Iterable[x509.GeneralName]) -> frozenset[str]:
    """By what a certificate is known: the same texts for names that are equal (RFC 5280, section 7)."""
    found = {text_key(value) for value in _common_names(subject)}
    if subject is not None and subject.rdns:
        found.add(name_key(subject))
    for name in sans:
        found |= _keys(name)
    return frozenset(found)


def text_key(text: str) -> str:
    """The key of a text, one for all that a directory takes for equal: case, width, spaces and invisible ones do not
    (RFC 4518 as RFC 5280, section 7.1, wants it)."""
    if text.isascii() and text.isprintable():
        return " ".join(text.casefold().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    compared = (
        " " if one.isspace() else one
        for one in folded
        if one.isspace() or (unicodedata.category(one) not in ("Cc", "Cf") and one not in _IGNORED)
    )
    return " ".join("".join(compared).split())


@lru_cache(maxsize=128)
def name_key(name: x509.Name) -> str:
    """A key that is equal for distinguished names that are equal, whatever their string types."""
    rdns = [sorted((part.oid.dotted_string, _value_key(part.value)) for part in rdn) for rdn in name.rdns]
    return f"dn:{rdns!r}"


def typed_key(text: str) -> str:
    """By what ``names_of`` knows a name that somebody types: a DN as RFC 4514 has it, a CN or an alternative name."""
    try:
        return name_key(x509.Name.from_rfc4514_string(text))
    except ValueError:
        return _host(text)


def not_as_asked(template: bytes | None, issued: x509.Certificate, issuer: x509.Certificate) -> list[str]:
    """In words what a CertTemplate names that the CA alone decides (RFC 4211, section 5), where that differs from what is
    issued.

    No reason to refuse: OpenSSL's clients ask for the issuer of the certificate that they sign with.
    """
    fields = {} if template is None else {field.tag: field.content for field in der.sequence(template)}
    changes = []
    if fields.get(der.implicit(0), b"\2") != b"\2":
        changes.append("version 3")
    named = fields.get(der.explicit(3), _EMPTY)
    if named != _EMPTY and name_key(x509_parts.read_name(named)) != name_key(issuer.subject):
        changes.append("issuer of the CA")
    algorithm = der.children(fields.get(der.explicit(2), b""))
    if algorithm and der.dotted(algorithm[0]) != issued.signature_algorithm_oid.dotted_string:
        changes.append("signature algorithm of the CA")
    for tag, what in (
        (der.implicit(1), "serial number of the CA"),
        (der.implicit(7), "issuerUniqueID left out"),
        (der.implicit(8), "subjectUniqueID left out"),
    ):
        if tag in fields:
            changes.append(what)
    return changes


def not_heeded(request: CertificateRequest) -> list[str]:
    """In words what the controls and the registration info of a request ask for that is not done here. A regToken and an
    authenticator ask for nothing: they tell who it is."""
    return [
        f"{one.name} not heeded"
        for one in (*request.controls, *request.reg_info)
        if not (one.name == "oldCertID" and request.type is BodyType.KUR)
        and not one.secret
        and one.value not in _DONT_PUBLISH
    ]


def _value_key(value: str | bytes) -> str:
    return text_key(value) if isinstance(value, str) else value.hex()


def _keys(name: x509.GeneralName) -> frozenset[str]:
    """As ``names_of``, of one alternative name."""
    if isinstance(name, x509.DirectoryName):
        return names_of(name.value, ())
    if isinstance(name, (x509.DNSName, x509.IPAddress)):
        return frozenset({_host(str(name.value))})
    text = _plain(name)
    if text is None and isinstance(name, x509.OtherName):
        found = x509_parts.string_in(name.value)
        kind = name.type_id.dotted_string
        # RFC 9598: an address like any other.
        text = found if kind == oids.SMTP_UTF8_MAILBOX or found is None else f"{kind}:{found}"
    return frozenset({text_key(text) if text is not None else repr(name)})


def _plain(name: x509.GeneralName) -> str | None:
    """The text of an alternative name, None when it has none."""
    if isinstance(name, (x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier, x509.IPAddress)):
        return str(name.value)
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string()
    return name.value.dotted_string if isinstance(name, x509.RegisteredID) else None


def _host(text: str) -> str:
    """A key that is equal for a host however it is written."""
    key = text_key(text).rstrip(".")
    if not key.isascii():
        with suppress(UnicodeError):
            key = key.encode("idna").decode()
    bare = key.strip("[]")
    if ":" not in bare and not bare[-1:].isdigit():  # as with most names: to be told so takes long
        return key
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return key
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _hosts(sans: Iterable[x509.GeneralName]) -> Iterator[str]:
    """The hosts that URIs speak of."""
    for name in sans:
        if isinstance(name, x509.UniformResourceIdentifier):
            try:
                host = urlsplit(name.value).hostname
            except ValueError:
                continue
            if host:
                yield _host(host)


def _common_names(subject: x509.Name | None) -> Iterator[str]:
    for part in () if subject is None else subject:
        if part.oid in (NameOID.COMMON_NAME, NameOID.EMAIL_ADDRESS) and isinstance(part.value, str):
            yield _host(part.value)


def _refuse_form(
    subject: x509.Name | None, sans: list[x509.GeneralName], profile: Profile
) -> Rejected | None:
    """What is wrong with names whoever asks for them."""
    if len(sans) > MAX_NAMES:
        return no(f"more than {MAX_NAMES} alternative names")
    parts = [part.value for part in subject or ()]
    if parts and not any(_value_key(value) for value in parts):
        return no("the subject is blank")
    for text in (*parts, *map(_plain, sans)):
        if isinstance(text, str) and any(unicodedata.category(one) == "Cc" for one in text):
            return no("a control character in a name")
    wild = any(name == "*" or name.startswith("*.") for name in _common_names(subject))
    if wild and profile.subject is None:
        return no("wildcards only by profile")
    refusals = (_refuse_alternative(name, profile) for name in sans)
    return next(filter(None, refusals), None)


def _refuse_alternative(name: x509.GeneralName, profile: Profile) -> Rejected | None:
    if isinstance(name, x509.OtherName) and name.type_id in _LOGONS:
        return no("no names of accounts are certified here")
    text = _plain(name)
    if text is not None and not text_key(text):
        return no("an empty alternative name")
    if isinstance(name, x509.DNSName):
        if len(name.value) > 253 or not all(map(_LABEL.fullmatch, name.value.removesuffix(".").split("."))):
            return no("a DNS name that is no host name")
        if "*" in name.value and profile.sans is None:
            return no("wildcards only by profile")
    networks = (ipaddress.IPv4Network, ipaddress.IPv6Network)
    is_network = isinstance(name, x509.IPAddress) and isinstance(name.value, networks)
    return no("a network is no address") if is_network else None


def _refuse_other_names(
    request: CertificateRequest,
    profile: Profile,
    old: x509.Certificate | None,
    subject: x509.Name | None,
    sans: list[x509.GeneralName],
) -> Rejected | None:
    """Whether a client that has a certificate asks for other names than those in it."""
    if request.type is BodyType.KUR:
        own, whose = old, "that is updated"
    elif request.signer is None or issuing.is_ra(request.signer) or profile.names == "any":
        return None
    else:
        own, whose = request.signer, "that signs"
    if own is None:
        return None
    theirs = names_of(*names_in(own))
    if subject is not None and subject.rdns and name_key(subject) != name_key(own.subject):
        return no(f"the subject is not that of the certificate {whose}")
    if not names_of(None, sans) <= theirs:
        return no(f"an alternative name that is not in the certificate {whose}")
    return None


def _is_powerful(usage: x509.ObjectIdentifier) -> bool:
    in_arc = usage.dotted_string.startswith(f"{oids.ID_KP}.")
    return usage in _POWERFUL or (in_arc and usage not in _HARMLESS)
