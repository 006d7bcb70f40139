"""What certificates are called by, read by libcrypto: also of those that ``cryptography`` does not read."""

from __future__ import annotations

from typing import Any

from .errorqueue import text_from_c
from .lib import NULL, lib


def name_of(cert: Any) -> str:
    """The subject in OpenSSL's one-line form."""
    return line_of(lib.X509_get_subject_name(cert))


def line_of(name: Any) -> str:
    """A name in that form."""
    line = lib.X509_NAME_oneline(name, NULL, 0)
    try:
        return text_from_c(line)
    finally:
        lib.OPENSSL_free(line)


def serial_of(cert: Any) -> str:
    """The serial number in hexadecimal."""
    number = lib.ASN1_INTEGER_to_BN(lib.X509_get0_serialNumber(cert), NULL)
    digits = lib.BN_bn2hex(number)
    try:
        return text_from_c(digits)
    finally:
        lib.OPENSSL_free(digits)
        lib.BN_free(number)
