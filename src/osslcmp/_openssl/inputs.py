"""What people have, made into what we need: certificates, keys and CSRs from objects, bytes or paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .lib import CData

__all__ = [
    "CSRInput",
    "CertificateInput",
    "CertificatesInput",
    "KeyInput",
    "certificate",
    "certificates",
    "check_text",
    "csr",
    "secret_bytes",
]

Source = bytes | str | os.PathLike[str]
CertificateInput = x509.Certificate | Source
"""A ``cryptography`` certificate, its PEM or DER encoding as bytes, or the path of a file with either."""
CertificatesInput = CertificateInput | Iterable[CertificateInput]
"""One :data:`CertificateInput` or several; PEM may hold several certificates."""
CSRInput = x509.CertificateSigningRequest | Source
"""A ``cryptography`` CSR, its PEM or DER encoding as bytes, or a path."""
KeyInput = PrivateKeyTypes | Source | CData
"""A ``cryptography`` private key; PEM, DER or PKCS#12 as bytes; a path; a key URI such as
``pkcs11:object=x``; or a raw ``EVP_PKEY *``."""


def check_text(what: str, value: str | None) -> str | None:
    """``value`` if C can take it: a str without NUL, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what}: a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what}: contains a NUL character")
    return value


def without_credentials(url: str) -> str:
    """A URL, or what should be one, to be shown: user and password, if there may be any, are not in it."""
    return re.sub(r"^(\w+://)?.*@", r"\1...@", url, flags=re.DOTALL)


def secret_bytes(what: str, value: bytes | str, limit: int) -> bytes:
    """``value`` as non-empty bytes (UTF-8 for a str) of at most ``limit`` octets. Never shows it."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what}: bytes or str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{what}: is empty")
    if len(value) > limit:
        raise ValueError(f"{what}: {len(value)} octets, at most {limit} are possible")
    return bytes(value)


def first_line(data: bytes) -> bytes:
    """The secret in a file: its first line, as in OpenSSL, without LF or CR LF. The same for every command."""
    return data.partition(b"\n")[0].removesuffix(b"\r")


def _read(what: str, source: Source) -> bytes:
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"{what}: an object of cryptography, bytes or a path, not {type(source).__name__}")
    if "\0" in os.fspath(source):
        raise ValueError(f"{what}: the path contains a NUL character")
    return Path(source).read_bytes()


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN " in data


def certificates(what: str, value: CertificatesInput | None) -> list[x509.Certificate]:
    """All certificates in ``value``. ``ValueError`` if something in it is none."""
    if value is None:
        return []
    if isinstance(value, x509.Certificate):
        return [value]
    if isinstance(value, (bytes, bytearray, str, os.PathLike)):
        data = _read(what, value)
        try:
            if _is_pem(data):
                return x509.load_pem_x509_certificates(data)
            return [x509.load_der_x509_certificate(data)]
        except ValueError as error:
            raise ValueError(f"{what}: no certificate in PEM or DER: {error}") from error
    if not isinstance(value, Iterable):
        raise TypeError(f"{what}: certificates, bytes or a path, not {type(value).__name__}")
    return [cert for item in value for cert in certificates(what, item)]


def certificate(what: str, value: CertificateInput) -> x509.Certificate:
    """The first certificate in ``value``."""
    found = certificates(what, value)
    if not found:
        raise ValueError(f"{what}: no certificate given")
    return found[0]


def csr(what: str, value: CSRInput) -> x509.CertificateSigningRequest:
    """The CSR in ``value``."""
    if isinstance(value, x509.CertificateSigningRequest):
        return value
    data = _read(what, value)
    try:
        return x509.load_pem_x509_csr(data) if _is_pem(data) else x509.load_der_x509_csr(data)
    except ValueError as error:
        raise ValueError(f"{what}: no certificate signing request in PEM or DER: {error}") from error
