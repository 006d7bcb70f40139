"""How the embedded CA makes certificates, with ``cryptography``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from ..._asn1 import der, oids, x509_parts
from ..._openssl import inputs
from ..._openssl.certificate_check import CertificateCheck
from ..._openssl.convert import encoded, look_alike
from ..._openssl.public_keys import is_sound, key_size, key_value
from ...enums import BodyType, FailureInfo
from ..authority import CertificateRequest, Rejected
from .signing import Signing, algorithm, key_identifier, names_curve

Pair = tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes]
PairInput = tuple[inputs.CertificateInput, CertificateIssuerPrivateKeyTypes]

CMC_CA = x509.ObjectIdentifier(oids.CMC_CA)
CM_KGA = x509.ObjectIdentifier(oids.CM_KGA)
CMC_RA = x509.ObjectIdentifier(oids.CMC_RA)
CA_VALIDITY = datetime.timedelta(days=3650)
CA_USAGES = ("key_cert_sign", "crl_sign")
_LATEST = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)
BACKDATE = datetime.timedelta(minutes=5)
MIN_RSA_BITS = 2048
_WRITTEN = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
"""Keys that ``cryptography`` mostly writes as they are asked for; for others it is given this one, which is replaced."""
_ANY_KEY = ed25519.Ed25519PublicKey.from_public_bytes(bytes(32))

# Taken from a request as they are.
_COPIED = (x509.SubjectAlternativeName, x509.ExtendedKeyUsage, x509.TLSFeature)
# Likewise, where the CA says nothing of its own by them.
_COPIED_FREELY = (*_COPIED, x509.CertificatePolicies, x509.OCSPNoCheck)


def now() -> datetime.datetime:
    """In full seconds, as certificates have it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def public_key_info(certificate: x509.Certificate) -> bytes:
    """The key of a certificate as a DER SubjectPublicKeyInfo, the same for the same key."""
    return key_value(x509_parts.public_key_info(certificate))


@lru_cache(maxsize=32)  # asked several times of the signer of a message
def is_ra(certificate: x509.Certificate) -> bool:
    """The certificate has the extended key usage of a registration authority (id-kp-cmcRA)."""
    try:
        usages = x509_parts.find_extension(certificate, x509.ExtendedKeyUsage)
    except ValueError:
        return False
    return usages is not None and CMC_RA in usages


def path_length(certificate: x509.Certificate) -> int | None:
    """The pathLenConstraint of a CA certificate, None if it has none or cannot be read."""
    try:
        constraints = x509_parts.find_extension(certificate, x509.BasicConstraints)
    except ValueError:
        return None
    return None if constraints is None else constraints.path_length


@lru_cache(maxsize=64)
def key_usage(**wanted: bool) -> x509.KeyUsage:
    """A key usage extension.

    Args:
        wanted: the usages it has, by the names of the arguments of ``x509.KeyUsage``; the others it has not.
    """
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in x509_parts.KEY_USAGES})


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: Any,
    start: datetime.datetime,
    end: datetime.datetime,
    identifier: x509.SubjectKeyIdentifier | None = None,
    others: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> x509.CertificateBuilder:
    """What is certified; of ``others``, extensions besides, whether they are critical. Each setter would make a builder."""
    first = identifier or x509.SubjectKeyIdentifier.from_public_key(key)
    begin, end = (moment.astimezone(datetime.timezone.utc).replace(tzinfo=None) for moment in (start, end))
    return x509.CertificateBuilder(
        issuer,
        subject,
        key if isinstance(key, _WRITTEN) else _ANY_KEY,
        x509.random_serial_number(),
        begin,
        end,
        [x509.Extension(value.oid, critical, value) for value, critical in ((first, False), *others)],
    )


@lru_cache(maxsize=16)
def authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The extension of what this certificate's key signs."""
    identifier = _own_identifier(issuer) or key_identifier(x509_parts.public_key_info(issuer))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _own_identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier | None:
    return x509_parts.find_extension(certificate, x509.SubjectKeyIdentifier)


def make_ca(name: str, parent: Pair | None, path_length: int | None) -> Pair:
    """A P-256 CA certificate and its key, signed by the parent or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    except ValueError as error:
        raise ValueError(f"name: {error}") from None
    begin = now()
    end = begin + CA_VALIDITY
    if parent is not None:
        end = min(end, parent[0].not_valid_after_utc)
    issuer = subject if parent is None else parent[0].subject
    builder = (
        _builder(subject, issuer, key.public_key(), begin - BACKDATE, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    if parent is None:
        return Signing.with_key(key).certificate(builder), key
    builder = builder.add_extension(authority_key(parent[0]), critical=False)
    return Signing(*parent).certificate(builder), key


@dataclass(frozen=True)
class Generation:
    """A root CA and the issuing CA below it."""

    root: x509.Certificate
    root_key: CertificateIssuerPrivateKeyTypes | None
    """None when it was taken away to a safe place."""
    issuer: x509.Certificate
    issuer_key: CertificateIssuerPrivateKeyTypes
    new_with_old: x509.Certificate | None = None
    """The root's key, certified by the root before it."""
    old_with_new: x509.Certificate | None = None
    """The key of the root before it, certified by this root."""


def update_root(old: Generation) -> Generation:
    """A new root of the same name with a new key, the same issuing CA below it, and what connects old and new."""
    assert old.root_key is not None
    subject = old.root.subject
    key = ec.generate_private_key(ec.SECP256R1())
    begin = now()

    def certify(
        like: x509.Certificate, info: bytes, issuer: x509.Certificate | None, signing: Signing
    ) -> x509.Certificate:
        """A CA certificate like another one, for this key."""
        end = begin + CA_VALIDITY
        if issuer is not None:
            end = min(end, like.not_valid_after_utc, issuer.not_valid_after_utc)
        found = x509_parts.find_extension(like, x509.BasicConstraints)
        identifier = _own_identifier(like) if info == x509_parts.public_key_info(like) else None
        builder = (
            _builder(like.subject, subject, None, begin - BACKDATE, end, identifier or key_identifier(info))
            .add_extension(found or x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        )
        if issuer is not None:
            builder = builder.add_extension(authority_key(issuer), critical=False)
        return signing.certificate(builder, info)

    own = Signing.with_key(key)
    root = certify(old.root, own.info, None, own)
    same = old.issuer == old.root
    by_new, by_old = Signing(root, key), Signing(old.root, old.root_key)
    info_of = x509_parts.public_key_info
    return Generation(
        root=root,
        root_key=key,
        issuer=root if same else certify(old.issuer, info_of(old.issuer), root, by_new),
        issuer_key=key if same else old.issuer_key,
        new_with_old=certify(old.root, own.info, old.root, by_old),
        old_with_new=certify(old.root, info_of(old.root), root, by_new),
    )


def make_server_certificate(
    name: str,
    issuer: x509.Certificate,
    signing: Signing,
    usages: Iterable[x509.ObjectIdentifier] = (CMC_CA, CM_KGA),
    names: Iterable[x509.GeneralName] = (),
) -> Pair:
    """A P-256 certificate, by default for the server's own messages, and its key."""
    if issuer.not_valid_after_utc <= now():
        raise ValueError(f"the certificate of the CA has expired: {issuer.subject.rfc4514_string()}")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, issuer.subject, key.public_key(), now() - BACKDATE, issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(authority_key(issuer), critical=False)
    )
    if names := tuple(names):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return signing.certificate(builder), key


def try_issuing(root: inputs.AnyCertificate, issuer: inputs.AnyCertificate, signing: Signing) -> None:
    """Raise ValueError, or what the key raises, if OpenSSL would take nothing that this CA issues, at any time: better now
    than when the first client asks."""
    x509_parts.only_strings(x509_parts.subject_of(encoded(issuer)))
    own, above = look_alike(encoded(issuer)), look_alike(encoded(root))
    end = min(own.not_valid_after_utc, above.not_valid_after_utc)
    if max(own.not_valid_before_utc, above.not_valid_before_utc) >= end:
        raise ValueError("the validity ends before it begins")
    moment = end - datetime.timedelta(seconds=1)
    # An empty name keeps all name constraints.
    name = x509.Name([] if own.subject.rdns else [x509.NameAttribute(NameOID.COMMON_NAME, "trial")])
    builder = _builder(name, own.subject, None, moment, end, key_identifier(signing.info))
    builder = builder.add_extension(authority_key(own), critical=False)
    check = CertificateCheck(trusted=root, time=moment, partial_chain=True)
    failure = check.failure(signing.certificate(builder, signing.info), [encoded(issuer)])
    if failure is not None:
        raise ValueError(f"OpenSSL does not take what is issued: {failure}")


CURVES = {oids.P256: ec.SECP256R1(), oids.P384: ec.SECP384R1(), oids.P521: ec.SECP521R1()}
"""By OID."""


def make_key(wanted: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Rejected:
    """Make a key for somebody else.

    Args:
        wanted: a DER SubjectPublicKeyInfo of which only the algorithm is meant: RSA, or EC on a NIST curve; or empty
            for any.
    """
    if not wanted:
        return ec.generate_private_key(ec.SECP256R1())
    algorithm = der.sequence(der.sequence(wanted)[0].encoding)
    named = [der.dotted(part) if part.tag == der.OID else "" for part in algorithm]
    if named[0] == oids.RSA:
        return rsa.generate_private_key(65537, MIN_RSA_BITS)
    curve = CURVES.get(named[1]) if named[0] == oids.EC and len(named) > 1 else None
    if curve is None:
        return Rejected(FailureInfo.badCertTemplate, "no keys of this kind are made here")
    return ec.generate_private_key(curve)


def issue(
    request: CertificateRequest,
    issuer: x509.Certificate,
    signing: Signing,
    validity: datetime.timedelta,
    old: x509.Certificate | None,
    own: Iterable[x509.ExtensionType] = (),
    *,
    freely: bool = True,
    ca_path_length: int | None = None,
    is_own: Callable[[x509.Name], bool] = lambda _: False,
) -> tuple[x509.Certificate, list[str]] | Rejected:
    """Make the certificate that is asked for, as far as is sane.

    Args:
        request: what is asked for.
        issuer: certificate of the CA.
        signing: makes its signatures.
        validity: when the request asks for none.
        old: the certificate that is updated; its subject is kept when the request names none.
        own: extensions that go into it besides, instead of any such in the request.
        freely: take certificate policies and OCSPNoCheck as they are asked for.
        ca_path_length: issue a CA certificate if one is asked for, with at most this pathLenConstraint.
        is_own: tells the names of this CA, which no CA certificate gets.

    Returns:
        The certificate, and in words what differs from the request.
    """
    key, info = request.public_key, request.public_key_info
    subject = request.subject
    if subject is None:
        subject = old.subject if old is not None and request.type is BodyType.KUR else x509.Name([])
    asked = {extension.oid: extension for extension in request.extensions}
    changes: list[str] = []
    refusal = _unfit(key, info) or _nameless(subject, asked.get(x509.SubjectAlternativeName.oid))
    if refusal is not None:
        return Rejected(FailureInfo.badCertTemplate, refusal)
    period = _period(request, issuer, validity, changes)
    if isinstance(period, str):
        return Rejected(FailureInfo.badCertTemplate, period)
    wanted = asked.pop(x509.BasicConstraints.oid, None)
    constraints = _constraints(wanted, subject, ca_path_length, is_own, changes)
    if isinstance(constraints, str):
        return Rejected(FailureInfo.badCertTemplate, constraints)
    usage = asked.pop(x509.KeyUsage.oid, None)
    usages = _ca_usage(usage, changes) if constraints.ca else _usage(info, usage, changes)
    # RFC 5280: a CA says critically that it is one.
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (constraints, constraints.ca or wanted is None or wanted.critical),
        (usages, usage is None or usage.critical),
    ]
    if constraints.ca and wanted is not None and not wanted.critical:
        changes.append("basicConstraints of a CA are critical")
    if constraints.ca and x509.NameConstraints.oid in asked:
        extensions.append((asked.pop(x509.NameConstraints.oid).value, True))
    # Made by the CA itself, whatever the request says.
    identifiers, own = (key_identifier(info), authority_key(issuer)), list(own)
    made = [(one, "CA") for one in identifiers if one.oid not in asked or not asked[one.oid].critical]
    for value, whose in (*made, *((one, "profile") for one in own)):
        extension = asked.pop(value.oid, None)
        if extension is not None and extension.value != value:
            changes.append(f"extension {value.oid.dotted_string} of the {whose}")
    for extension in asked.values():
        if isinstance(extension.value, _COPIED_FREELY if freely else _COPIED):
            # RFC 5280: alternative names are critical when they are all there is.
            alone = not subject.rdns and isinstance(extension.value, x509.SubjectAlternativeName)
            extensions.append((extension.value, extension.critical or alone))
        elif extension.critical:
            return Rejected(FailureInfo.unacceptedExtension, f"extension {extension.oid.dotted_string}")
        else:
            changes.append(f"extension {extension.oid.dotted_string} left out")
    others = [(identifiers[1], False), *extensions, *((one, False) for one in own)]
    builder = _builder(subject, issuer.subject, key, *period, identifiers[0], others)
    as_asked = isinstance(key, _WRITTEN) and key_value(info) == info
    return signing.certificate(builder, None if as_asked else info), changes


def _unfit(key: Any, info: bytes) -> str | None:
    """Why a key is not certified."""
    found = key_size(info)
    if found is None:
        return "no certificates are issued for this kind of key"
    if found[0] == "RSA" and found[1] < MIN_RSA_BITS:
        return f"RSA keys need {MIN_RSA_BITS} bits"
    if not names_curve(x509_parts.key_parts(info)[0]):
        return "a key for elliptic curves has to name its curve"
    return None if key is not None or is_sound(info) else "the key is not valid"


def _nameless(subject: x509.Name, sans: x509.Extension[Any] | None) -> str | None:
    named = subject.rdns or (sans is not None and list(sans.value))
    return None if named else "neither a subject nor alternative names"


def _period(
    request: CertificateRequest, issuer: x509.Certificate, validity: datetime.timedelta, changes: list[str]
) -> tuple[datetime.datetime, datetime.datetime] | str:
    """The validity asked for, as far as it is within that of the CA; or why there is none."""
    moment = now()
    start = request.not_before or moment - BACKDATE
    begin = max(start, moment)
    end = request.not_after or begin + min(validity, _LATEST - begin)
    if end <= start or end <= moment:
        return "the validity ends before it starts"
    if end <= issuer.not_valid_before_utc:
        return "the validity ends before that of the CA begins"
    if begin >= issuer.not_valid_after_utc:
        return "the certificate of the CA ends before the validity starts"
    within = max(start, issuer.not_valid_before_utc), min(end, issuer.not_valid_after_utc)
    changes.extend(
        "validity shortened"
        for wanted, limit in zip((request.not_before, request.not_after), within, strict=True)
        if wanted is not None and wanted != limit
    )
    return within


def _constraints(
    asked: x509.Extension[Any] | None,
    subject: x509.Name,
    ca_path_length: int | None,
    is_own: Callable[[x509.Name], bool],
    changes: list[str],
) -> x509.BasicConstraints | str:
    """What the certificate says of being a CA; or why there is none like that."""
    if asked is None or not asked.value.ca:
        return x509.BasicConstraints(ca=False, path_length=None)
    if ca_path_length is None:
        return "no CA certificates are issued here"
    if not subject.rdns:
        return "a CA needs a subject"
    if is_own(subject):  # its certificates and CRLs could be taken for those of this CA
        return "a CA with the name of this one"
    length = asked.value.path_length
    if length is None or length > ca_path_length:
        length = ca_path_length
        changes.append(f"pathLenConstraint {length} of the profile")
    return x509.BasicConstraints(ca=True, path_length=length)


def _ca_usage(asked: x509.Extension[Any] | None, changes: list[str]) -> x509.KeyUsage:
    """The key usage of a CA, with what is asked for besides."""
    if asked is None:
        return key_usage(**dict.fromkeys(CA_USAGES, True))
    usage = {name: getattr(asked.value, name) for name in x509_parts.KEY_USAGES if not name.endswith("_only")}
    if not usage["key_cert_sign"]:
        changes.append("key usage of a CA")
    return key_usage(**{**usage, "key_cert_sign": True})


def _usage(info: bytes, asked: x509.Extension[Any] | None, changes: list[str]) -> x509.KeyUsage:
    """The key usage asked for without what only a CA may do, or one that fits the key."""
    # The last two can be read only of a key that agrees on keys.
    names = x509_parts.KEY_USAGES[: None if asked is not None and asked.value.key_agreement else -2]
    found = [name for name in names if asked is not None and getattr(asked.value, name)]
    usages = dict.fromkeys((name for name in found if name not in CA_USAGES), True)
    if len(usages) < len(found):
        changes.append("key usage of a CA left out")
    if not usages:  # RFC 5280: there is one
        if asked is not None and not found:
            changes.append("key usage that there is none")
        kind = algorithm(info)
        if kind in (oids.X25519, *oids.KEY_AGREEMENTS):
            return key_usage(key_agreement=True)
        signs = kind not in oids.ML_KEM
        return key_usage(digital_signature=signs, key_encipherment=not signs or kind == oids.RSA)
    return key_usage(**usages)
