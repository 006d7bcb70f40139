"""How the embedded CA answers general messages (RFC 9810, section 5.3.19), on the level of DER."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import _der as der
from ..itav import InfoTypeAndValue

_ID_IT = "1.3.6.1.5.5.7.4."
SIGN_KEY_PAIR_TYPES = _ID_IT + "2"
CURRENT_CRL = _ID_IT + "6"
CA_CERTS = _ID_IT + "17"
ROOT_CA_KEY_UPDATE = _ID_IT + "18"
CERT_REQ_TEMPLATE = _ID_IT + "19"
ROOT_CA_CERT = _ID_IT + "20"
CRL_STATUS_LIST = _ID_IT + "22"
CRLS = _ID_IT + "23"

_EC_P256 = der.encode(
    der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1"), der.encode_oid("1.2.840.10045.3.1.7")
)
_RSA = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.1.1"), der.encode(der.NULL))
_ED25519 = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))


class _CA(Protocol):
    """What is asked of the CA here."""

    @property
    def root(self) -> x509.Certificate: ...
    @property
    def chain(self) -> tuple[x509.Certificate, ...]: ...
    def crl(self) -> x509.CertificateRevocationList: ...


def answer(ca: _CA, info: InfoTypeAndValue) -> InfoTypeAndValue | None:
    """The answer to one question; None when it is not understood.

    An answer without a value says that there is nothing to tell.
    """
    oid = info.oid.dotted_string
    if oid == CA_CERTS:
        certificates = (*ca.chain, ca.root)
        return _info(oid, _list(certificate.public_bytes(Encoding.DER) for certificate in certificates))
    if oid == CURRENT_CRL:
        return _info(oid, ca.crl().public_bytes(Encoding.DER))
    if oid == CRL_STATUS_LIST:
        return _info(CRLS, _list([ca.crl().public_bytes(Encoding.DER)]))
    if oid == ROOT_CA_CERT:
        # The root stays the same for the life of this CA, so there is never an update.
        return _info(ROOT_CA_KEY_UPDATE, None)
    if oid == CERT_REQ_TEMPLATE:
        return _info(oid, None)
    if oid == SIGN_KEY_PAIR_TYPES:
        return _info(oid, _list([_EC_P256, _RSA, _ED25519]))
    return None


def _info(oid: str, value: bytes | None) -> InfoTypeAndValue:
    return InfoTypeAndValue(x509.ObjectIdentifier(oid), value)


def _list(items: Iterable[bytes]) -> bytes:
    return der.encode(der.SEQUENCE, *items)
