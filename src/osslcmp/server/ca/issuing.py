"""How the embedded CA makes certificates and CRLs, with ``cryptography``."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from ..._asn1 import der, oids, x509_parts
from ..._openssl import inputs
from ...enums import BodyType, FailureInfo, RevocationReason
from ..authority import CertificateRequest, Rejected
from .signing import Signing, algorithm, key_identifier, key_value, names_curve

Pair = tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes]
PairInput = tuple[inputs.CertificateInput, CertificateIssuerPrivateKeyTypes]
Entry = tuple[int, datetime.datetime, RevocationReason]
"""Serial number, time and reason of a revocation."""

CMC_CA = x509.ObjectIdentifier(oids.CMC_CA)
CM_KGA = x509.ObjectIdentifier(oids.CM_KGA)
CMC_RA = x509.ObjectIdentifier(oids.CMC_RA)
CA_VALIDITY = datetime.timedelta(days=3650)
CA_USAGES = ("key_cert_sign", "crl_sign")
CRL_VALIDITY = datetime.timedelta(days=7)
CRL_RENEWAL = datetime.timedelta(days=1)
CRL_INTERVAL = 1.0
REFRESH_INTERVAL = 5.0
"""Seconds after which those who ask for a CRL do not rely on it that the next one is made for them."""
FEW_ENTRIES = 1_000
"""Of a CRL that has no more, each change is shown at once."""
BACKDATE = datetime.timedelta(minutes=5)
MIN_RSA_BITS = 2048

# Taken from a request as they are.
_COPIED = (x509.SubjectAlternativeName, x509.ExtendedKeyUsage, x509.TLSFeature)
# Likewise, where the CA says nothing of its own by them.
_COPIED_FREELY = (*_COPIED, x509.CertificatePolicies, x509.OCSPNoCheck)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def public_key_info(certificate: x509.Certificate) -> bytes:
    """The key of a certificate as a DER SubjectPublicKeyInfo, the same for the same key."""
    return key_value(x509_parts.public_key_info(certificate))


def is_ra(certificate: x509.Certificate) -> bool:
    """The certificate has the extended key usage of a registration authority (id-kp-cmcRA)."""
    try:
        usages = x509_parts.find_extension(certificate, x509.ExtendedKeyUsage)
    except ValueError:
        return False
    return usages is not None and CMC_RA in usages


def asks_for_ca(extensions: x509.Extensions) -> bool:
    """Whether a request is for the certificate of a CA."""
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def path_length(certificate: x509.Certificate) -> int | None:
    """The pathLenConstraint of a CA certificate, None if it has none or cannot be read."""
    try:
        constraints = x509_parts.find_extension(certificate, x509.BasicConstraints)
    except ValueError:
        return None
    return None if constraints is None else constraints.path_length


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
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(identifier or x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = _own_identifier(issuer) or key_identifier(x509_parts.public_key_info(issuer))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _own_identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier | None:
    return x509_parts.find_extension(certificate, x509.SubjectKeyIdentifier)


def make_ca(name: str, parent: Pair | None, path_length: int | None) -> Pair:
    """A P-256 CA certificate and its key, signed by the parent or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = _now()
    end = now + CA_VALIDITY if parent is None else min(now + CA_VALIDITY, parent[0].not_valid_after_utc)
    issuer = subject if parent is None else parent[0].subject
    builder = (
        _builder(subject, issuer, key.public_key(), now - BACKDATE, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    if parent is None:
        return Signing.with_key(key).certificate(builder), key
    builder = builder.add_extension(_authority_key(parent[0]), critical=False)
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
    now = _now()

    def certify(
        like: x509.Certificate, info: bytes, issuer: x509.Certificate | None, signing: Signing
    ) -> x509.Certificate:
        """A CA certificate like another one, for this key."""
        end = now + CA_VALIDITY if issuer is None else min(now + CA_VALIDITY, like.not_valid_after_utc)
        if issuer is not None:
            end = min(end, issuer.not_valid_after_utc)
        constraints = x509_parts.find_extension(like, x509.BasicConstraints) or x509.BasicConstraints(
            True, None
        )
        public = serialization.load_der_public_key(info)
        identifier = _own_identifier(like) if info == x509_parts.public_key_info(like) else None
        builder = (
            _builder(like.subject, subject, public, now - BACKDATE, end, identifier or key_identifier(info))
            .add_extension(constraints, critical=True)
            .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        )
        if issuer is not None:
            builder = builder.add_extension(_authority_key(issuer), critical=False)
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


def make_server_certificate(name: str, issuer: x509.Certificate, signing: Signing) -> Pair:
    """A P-256 certificate for the server's own messages, and its key."""
    if issuer.not_valid_after_utc <= _now():
        raise ValueError(f"the certificate of the CA has expired: {issuer.subject.rfc4514_string()}")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, issuer.subject, key.public_key(), _now() - BACKDATE, issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([CMC_CA, CM_KGA]), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
    )
    return signing.certificate(builder), key


CURVES: dict[str, ec.EllipticCurve] = {
    oids.P256: ec.SECP256R1(),
    oids.P384: ec.SECP384R1(),
    oids.P521: ec.SECP521R1(),
}
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
    if key is None or isinstance(key, dsa.DSAPublicKey):
        return Rejected(FailureInfo.badCertTemplate, "no certificates are issued for this kind of key")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return Rejected(FailureInfo.badCertTemplate, f"RSA keys need {MIN_RSA_BITS} bits")
    if not names_curve(info):
        return Rejected(FailureInfo.badCertTemplate, "a key for elliptic curves has to name its curve")
    subject = request.subject
    if subject is None and old is not None and request.type is BodyType.KUR:
        subject = old.subject
    asked = {extension.oid: extension for extension in request.extensions}
    own = list(own)
    sans = asked.get(x509.SubjectAlternativeName.oid)
    if not (subject is not None and subject.rdns) and (sans is None or not list(sans.value)):
        return Rejected(FailureInfo.badCertTemplate, "neither a subject nor alternative names")
    changes: list[str] = []
    now = _now()
    start = request.not_before or now - BACKDATE
    end = request.not_after or max(start, now) + validity
    if end <= start or end <= now:
        return Rejected(FailureInfo.badCertTemplate, "the validity ends before it starts")
    if max(start, now) >= issuer.not_valid_after_utc:
        return Rejected(
            FailureInfo.badCertTemplate, "the certificate of the CA ends before the validity starts"
        )
    if end > issuer.not_valid_after_utc:
        end = issuer.not_valid_after_utc
        if request.not_after is not None:
            changes.append("validity shortened")
    if start < issuer.not_valid_before_utc:
        start = issuer.not_valid_before_utc
        if request.not_before is not None:
            changes.append("validity shortened")
    identifiers = key_identifier(info), _authority_key(issuer)
    builder = _builder(subject or x509.Name([]), issuer.subject, key, start, end, identifiers[0])
    builder = builder.add_extension(identifiers[1], critical=False)
    constraints = asked.pop(x509.BasicConstraints.oid, None)
    ca = constraints is not None and constraints.value.ca
    if ca:
        if ca_path_length is None:
            return Rejected(FailureInfo.badCertTemplate, "no CA certificates are issued here")
        if not (subject and subject.rdns):
            return Rejected(FailureInfo.badCertTemplate, "a CA needs a subject")
        if is_own(subject):
            # Its certificates and CRLs could be taken for those of this CA.
            return Rejected(FailureInfo.badCertTemplate, "a CA with the name of this one")
        length = constraints.value.path_length
        if length is None or length > ca_path_length:
            length = ca_path_length
            changes.append(f"pathLenConstraint {length} of the profile")
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
        if x509.NameConstraints.oid in asked:
            limits = asked.pop(x509.NameConstraints.oid).value
            builder = builder.add_extension(limits, critical=True)
    else:
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    usage = asked.pop(x509.KeyUsage.oid, None)
    builder = builder.add_extension(
        _ca_usage(usage, changes) if ca else _usage(key, info, usage, changes), critical=True
    )
    # Made by the CA itself, whatever the request says.
    made = [(one, "CA") for one in identifiers if one.oid not in asked or not asked[one.oid].critical]
    for value, whose in (*made, *((one, "profile") for one in own)):
        extension = asked.pop(value.oid, None)
        if extension is not None and extension.value != value:
            changes.append(f"extension {value.oid.dotted_string} of the {whose}")
    for extension in asked.values():
        if isinstance(extension.value, _COPIED_FREELY if freely else _COPIED):
            # RFC 5280: alternative names are critical when they are all there is.
            critical = extension.critical or (
                not (subject and subject.rdns) and isinstance(extension.value, x509.SubjectAlternativeName)
            )
            builder = builder.add_extension(extension.value, critical=critical)
        elif extension.critical:
            return Rejected(FailureInfo.unacceptedExtension, f"extension {extension.oid.dotted_string}")
        else:
            changes.append(f"extension {extension.oid.dotted_string} left out")
    for value in own:
        builder = builder.add_extension(value, critical=False)
    return signing.certificate(builder, info), changes


def _ca_usage(asked: x509.Extension[Any] | None, changes: list[str]) -> x509.KeyUsage:
    """The key usage of a CA, with what is asked for besides."""
    if asked is None:
        return key_usage(**dict.fromkeys(CA_USAGES, True))
    usage = {name: getattr(asked.value, name) for name in x509_parts.KEY_USAGES if not name.endswith("_only")}
    if not usage["key_cert_sign"]:
        changes.append("key usage of a CA")
    return key_usage(**{**usage, "key_cert_sign": True})


def _usage(key: Any, info: bytes, asked: x509.Extension[Any] | None, changes: list[str]) -> x509.KeyUsage:
    """The key usage asked for without what only a CA may do, or one that fits the key."""
    if asked is None:
        if isinstance(key, (x25519.X25519PublicKey, x448.X448PublicKey)):
            return key_usage(key_agreement=True)
        return key_usage(digital_signature=True, key_encipherment=algorithm(info) == oids.RSA)
    usage = asked.value
    if usage.key_cert_sign or usage.crl_sign:
        changes.append("key usage of a CA left out")
    return key_usage(
        digital_signature=usage.digital_signature,
        content_commitment=usage.content_commitment,
        key_encipherment=usage.key_encipherment,
        data_encipherment=usage.data_encipherment,
        key_agreement=usage.key_agreement,
        encipher_only=usage.key_agreement and usage.encipher_only,
        decipher_only=usage.key_agreement and usage.decipher_only,
    )


def make_crl(
    issuer: x509.Certificate,
    signing: Signing,
    revoked: Iterable[Entry],
    last: x509.CertificateRevocationList | None,
    made: dict[Entry, x509.RevokedCertificate] | None = None,
) -> x509.CertificateRevocationList:
    """The CRL that follows ``last``, with the next number and, as far as that is not in the future, a later thisUpdate.

    Args:
        issuer: certificate of the CA.
        signing: makes its signatures.
        revoked: what is on it.
        last: the CRL before it.
        made: entries of the CRL before it, which need not be made again; those of this one afterwards.
    """
    now = _now()
    number, start = 1, now - BACKDATE
    if last is not None:
        number += last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        start = min(max(start, last.last_update_utc + datetime.timedelta(seconds=1)), now)
    before = {} if made is None else made
    entries = {entry: before.get(entry) or _entry(*entry) for entry in revoked}
    if made is not None:
        made.clear()
        made.update(entries)
    # All at once: one after the other takes time in the square of their number.
    builder = x509.CertificateRevocationListBuilder(revoked_certificates=list(entries.values()))
    builder = (
        builder.issuer_name(issuer.subject)
        .last_update(start)
        .next_update(now + CRL_VALIDITY)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
    )
    return signing.crl(builder)


def _entry(serial: int, moment: datetime.datetime, reason: RevocationReason) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
    if reason > RevocationReason.unspecified:
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(reason.name)), critical=False)
    return entry.build()


class LastCRL:
    """The last CRL, at hand for everybody who asks; a new one is made when somebody does, by one thread at a time.

    One with many entries, which takes long to make, is good for a second, whatever is revoked meanwhile. Where ``refresh``
    is called once a second it makes the next one, and nobody who asks waits for that.

    Args:
        renew: returns the CRL as it has to be now, which may be the last one again.
    """

    def __init__(self, renew: Callable[[], x509.CertificateRevocationList]) -> None:
        self._renew = renew
        self._lock = threading.RLock()
        self._last: x509.CertificateRevocationList | None = None
        self._good_until = 0.0
        self._is_refreshing = False

    def get(self) -> x509.CertificateRevocationList:
        """The CRL."""
        last = self._last
        if last is not None and self._is_refreshing:
            return last
        with self._lock:
            begin = time.monotonic()
            if self._last is None or begin >= self._good_until:
                self._last = self._renew()
                self._good_until = begin + CRL_INTERVAL if len(self._last) > FEW_ENTRIES else begin
            return self._last

    def refresh(self) -> None:
        """Make the next one, if somebody has asked for one of many entries. To be called once a second."""
        if self._last is None or len(self._last) <= FEW_ENTRIES:
            return
        with self._lock:
            self._is_refreshing = True
            try:
                self._last = self._renew()
                self._good_until = time.monotonic() + REFRESH_INTERVAL
            finally:
                self._is_refreshing = False


def is_old(crl: x509.CertificateRevocationList) -> bool:
    """Whether a CRL is to be renewed, although nothing has changed."""
    return _now() - crl.last_update_utc > CRL_RENEWAL
