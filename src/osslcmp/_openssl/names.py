"""Names of objects and algorithms."""

from __future__ import annotations

from typing import Any

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
