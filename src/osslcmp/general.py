"""General messages whose contents have a type (RFC 9810 section 5.3.19)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from cryptography import x509

from ._arguments import checked, several
from ._asn1 import der, oids
from ._asn1.itav import InfoTypeAndValue, object_identifier
from ._openssl.convert import cert_from_der, crl_from_der, encoded
from ._openssl.inputs import check_text
from .errors import ResponseError, UnreadableCertificateError, UnreadableCRLError
from .message.bodyparts import AlgorithmIdentifier, algorithm_from_der

__all__ = [
    "CA_CERTS", "CA_KEY_UPDATE_INFO", "CA_PROT_ENC_CERT", "CERT_PROFILE", "CERT_REQ_TEMPLATE", "CRLS",
    "CRL_STATUS_LIST", "CURRENT_CRL", "ENC_KEY_PAIR_TYPES", "KEY_PAIR_PARAM_REP", "KEY_PAIR_PARAM_REQ",
    "PREFERRED_SYMM_ALG", "REV_PASSPHRASE", "ROOT_CA_CERT", "ROOT_CA_KEY_UPDATE", "SIGN_KEY_PAIR_TYPES",
    "SUPP_LANG_TAGS", "UNSUPPORTED_OIDS", "algorithm_info", "algorithm_of", "algorithms_info",
    "algorithms_of", "ca_certs_info", "ca_certs_of", "ca_key_update_info", "ca_key_update_of",
    "cert_profile", "cert_req_template_info", "certificate_info", "certificate_of", "crl_info",
    "crl_of", "crls_info", "key_pair_param_request", "key_pair_param_request_of", "lang_tags",
    "lang_tags_of", "rev_passphrase_info", "rev_passphrase_of", "root_ca_cert_of",
    "root_ca_key_update_info", "unsupported_oids_info", "unsupported_oids_of",
]  # fmt: skip

T = TypeVar("T")


CA_PROT_ENC_CERT = x509.ObjectIdentifier(oids.CA_PROT_ENC_CERT)
SIGN_KEY_PAIR_TYPES = x509.ObjectIdentifier(oids.SIGN_KEY_PAIR_TYPES)
ENC_KEY_PAIR_TYPES = x509.ObjectIdentifier(oids.ENC_KEY_PAIR_TYPES)
PREFERRED_SYMM_ALG = x509.ObjectIdentifier(oids.PREFERRED_SYMM_ALG)
CA_KEY_UPDATE_INFO = x509.ObjectIdentifier(oids.CA_KEY_UPDATE_INFO)
CURRENT_CRL = x509.ObjectIdentifier(oids.CURRENT_CRL)
UNSUPPORTED_OIDS = x509.ObjectIdentifier(oids.UNSUPPORTED_OIDS)
KEY_PAIR_PARAM_REQ = x509.ObjectIdentifier(oids.KEY_PAIR_PARAM_REQ)
KEY_PAIR_PARAM_REP = x509.ObjectIdentifier(oids.KEY_PAIR_PARAM_REP)
REV_PASSPHRASE = x509.ObjectIdentifier(oids.REV_PASSPHRASE)
SUPP_LANG_TAGS = x509.ObjectIdentifier(oids.SUPP_LANG_TAGS)
CA_CERTS = x509.ObjectIdentifier(oids.CA_CERTS)
ROOT_CA_KEY_UPDATE = x509.ObjectIdentifier(oids.ROOT_CA_KEY_UPDATE)
CERT_REQ_TEMPLATE = x509.ObjectIdentifier(oids.CERT_REQ_TEMPLATE)
ROOT_CA_CERT = x509.ObjectIdentifier(oids.ROOT_CA_CERT)
CERT_PROFILE = x509.ObjectIdentifier(oids.CERT_PROFILE)
CRL_STATUS_LIST = x509.ObjectIdentifier(oids.CRL_STATUS_LIST)
CRLS = x509.ObjectIdentifier(oids.CRLS)


def _read(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier, decode: Callable[[bytes], T]
) -> T | None:
    """The value of the item of this ``kind``, ``None`` if it is empty. Raises ``ResponseError`` if it is missing,
    ``UnreadableCertificateError`` or ``UnreadableCRLError`` for what only OpenSSL reads."""
    for item in items:
        if item.oid == kind:
            if item.value is None:
                return None
            try:
                return decode(item.value)
            except (UnreadableCertificateError, UnreadableCRLError):  # it names what it is, and has it
                raise
            except Exception as error:  # cryptography raises more than ValueError
                raise ResponseError(
                    f"genm: the value of {kind.dotted_string} does not decode: {error}"
                ) from error
    raise ResponseError(f"genm: the answer has no item {kind.dotted_string}")


def _each(decode: Callable[[bytes], T]) -> Callable[[bytes], list[T]]:
    """Decodes the elements of a SEQUENCE OF."""
    return lambda value: [decode(one.encoding) for one in der.sequence(value)]


def _oid(value: bytes) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(der.dotted(der.read(value)))


@checked
def algorithm_of(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier
) -> AlgorithmIdentifier | None:
    """One algorithm, as in ``preferredSymmAlg`` and ``keyPairParamRep``."""
    return _read(items, kind, algorithm_from_der)


@checked
def algorithms_of(
    items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier
) -> list[AlgorithmIdentifier]:
    """Several algorithms, as in ``signKeyPairTypes`` and ``encKeyPairTypes``."""
    return _read(items, kind, _each(algorithm_from_der)) or []


@checked
def ca_certs_of(items: Iterable[InfoTypeAndValue]) -> list[x509.Certificate]:
    """The certificates of ``caCerts``; none if the server has none to give."""
    return _read(items, CA_CERTS, _each(cert_from_der)) or []


@checked
def certificate_of(items: Iterable[InfoTypeAndValue], kind: x509.ObjectIdentifier) -> x509.Certificate | None:
    """One certificate, as in ``caProtEncCert``."""
    return _read(items, kind, cert_from_der)


@checked
def crl_of(items: Iterable[InfoTypeAndValue]) -> x509.CertificateRevocationList | None:
    """The CRL of ``currentCRL``."""
    return _read(items, CURRENT_CRL, crl_from_der)


@checked
def ca_key_update_of(items: Iterable[InfoTypeAndValue]) -> tuple[x509.Certificate, ...] | None:
    """The certificates of ``caKeyUpdateInfo``: old with new key, new with old, new with new. Not verified."""

    def decode(value: bytes) -> tuple[x509.Certificate, ...]:
        certs = tuple(_each(cert_from_der)(value))
        if len(certs) != 3:
            raise ValueError(f"{len(certs)} certificates instead of 3")
        return certs

    return _read(items, CA_KEY_UPDATE_INFO, decode)


def key_pair_param_request(algorithm: x509.ObjectIdentifier | str) -> InfoTypeAndValue:
    """Asks for the parameters that keys of this algorithm shall have."""
    oid = object_identifier("algorithm", algorithm)
    return InfoTypeAndValue(KEY_PAIR_PARAM_REQ, der.encode_oid(oid.dotted_string))


def texts(what: str, given: str | Iterable[str]) -> bytes:
    """A SEQUENCE OF UTF8String of an argument."""
    found = several(what, given, str)
    if not found or not all(check_text(what, text) for text in found):
        raise ValueError(f"{what}: a text, or several")
    return der.encode(der.SEQUENCE, *map(der.encode_text, found))


def lang_tags(tags: str | Iterable[str]) -> InfoTypeAndValue:
    """Tells which languages (RFC 5646 tags) one understands, best first."""
    return InfoTypeAndValue(SUPP_LANG_TAGS, texts("tags", tags))


@checked
def lang_tags_of(items: Iterable[InfoTypeAndValue]) -> list[str]:
    """The language that the server chose."""
    return _read(items, SUPP_LANG_TAGS, lambda value: [der.text(one) for one in der.sequence(value)]) or []


def cert_profile(names: str | Iterable[str]) -> InfoTypeAndValue:
    """The ``certProfile`` item for a request's header (RFC 9810 section 5.1.1.4), on any release."""
    return InfoTypeAndValue(CERT_PROFILE, texts("names", names))


@checked
def unsupported_oids_of(items: Iterable[InfoTypeAndValue]) -> list[x509.ObjectIdentifier]:
    """Which kinds of questions the server does not know: ``unsupportedOIDs``; none if it does not tell."""
    found = [item for item in items if item.oid == UNSUPPORTED_OIDS]
    return (_read(found, UNSUPPORTED_OIDS, _each(_oid)) or []) if found else []


@checked
def key_pair_param_request_of(items: Iterable[InfoTypeAndValue]) -> x509.ObjectIdentifier | None:
    """Of which algorithm the parameters are asked for: ``keyPairParamReq``."""
    return _read(items, KEY_PAIR_PARAM_REQ, _oid)


@checked
def root_ca_cert_of(items: Iterable[InfoTypeAndValue]) -> x509.Certificate | None:
    """The root whose update is asked for: ``rootCaCert``; ``None`` if any is meant."""
    return _read(items, ROOT_CA_CERT, cert_from_der)


@checked
def rev_passphrase_of(items: Iterable[InfoTypeAndValue]) -> bytes | None:
    """The EncryptedKey of ``revPassphrase``, as DER: an EnvelopedData ``[0]``, or an EncryptedValue of old."""

    def decode(value: bytes) -> bytes:
        if der.read(value).tag not in (der.SEQUENCE, der.explicit(0)):
            raise ValueError("no EncryptedKey")
        return value

    return _read(items, REV_PASSPHRASE, decode)


# -- what an authority answers, or a client tells --------------------------------------------------------------


def _list(items: Iterable[bytes]) -> bytes:
    return der.encode(der.SEQUENCE, *items)


@checked
def ca_certs_info(certificates: Iterable[x509.Certificate | bytes]) -> InfoTypeAndValue:
    """``caCerts``: CA certificates, objects or DER."""
    return InfoTypeAndValue(CA_CERTS, _list(map(encoded, certificates)))


@checked
def certificate_info(kind: x509.ObjectIdentifier, certificate: x509.Certificate | None) -> InfoTypeAndValue:
    """One certificate, as in ``caProtEncCert``; ``None``: there is none."""
    return InfoTypeAndValue(kind, None if certificate is None else encoded(certificate))


@checked
def root_ca_key_update_info(
    new_with_new: x509.Certificate | bytes | None,
    new_with_old: x509.Certificate | bytes | None = None,
    old_with_new: x509.Certificate | bytes | None = None,
) -> InfoTypeAndValue:
    """``rootCaKeyUpdate``: the root that follows, and what connects it to the one before; ``None``: nothing is newer."""
    if new_with_new is None:
        return InfoTypeAndValue(ROOT_CA_KEY_UPDATE, None)
    parts = [encoded(new_with_new)]
    for number, certificate in enumerate((new_with_old, old_with_new)):
        if certificate is not None:
            parts.append(der.encode(der.explicit(number), encoded(certificate)))
    return InfoTypeAndValue(ROOT_CA_KEY_UPDATE, _list(parts))


@checked
def ca_key_update_info(certificates: Iterable[x509.Certificate] | None) -> InfoTypeAndValue:
    """``caKeyUpdateInfo``: old with new key, new with old, new with new; ``None``: there is no update."""
    value = None if certificates is None else _list(map(encoded, certificates))
    return InfoTypeAndValue(CA_KEY_UPDATE_INFO, value)


@checked
def crl_info(crl: x509.CertificateRevocationList | None) -> InfoTypeAndValue:
    """``currentCRL``; ``None``: there is none."""
    return InfoTypeAndValue(CURRENT_CRL, None if crl is None else encoded(crl))


@checked
def crls_info(crls: Iterable[x509.CertificateRevocationList | bytes]) -> InfoTypeAndValue:
    """``crls``, the answer to ``crlStatusList``; of none it has no value: nothing is newer."""
    found = list(map(encoded, crls))
    return InfoTypeAndValue(CRLS, _list(found) if found else None)


@checked
def algorithm_info(kind: x509.ObjectIdentifier, algorithm: bytes | None) -> InfoTypeAndValue:
    """One algorithm, as in ``preferredSymmAlg`` and ``keyPairParamRep``: an AlgorithmIdentifier as DER, or none."""
    return InfoTypeAndValue(kind, algorithm)


@checked
def algorithms_info(kind: x509.ObjectIdentifier, algorithms: Iterable[bytes]) -> InfoTypeAndValue:
    """Several algorithms, as in ``signKeyPairTypes`` and ``encKeyPairTypes``, each an AlgorithmIdentifier as DER."""
    return InfoTypeAndValue(kind, _list(algorithms))


@checked
def cert_req_template_info(template: bytes | None) -> InfoTypeAndValue:
    """``certReqTemplate``: a CertReqTemplateContent as DER; ``None``: anything may be asked for."""
    return InfoTypeAndValue(CERT_REQ_TEMPLATE, template)


@checked
def rev_passphrase_info(encrypted_key: bytes) -> InfoTypeAndValue:
    """``revPassphrase``: an EncryptedKey as DER; libcrypto sends the EncryptedValue of old alone.

    Raises ``ValueError`` if it cannot be one.
    """
    item = InfoTypeAndValue(REV_PASSPHRASE, encrypted_key)
    try:
        rev_passphrase_of([item])
    except ResponseError as error:
        raise ValueError(f"revPassphrase: {error}") from error
    return item


@checked
def unsupported_oids_info(kinds: Iterable[x509.ObjectIdentifier | str]) -> InfoTypeAndValue:
    """``unsupportedOIDs``: which kinds of questions are not known here."""
    oids = (kind if isinstance(kind, str) else kind.dotted_string for kind in kinds)
    return InfoTypeAndValue(UNSUPPORTED_OIDS, _list(map(der.encode_oid, oids)))
