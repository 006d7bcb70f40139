"""How the embedded CA answers general messages (RFC 9810, section 5.3.19), on the level of DER."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..._asn1 import der
from ..._asn1 import x509_parts as _pieces
from ..._asn1.der import explicit
from ..._asn1.itav import InfoTypeAndValue
from .. import wire
from .grants import name_key
from .profiles import Profile
from .signing import EC_KEY, RSA_KEY

_ID_IT = "1.3.6.1.5.5.7.4."
SIGN_KEY_PAIR_TYPES = _ID_IT + "2"
CURRENT_CRL = _ID_IT + "6"
CA_CERTS = _ID_IT + "17"
ROOT_CA_KEY_UPDATE = _ID_IT + "18"
CERT_REQ_TEMPLATE = _ID_IT + "19"
ROOT_CA_CERT = _ID_IT + "20"
CRL_STATUS_LIST = _ID_IT + "22"
CRLS = _ID_IT + "23"

_EC_P256 = der.encode(der.SEQUENCE, der.encode_oid(EC_KEY), der.encode_oid("1.2.840.10045.3.1.7"))
_RSA = der.encode(der.SEQUENCE, der.encode_oid(RSA_KEY), der.encode(der.NULL))
_ED25519 = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))


class _CA(Protocol):
    """What is asked of the CA here."""

    @property
    def root(self) -> x509.Certificate: ...
    @property
    def chain(self) -> tuple[x509.Certificate, ...]: ...
    def crl(self) -> x509.CertificateRevocationList: ...
    def root_update(self, known: x509.Certificate | None) -> RootUpdate | None: ...


@dataclass(frozen=True)
class RootUpdate:
    """A new root CA certificate, and what connects it to the one before."""

    new_with_new: x509.Certificate
    new_with_old: x509.Certificate | None = None
    """The new key, certified by the old one."""
    old_with_new: x509.Certificate | None = None
    """The old key, certified by the new one."""


def answer(ca: _CA, info: InfoTypeAndValue, profile: Profile | None = None) -> InfoTypeAndValue | None:
    """The answer to one question; None when it is not understood.

    Args:
        ca: knows the answers.
        info: the question.
        profile: whose template is wanted, if there is any.

    Raises:
        ValueError: the question is malformed.

    An answer without a value says that there is nothing to tell.
    """
    oid = info.oid.dotted_string
    if oid == CA_CERTS:
        certificates = (*ca.chain, ca.root)
        return _info(oid, _list(certificate.public_bytes(Encoding.DER) for certificate in certificates))
    if oid == CURRENT_CRL:
        return _info(oid, ca.crl().public_bytes(Encoding.DER))
    if oid == CRL_STATUS_LIST:
        crl = ca.crl()
        if not _wants(crl, info.value):
            return _info(CRLS, None)
        return _info(CRLS, _list([crl.public_bytes(Encoding.DER)]))
    if oid == ROOT_CA_CERT:
        known = None if info.value is None else _pieces.read_certificate(info.value)
        return _info(ROOT_CA_KEY_UPDATE, _root_update(ca.root_update(known)))
    if oid == CERT_REQ_TEMPLATE:
        return _info(oid, None if profile is None else profile.template())
    if oid == SIGN_KEY_PAIR_TYPES:
        return _info(oid, _list([_EC_P256, _RSA, _ED25519]))
    return None


def _wants(crl: x509.CertificateRevocationList, statuses: bytes | None) -> bool:
    """Whether a client that tells in a CRLStatusListValue what it has would learn something from this CRL."""
    if statuses is None:
        return True
    known = []
    for status in der.sequence(statuses):
        fields = der.Fields(der.sequence(status.encoding))
        source = fields.take()
        moment = None if fields.done else der.moment(fields.take())
        if _is_source(source, crl.issuer):
            known.append(moment)
    return any(moment is None or moment < crl.last_update_utc for moment in known)


def _is_source(source: der.Element, issuer: x509.Name) -> bool:
    """Whether a CRLSource can mean the CRL of this issuer: it is named, or a distribution point is, and there are no
    others here."""
    if source.tag != explicit(1):
        return True
    names = map(wire.directory_name, (name.encoding for name in der.sequence(source.content)))
    own = name_key(issuer)
    return any(name is not None and name_key(_pieces.read_name(name)) == own for name in names)


def _root_update(update: RootUpdate | None) -> bytes | None:
    """A RootCaKeyUpdateContent."""
    if update is None:
        return None
    parts = [update.new_with_new.public_bytes(Encoding.DER)]
    for number, certificate in enumerate((update.new_with_old, update.old_with_new)):
        if certificate is not None:
            parts.append(der.encode(explicit(number), certificate.public_bytes(Encoding.DER)))
    return der.encode(der.SEQUENCE, *parts)


def _info(oid: str, value: bytes | None) -> InfoTypeAndValue:
    return InfoTypeAndValue(x509.ObjectIdentifier(oid), value)


def _list(items: Iterable[bytes]) -> bytes:
    return der.encode(der.SEQUENCE, *items)
