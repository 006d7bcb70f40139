"""What people have, made into what we need: certificates, keys and CSRs from objects, bytes or paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

__all__ = [
    "CSRInput",
    "CertificateInput",
    "CertificatesInput",
    "KeyInput",
    "certificate",
    "certificates",
    "check_text",
    "csr",
    "private_key",
    "secret_bytes",
]

Source = bytes | str | os.PathLike[str]
CertificateInput = x509.Certificate | Source
"""A ``cryptography`` certificate, its PEM or DER encoding as bytes, or the path of a file with either."""
CertificatesInput = CertificateInput | Iterable[CertificateInput]
"""One :data:`CertificateInput` or several; PEM may hold several certificates."""
CSRInput = x509.CertificateSigningRequest | Source
"""A ``cryptography`` CSR, its PEM or DER encoding as bytes, or a path."""
KeyInput = PrivateKeyTypes | Source
"""A ``cryptography`` private key, PEM or DER as bytes, a path, or a key URI such as ``pkcs11:object=x``."""


def check_text(what: str, value: str | None) -> str | None:
    """``value`` if C can take it: a str without NUL, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what}: a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what}: contains a NUL character")
    return value


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


def private_key(
    what: str, value: KeyInput, password: bytes | str | Callable[[], bytes | str] | None = None
) -> PrivateKeyTypes:
    """The private key in ``value``, decrypted with ``password`` if it is encrypted."""
    if not isinstance(value, (bytes, bytearray, str, os.PathLike)):
        if not hasattr(value, "private_bytes"):
            raise TypeError(f"{what}: a private key, bytes or a path, not {type(value).__name__}")
        return value
    data = _read(what, value)
    if callable(password):
        password = password()
    if isinstance(password, str):
        password = password.encode()
    load = load_pem_private_key if _is_pem(data) else load_der_private_key
    try:
        return load(data, password)
    except TypeError as error:  # how cryptography says "encrypted" or "not encrypted"
        if password is not None:
            return load(data, None)
        raise ValueError(f"{what}: the private key is encrypted and no password was given") from error
    except ValueError as error:
        raise ValueError(f"{what}: no private key in PEM or DER, or a wrong password") from error
