"""Items for the header's generalInfo: ``-geninfo`` and ``-profile``."""

from __future__ import annotations

import re

from cryptography import x509

from .._convert import oid_from_c, tlv
from .._errqueue import clear
from .._handles import take
from .._lib import NULL, lib, openssl_version
from ..itav import InfoTypeAndValue
from ._cmp_context import CommandContext
from .cmp_console import Failure
from .cmp_settings import Settings

__all__ = ["add_general_infos"]

_PROFILE = x509.ObjectIdentifier("1.3.6.1.5.5.7.4.21")
_INTEGER, _UTF8_STRING, _SEQUENCE = 0x02, 0x0C, 0x30


def add_general_infos(ctx: CommandContext, s: Settings) -> None:
    """Put them into the context. Raises Failure."""
    if (profile := s.text("profile")) is not None:
        value = tlv(_SEQUENCE, tlv(_UTF8_STRING, profile.encode()))
        ctx.push_geninfo_itav(InfoTypeAndValue(_PROFILE, value))
    given = s.text("geninfo")
    if given is None:
        return
    several = re.split(r"[,\s]\s*(?=\S+:(?:int|str):)", given) if openssl_version >= (3, 3, 0) else [given]
    for item in several:
        ctx.push_geninfo_itav(_info(item))


def _info(item: str) -> InfoTypeAndValue:
    name, colon, rest = item.partition(":")
    if not colon:
        raise Failure("missing ':' in -geninfo option")
    kind, _, value = rest.partition(":")
    if kind.lower() == "int" and rest[3:4] == ":":
        if not re.fullmatch(r"\s*[+-]?\d+", value):
            raise Failure("cannot parse int in -geninfo option")
        number = int(value)
        encoded = tlv(
            _INTEGER, number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)
        )
    elif kind.lower() == "str" and rest[3:4] == ":" and openssl_version >= (3, 3, 0):
        encoded = tlv(_UTF8_STRING, value.encode("utf-8", "replace"))
    else:
        raise Failure(
            "missing 'int:' in -geninfo option" + (" or 'str:'" if openssl_version >= (3, 3, 0) else "")
        )
    clear()
    # 3.0 takes dotted OIDs only, later releases also names.
    pointer = lib.OBJ_txt2obj(name.encode(), int(openssl_version < (3, 3, 0)))
    clear()
    if pointer == NULL:
        raise Failure("cannot parse OID in -geninfo option")
    return InfoTypeAndValue(oid_from_c(take(pointer, lib.ASN1_OBJECT_free, "reading an OID")), encoded)
