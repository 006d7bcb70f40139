"""Distinguished names (``x509.Name``, RFC 4514 strings, OpenSSL's slash form), and names of algorithms."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from cryptography import x509

from .inputs import check_text
from .lib import NULL, ffi, lib

__all__ = ["algorithm", "object_text", "parse_general_name", "parse_name"]

#: Short names that OpenSSL users write and RFC 4514 does not define.
_SHORT = {
    "emailAddress": "1.2.840.113549.1.9.1",
    "E": "1.2.840.113549.1.9.1",
    "SN": "2.5.4.4",
    "GN": "2.5.4.42",
    "serialNumber": "2.5.4.5",
    "title": "2.5.4.12",
}
_DOTTED = re.compile(r"[0-2](\.\d+)+\Z")


def _oid(name: str) -> x509.ObjectIdentifier:
    if name in _SHORT:
        return x509.ObjectIdentifier(_SHORT[name])
    if _DOTTED.match(name):
        return x509.ObjectIdentifier(name)
    obj = lib.OBJ_txt2obj(name.encode(), 0)
    if obj == NULL:
        lib.ERR_clear_error()
        raise ValueError(f"name: unknown attribute {name!r}")
    try:
        return x509.ObjectIdentifier(object_text(obj))
    finally:
        lib.ASN1_OBJECT_free(obj)


def object_text(pointer: Any, *, numbers: bool = True) -> str:
    """An ``ASN1_OBJECT`` in dotted numbers, or by its name if it has one."""
    length = lib.OBJ_obj2txt(NULL, 0, pointer, int(numbers))
    if length <= 0:
        return ""
    buffer = ffi.new("char[]", length + 1)
    lib.OBJ_obj2txt(buffer, length + 1, pointer, int(numbers))
    text: str = ffi.string(buffer).decode()
    return text


def parse_general_name(text: str) -> x509.GeneralName:
    """What a plain text most likely names, by the rule of ``openssl cmp -sans``: IP address, mail address, URI, host.

    Raises ``ValueError`` if it is empty or cannot be encoded.
    """
    if not text:
        raise ValueError("name: is empty")
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "@" in text:
        return x509.RFC822Name(text)
    return x509.UniformResourceIdentifier(text) if ":" in text else x509.DNSName(text)


def _split(text: str, separators: str) -> list[tuple[str, str]]:
    """Pieces of ``text`` with the separator before each, with backslash escapes left in."""
    pieces: list[tuple[str, str]] = []
    current, lead, escaped = "", "", False
    for char in text:
        if escaped:
            current, escaped = current + "\\" + char, False
        elif char == "\\":
            escaped = True
        elif char in separators:
            pieces.append((lead, current))
            current, lead = "", char
        else:
            current += char
    if escaped:
        raise ValueError("name: a backslash at the end escapes nothing")
    pieces.append((lead, current))
    return pieces


def _slash_form(text: str) -> x509.Name:
    """``/O=y/CN=x``, with ``+`` between the values of one RDN and ``\\`` before either."""
    rdns: list[list[x509.NameAttribute]] = []  # type: ignore[type-arg,unused-ignore]
    for lead, piece in _split(text[1:], "/+"):
        if not piece and not rdns:
            continue  # "/" alone is the empty name
        key, equals, value = piece.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"name: {piece!r} is not of the form type=value")
        attribute = x509.NameAttribute(_oid(key.strip()), re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL))
        if lead == "+":
            rdns[-1].append(attribute)
        else:
            rdns.append([attribute])
    return x509.Name([x509.RelativeDistinguishedName(rdn) for rdn in rdns])


def parse_name(name: x509.Name | str) -> x509.Name:
    """A name from an ``x509.Name``, an RFC 4514 string (``CN=x,O=y``) or OpenSSL's ``/O=y/CN=x``.

    Raises ``ValueError`` if the string does not parse, ``TypeError`` for other types.
    """
    if isinstance(name, x509.Name):
        return name
    if not isinstance(name, str):
        raise TypeError(f"name: an x509.Name or str, not {type(name).__name__}")
    if "\0" in name:
        raise ValueError("name: contains a NUL character")
    try:
        if name.startswith("/"):
            return _slash_form(name)
        return x509.Name.from_rfc4514_string(
            name, {short: x509.ObjectIdentifier(oid) for short, oid in _SHORT.items()}
        )
    except ValueError as error:
        if str(error).startswith("name:"):
            raise
        raise ValueError(
            f"name: {name!r} does not parse: {str(error) or 'neither CN=x,O=y nor /O=y/CN=x'}"
        ) from error


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
