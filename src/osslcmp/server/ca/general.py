"""How the embedded CA answers general messages (RFC 9810, section 5.3.19), on the level of DER."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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
CA_PROT_ENC_CERT = _ID_IT + "1"
SIGN_KEY_PAIR_TYPES = _ID_IT + "2"
ENC_KEY_PAIR_TYPES = _ID_IT + "3"
PREFERRED_SYMM_ALG = _ID_IT + "4"
CA_KEY_UPDATE_INFO = _ID_IT + "5"
CURRENT_CRL = _ID_IT + "6"
KEY_PAIR_PARAM_REQ = _ID_IT + "10"
KEY_PAIR_PARAM_REP = _ID_IT + "11"
SUPP_LANG_TAGS = _ID_IT + "16"
CA_CERTS = _ID_IT + "17"
ROOT_CA_KEY_UPDATE = _ID_IT + "18"
CERT_REQ_TEMPLATE = _ID_IT + "19"
ROOT_CA_CERT = _ID_IT + "20"
CRL_STATUS_LIST = _ID_IT + "22"
CRLS = _ID_IT + "23"
HEADER_ONLY = frozenset(_ID_IT + number for number in ("13", "14", "15", "21"))
"""implicitConfirm, confirmWaitTime, origPKIMessage and certProfile belong into a header."""

_EC_P256 = der.encode(der.SEQUENCE, der.encode_oid(EC_KEY), der.encode_oid("1.2.840.10045.3.1.7"))
_RSA = der.encode(der.SEQUENCE, der.encode_oid(RSA_KEY), der.encode(der.NULL))
_ED25519 = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))
_X25519 = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.110"))
_AES256_CBC = der.encode(der.SEQUENCE, der.encode_oid("2.16.840.1.101.3.4.1.42"))
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""A language tag (RFC 5646)."""


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


class BadValueError(Exception):
    """A question has a value where it may have none, or none where it needs one."""


@dataclass(frozen=True)
class _Type:
    """One InfoType.

    Args:
        value: whether the question has a value; None where it may.
        answer: the type and the value of the answer.
    """

    value: bool | None
    answer: Callable[[_CA, bytes | None, Profile | None], tuple[str, bytes | None]]


def answer(ca: _CA, info: InfoTypeAndValue, profile: Profile | None = None) -> InfoTypeAndValue | None:
    """The answer to one question; None when it is not understood.

    Args:
        ca: knows the answers.
        info: the question.
        profile: whose template is wanted, if there is any.

    Raises:
        BadValueError: it has a value where it may have none, or none where it needs one.
        ValueError: the question is malformed.

    An answer without a value says that there is nothing to tell.
    """
    oid = info.oid.dotted_string
    if oid in HEADER_ONLY:
        raise BadValueError("an infoType that belongs into the header")
    kind = _TYPES.get(oid)
    if kind is None:
        return None
    if kind.value is not None and kind.value != (info.value is not None):
        raise BadValueError("an infoValue is missing" if kind.value else "an infoValue where none belongs")
    return _info(*kind.answer(ca, info.value, profile))


def _crls(ca: _CA, statuses: bytes | None, _: Profile | None) -> tuple[str, bytes | None]:
    crl = ca.crl()
    return CRLS, _list([crl.public_bytes(Encoding.DER)]) if _wants(crl, statuses) else None


def _newer_root(ca: _CA, known: bytes | None, _: Profile | None) -> tuple[str, bytes | None]:
    certificate = None if known is None else _pieces.read_certificate(known)
    return ROOT_CA_KEY_UPDATE, _root_update(ca.root_update(certificate))


def _announced(ca: _CA, _: bytes | None, __: Profile | None) -> tuple[str, bytes | None]:
    """A CAKeyUpdAnnContent, which has all three certificates."""
    update = ca.root_update(None)
    if update is None or update.old_with_new is None or update.new_with_old is None:
        return CA_KEY_UPDATE_INFO, None
    parts = (update.old_with_new, update.new_with_old, update.new_with_new)
    return CA_KEY_UPDATE_INFO, _list(part.public_bytes(Encoding.DER) for part in parts)


def _parameters(_: _CA, algorithm: bytes | None, __: Profile | None) -> tuple[str, bytes | None]:
    """What parameters keys of an algorithm are to have."""
    oid = der.dotted(der.read(algorithm or b"", der.OID))
    known = {EC_KEY: _EC_P256, RSA_KEY: _RSA}
    return KEY_PAIR_PARAM_REP, known.get(oid)


def _language(_: _CA, offered: bytes | None, __: Profile | None) -> tuple[str, bytes | None]:
    """The first English tag: texts are English here."""
    tags = [der.text(der.read(element.encoding, der.UTF8_STRING)) for element in der.sequence(offered or b"")]
    if not tags or not all(map(_TAG.fullmatch, tags)):
        raise BadValueError("no language tags")
    english = [tag for tag in tags if tag.lower().split("-")[0] == "en"]
    return SUPP_LANG_TAGS, _list([der.encode_text(english[0])]) if english else None


_TYPES = {
    CA_PROT_ENC_CERT: _Type(False, lambda *_: (CA_PROT_ENC_CERT, None)),
    SIGN_KEY_PAIR_TYPES: _Type(False, lambda *_: (SIGN_KEY_PAIR_TYPES, _list([_EC_P256, _RSA, _ED25519]))),
    ENC_KEY_PAIR_TYPES: _Type(False, lambda *_: (ENC_KEY_PAIR_TYPES, _list([_RSA, _EC_P256, _X25519]))),
    PREFERRED_SYMM_ALG: _Type(False, lambda *_: (PREFERRED_SYMM_ALG, _AES256_CBC)),
    CA_KEY_UPDATE_INFO: _Type(False, _announced),
    CURRENT_CRL: _Type(False, lambda ca, *_: (CURRENT_CRL, ca.crl().public_bytes(Encoding.DER))),
    KEY_PAIR_PARAM_REQ: _Type(True, _parameters),
    SUPP_LANG_TAGS: _Type(True, _language),
    CA_CERTS: _Type(
        False, lambda ca, *_: (CA_CERTS, _list(c.public_bytes(Encoding.DER) for c in (*ca.chain, ca.root)))
    ),
    CERT_REQ_TEMPLATE: _Type(
        False, lambda _, __, profile: (CERT_REQ_TEMPLATE, None if profile is None else profile.template())
    ),
    ROOT_CA_CERT: _Type(None, _newer_root),
    CRL_STATUS_LIST: _Type(True, _crls),
}


def _wants(crl: x509.CertificateRevocationList, statuses: bytes | None) -> bool:
    """Whether a client that tells in a CRLStatusListValue what it has would learn something from this CRL."""
    known = []
    for status in der.sequence(statuses or b""):
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
