"""What objects, algorithms and certificates are called, by libcrypto: also those that ``cryptography`` does not read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .errorqueue import text_from_c
from .inputs import check_text
from .lib import NULL, ffi, lib


def object_text(pointer: Any, *, numbers: bool = True) -> str:
    """An ``ASN1_OBJECT`` in dotted numbers, or by its name if it has one."""
    length = lib.OBJ_obj2txt(NULL, 0, pointer, int(numbers))
    if length <= 0:
        return ""
    buffer = ffi.new("char[]", length + 1)
    lib.OBJ_obj2txt(buffer, length + 1, pointer, int(numbers))
    text: str = ffi.string(buffer).decode()
    return text


def algorithm(what: str, name: str) -> int:
    """The NID of an algorithm that OpenSSL knows by ``name``, such as ``sha256`` or ``hmac-sha256``."""
    check_text(what, name)
    spellings = [name, name.replace("-", "").upper()]
    if name.lower().startswith("hmac-"):
        spellings.append("hmacWith" + name[5:].replace("-", "").upper())
    for spelling in spellings:
        nid: int = lib.OBJ_sn2nid(spelling.encode()) or lib.OBJ_ln2nid(spelling.encode())
        if nid:
            return nid
    lib.ERR_clear_error()
    raise ValueError(f"{what}: OpenSSL knows no algorithm {name!r}")


@lru_cache(maxsize=32)
def number_of(oid: str) -> int:
    """The NID of an OID that libcrypto knows; else 0."""
    number: int = lib.OBJ_txt2nid(oid.encode())
    return number


@lru_cache(maxsize=32)
def is_signature(oid: str) -> bool:
    """Whether libcrypto knows this OID as that of a signature algorithm (``OBJ_find_sigid_algs``, 3.0)."""
    known: int = lib.OBJ_find_sigid_algs(number_of(oid), NULL, NULL)
    lib.ERR_clear_error()
    return known == 1


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
