"""What stands in messages in DER, read by ``cryptography``: ``ValueError`` if it cannot, and nothing else.

It has public readers of certificates, CSRs and CRLs; for a Name, Extensions or a key alone only for what
contains them, so each such piece is put into a CSR with an empty signature.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import TypeVar

from cryptography import x509

from . import der, oids

__all__ = [
    "KEY_USAGES",
    "algorithm",
    "as_csr",
    "public_key_info",
    "read_certificate",
    "read_crl",
    "read_csr",
    "read_extensions",
    "read_general_name",
    "read_name",
    "subject_of",
    "validity",
]

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""The arguments of ``x509.KeyUsage``."""

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100") + bytes(32)
_REMEMBERED = 128
_REMEMBERED_SIZE = 4096

_T = TypeVar("_T")


def _remembering(read: Callable[[bytes], _T]) -> Callable[[bytes], _T]:
    """The same certificates and names come again in each message of a client, and those of CAs in all messages. What is
    remembered is little, and none of it long."""
    remembered = lru_cache(maxsize=_REMEMBERED)(read)

    @wraps(read)
    def read_once(data: bytes) -> _T:
        return remembered(data) if len(data) <= _REMEMBERED_SIZE else read(data)

    return read_once


def as_csr(
    subject: bytes | None, spki: bytes | None, extensions: bytes | None
) -> x509.CertificateSigningRequest:
    """DER pieces (Name, SubjectPublicKeyInfo, Extensions) dressed up as a CSR.

    Raises ValueError, in part only when a property is read.
    """
    attributes = b""
    if extensions is not None:
        oid = der.encode_oid(oids.EXTENSION_REQUEST)
        attributes = der.encode(der.SEQUENCE, oid, der.encode(0x31, extensions))
    info = der.encode(
        der.SEQUENCE,
        der.encode_integer(0),
        subject if subject is not None else der.encode(der.SEQUENCE),
        spki if spki is not None else _ED25519_SPKI,
        der.encode(der.explicit(0), attributes),
    )
    algorithm = der.encode(der.SEQUENCE, der.encode_oid(oids.ED25519))
    return x509.load_der_x509_csr(
        der.encode(der.SEQUENCE, info, algorithm, der.encode(der.BIT_STRING, b"\0"))
    )


@_remembering
def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate from its DER. Raises ValueError."""
    with _only_value_errors():
        certificate = x509.load_der_x509_certificate(data)
        _names_of(certificate)
        return certificate


@_remembering
def algorithm(data: bytes) -> str:
    """The OID in an AlgorithmIdentifier. Raises ValueError."""
    return der.dotted(der.Fields(der.sequence(data)).take())


@lru_cache(maxsize=32)
def public_key_info(certificate: x509.Certificate | bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate (bytes are DER), octet by octet as it stands there."""
    return _fields(_tbs(certificate))[5].encoding


def subject_of(certificate: x509.Certificate | bytes) -> bytes:
    """The subject of a certificate (bytes are DER) as DER."""
    return _fields(_tbs(certificate))[4].encoding


def _tbs(certificate: x509.Certificate | bytes) -> bytes:
    if isinstance(certificate, bytes):
        return der.sequence(certificate)[0].encoding
    return certificate.tbs_certificate_bytes


def validity(certificate: bytes) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when a certificate (DER) is valid, in UTC. Raises ValueError."""
    try:
        begin, end = map(der.moment, der.sequence(_fields(_tbs(certificate))[3].encoding))
    except IndexError as error:
        raise ValueError("no certificate") from error
    return begin, end


def _fields(tbs: bytes) -> list[der.Element]:
    """Those of a TBSCertificate behind its version, which is not there in one of version 1."""
    fields = der.sequence(tbs)
    return fields[1:] if fields[0].tag == der.explicit(0) else fields


def read_csr(data: bytes) -> x509.CertificateSigningRequest:
    """A CSR from its DER. Raises ValueError."""
    with _only_value_errors():
        request = x509.load_der_x509_csr(data)
        _names_of(request)
        return request


def read_crl(data: bytes) -> x509.CertificateRevocationList:
    """A CRL from its DER. Raises ValueError."""
    with _only_value_errors():
        crl = x509.load_der_x509_crl(data)
        _names_of(crl)
        return crl


@_remembering
def read_name(data: bytes) -> x509.Name:
    """A Name from its DER. Raises ValueError."""
    with _only_value_errors():
        return as_csr(data, None, None).subject


@contextmanager
def _only_value_errors() -> Iterator[None]:
    """What else ``cryptography`` raises for data: TypeError for a name with a BIT STRING in it, for instance, and in
    release 48 KeyError for one with a value of a type that it does not know."""
    try:
        yield
    except (
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        TypeError,
        KeyError,
    ) as error:
        raise ValueError(str(error)) from error


def _names_of(found: object) -> None:
    """Names are decoded when they are asked for: better now, where an error is expected, than anywhere."""
    for name in ("subject", "issuer"):
        getattr(found, name, None)


def read_extensions(data: bytes) -> x509.Extensions:
    """Extensions from their DER. Raises ValueError."""
    with _only_value_errors():
        return as_csr(None, None, data).extensions


def read_general_name(data: bytes) -> x509.GeneralName:
    """A GeneralName from its DER. Raises ValueError, also for a kind that ``cryptography`` does not know."""
    value = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, data))
    extension = der.encode(der.SEQUENCE, der.encode_oid(oids.SUBJECT_ALT_NAME), value)
    request = as_csr(None, None, der.encode(der.SEQUENCE, extension))
    name: x509.GeneralName
    with _only_value_errors():
        (name,) = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return name
