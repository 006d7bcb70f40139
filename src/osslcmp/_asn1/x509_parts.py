"""What stands in messages in DER, read by ``cryptography``: ``ValueError`` if it cannot, and nothing else.

It has public readers of certificates, CSRs and CRLs; for a Name, Extensions or a key alone only for what
contains them, so each such piece is put into a CSR with an empty signature.
"""

from __future__ import annotations

from cryptography import x509

from . import der

__all__ = ["as_csr", "read_certificate", "read_crl", "read_csr", "read_general_name", "read_name"]

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100") + bytes(32)
_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_SUBJECT_ALT_NAME = "2.5.29.17"


def as_csr(
    subject: bytes | None, spki: bytes | None, extensions: bytes | None
) -> x509.CertificateSigningRequest:
    """DER pieces (Name, SubjectPublicKeyInfo, Extensions) dressed up as a CSR.

    Raises ValueError, in part only when a property is read.
    """
    attributes = b""
    if extensions is not None:
        oid = der.encode_oid(_EXTENSION_REQUEST)
        attributes = der.encode(der.SEQUENCE, oid, der.encode(0x31, extensions))
    info = der.encode(
        der.SEQUENCE,
        der.encode_integer(0),
        subject if subject is not None else der.encode(der.SEQUENCE),
        spki if spki is not None else _ED25519_SPKI,
        der.encode(der.explicit(0), attributes),
    )
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("1.3.101.112"))
    return x509.load_der_x509_csr(
        der.encode(der.SEQUENCE, info, algorithm, der.encode(der.BIT_STRING, b"\0"))
    )


def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate from its DER. Raises ValueError."""
    try:
        return x509.load_der_x509_certificate(data)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def read_csr(data: bytes) -> x509.CertificateSigningRequest:
    """A CSR from its DER. Raises ValueError."""
    try:
        return x509.load_der_x509_csr(data)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def read_crl(data: bytes) -> x509.CertificateRevocationList:
    """A CRL from its DER. Raises ValueError."""
    try:
        return x509.load_der_x509_crl(data)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def read_name(data: bytes) -> x509.Name:
    """A Name from its DER. Raises ValueError."""
    return as_csr(data, None, None).subject


def read_general_name(data: bytes) -> x509.GeneralName:
    """A GeneralName from its DER. Raises ValueError, also for a kind that ``cryptography`` does not know."""
    value = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, data))
    extension = der.encode(der.SEQUENCE, der.encode_oid(_SUBJECT_ALT_NAME), value)
    request = as_csr(None, None, der.encode(der.SEQUENCE, extension))
    name: x509.GeneralName
    try:
        (name,) = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.UnsupportedGeneralNameType as error:
        raise ValueError(str(error)) from error
    return name
