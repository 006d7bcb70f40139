"""General messages whose contents have a type (RFC 9810 section 5.3.19)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from cryptography import x509

from .._asn1 import der
from .._asn1.itav import InfoTypeAndValue
from .._asn1.x509_parts import read_certificate, read_crl
from ..errors import ResponseError
from .bodyparts import AlgorithmIdentifier, algorithm_from_der

__all__ = [
    "CA_CERTS",
    "CA_KEY_UPDATE_INFO",
    "CA_PROT_ENC_CERT",
    "CERT_PROFILE",
    "CURRENT_CRL",
    "ENC_KEY_PAIR_TYPES",
    "KEY_PAIR_PARAM_REP",
    "KEY_PAIR_PARAM_REQ",
    "PREFERRED_SYMM_ALG",
    "SIGN_KEY_PAIR_TYPES",
    "SUPP_LANG_TAGS",
    "UNSUPPORTED_OIDS",
    "algorithm_of",
    "algorithms_of",
    "ca_certs_of",
    "ca_key_update_of",
    "cert_profile",
    "certificate_of",
    "crl_of",
    "key_pair_param_request",
    "lang_tags",
    "lang_tags_of",
    "unsupported_oids_of",
]

T = TypeVar("T")


def _kind(number: int) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(f"1.3.6.1.5.5.7.4.{number}")


CA_PROT_ENC_CERT = _kind(1)
SIGN_KEY_PAIR_TYPES = _kind(2)
ENC_KEY_PAIR_TYPES = _kind(3)
PREFERRED_SYMM_ALG = _kind(4)
CA_KEY_UPDATE_INFO = _kind(5)
CURRENT_CRL = _kind(6)
UNSUPPORTED_OIDS = _kind(7)
KEY_PAIR_PARAM_REQ = _kind(10)
KEY_PAIR_PARAM_REP = _kind(11)
SUPP_LANG_TAGS = _kind(16)
CA_CERTS = _kind(17)
CERT_PROFILE = _kind(21)


def _read(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier, decode: Callable[[bytes], T]
) -> T | None:
    """The value of the item of this ``kind``, ``None`` if it is empty. Raises ``ResponseError`` if it is missing."""
    for item in items:
        if item.oid == kind:
            if item.value is None:
                return None
            try:
                return decode(item.value)
            except Exception as error:  # cryptography raises more than ValueError
                raise ResponseError(
                    f"genm: the value of {kind.dotted_string} does not decode: {error}"
                ) from error
    raise ResponseError(f"genm: the answer has no item {kind.dotted_string}")


def algorithm_of(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier
) -> AlgorithmIdentifier | None:
    """One algorithm, as in ``preferredSymmAlg`` and ``keyPairParamRep``."""
    return _read(items, kind, algorithm_from_der)


def algorithms_of(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier
) -> list[AlgorithmIdentifier]:
    """Several algorithms, as in ``signKeyPairTypes`` and ``encKeyPairTypes``."""
    return (
        _read(items, kind, lambda value: [algorithm_from_der(one.encoding) for one in der.sequence(value)])
        or []
    )


def ca_certs_of(items: Iterable[InfoTypeAndValue]) -> list[x509.Certificate]:
    """The certificates of ``caCerts``; none if the server has none to give."""

    def decode(value: bytes) -> list[x509.Certificate]:
        return [read_certificate(one.encoding) for one in der.sequence(value)]

    return _read(items, CA_CERTS, decode) or []


def certificate_of(items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier) -> x509.Certificate | None:
    """One certificate, as in ``caProtEncCert``."""
    return _read(items, kind, read_certificate)


def crl_of(items: Iterable[InfoTypeAndValue]) -> x509.CertificateRevocationList | None:
    """The CRL of ``currentCRL``."""
    return _read(items, CURRENT_CRL, read_crl)


def ca_key_update_of(items: Iterable[InfoTypeAndValue]) -> tuple[x509.Certificate, ...] | None:
    """The certificates of ``caKeyUpdateInfo``: old with new key, new with old, new with new. Not verified."""

    def decode(value: bytes) -> tuple[x509.Certificate, ...]:
        certs = tuple(read_certificate(one.encoding) for one in der.sequence(value))
        if len(certs) != 3:
            raise ValueError(f"{len(certs)} certificates instead of 3")
        return certs

    return _read(items, CA_KEY_UPDATE_INFO, decode)


def key_pair_param_request(algorithm: x509.ObjectIdentifier | str) -> InfoTypeAndValue:
    """Asks for the parameters that keys of this algorithm shall have."""
    oid = algorithm if isinstance(algorithm, str) else algorithm.dotted_string
    return InfoTypeAndValue(KEY_PAIR_PARAM_REQ, der.encode_oid(oid))


def _texts(what: str, texts: str | Iterable[str]) -> bytes:
    found = [texts] if isinstance(texts, str) else list(texts)
    if not found or not all(isinstance(text, str) and text for text in found):
        raise ValueError(f"{what}: a text, or several")
    return der.encode(der.SEQUENCE, *map(der.encode_text, found))


def lang_tags(tags: str | Iterable[str]) -> InfoTypeAndValue:
    """Tells which languages (RFC 5646 tags) one understands, best first."""
    return InfoTypeAndValue(SUPP_LANG_TAGS, _texts("tags", tags))


def lang_tags_of(items: Iterable[InfoTypeAndValue]) -> list[str]:
    """The language that the server chose."""
    return _read(items, SUPP_LANG_TAGS, lambda value: [der.text(one) for one in der.sequence(value)]) or []


def cert_profile(names: str | Iterable[str]) -> InfoTypeAndValue:
    """The ``certProfile`` item for a request's header (RFC 9810 section 5.1.1.4), on any release."""
    return InfoTypeAndValue(CERT_PROFILE, _texts("profile", names))


def unsupported_oids_of(items: Iterable[InfoTypeAndValue]) -> list[x509.ObjectIdentifier]:
    """Which kinds of questions the server does not know: ``unsupportedOIDs``; none if it does not tell."""

    def decode(value: bytes) -> list[x509.ObjectIdentifier]:
        return [x509.ObjectIdentifier(der.dotted(one)) for one in der.sequence(value)]

    found = [item for item in items if item.oid == UNSUPPORTED_OIDS]
    return (_read(found, UNSUPPORTED_OIDS, decode) or []) if found else []
