"""Items for the header's generalInfo: ``-geninfo`` and ``-profile``."""

from __future__ import annotations

import re

from cryptography import x509

from ..._asn1.der import encode_integer
from ..._asn1.itav import InfoTypeAndValue
from ..._openssl.convert import oid_from_c, tlv
from ..._openssl.errorqueue import clear
from ..._openssl.lib import NULL, lib, usable_version
from ..._openssl.ownership import take
from .console import Failure
from .context import CommandContext
from .settings import Settings

__all__ = ["add_general_infos"]

_PROFILE = x509.ObjectIdentifier("1.3.6.1.5.5.7.4.21")
_UTF8_STRING, _SEQUENCE = 0x0C, 0x30
_SHOWN = 40


def add_general_infos(ctx: CommandContext, s: Settings) -> None:
    """Put them into the context. Raises Failure."""
    if (profile := s.text("profile")) is not None:
        value = tlv(_SEQUENCE, tlv(_UTF8_STRING, profile.encode()))
        ctx.push_geninfo_itav(InfoTypeAndValue(_PROFILE, value))
    given = s.text("geninfo")
    if given is None:
        return
    if usable_version < (3, 3, 0):
        ctx.push_geninfo_itav(_only(given))
        return
    while given:
        info, given = _next(given)
        ctx.push_geninfo_itav(info)


def _only(item: str) -> InfoTypeAndValue:
    """As far as 3.2: one integer for a dotted OID."""
    name, colon, rest = item.partition(":")
    if not colon:
        raise Failure("missing ':' in -geninfo option")
    kind, colon, value = rest.partition(":")
    if kind.lower() != "int" or not colon:
        raise Failure("missing 'int:' in -geninfo option")
    if not re.fullmatch(r"\s*[+-]?\d+", value):
        raise Failure("cannot parse int in -geninfo option")
    return InfoTypeAndValue(_oid(name, dotted=True), _integer(value))


def _next(given: str) -> tuple[InfoTypeAndValue, str]:
    """Since 3.3: the first of several items, and the rest."""
    name, colon, rest = given.lstrip().partition(":")
    if not colon:
        raise Failure(f"missing ':' in -geninfo arg {name[:_SHOWN]}")
    oid = _oid(name, dotted=False)
    kind, colon, rest = rest.partition(":")
    if kind.lower() == "str" and colon:
        text, _, rest = rest.partition(",")
        return InfoTypeAndValue(oid, tlv(_UTF8_STRING, text.encode("utf-8", "replace"))), rest
    if kind.lower() != "int" or not colon:
        raise Failure(f"missing 'int:' or 'str:' in -geninfo arg {kind[:_SHOWN]}")
    if (found := re.match(r"\s*[+-]?\d+", rest)) is None:
        raise Failure(f"cannot parse int in -geninfo arg {rest[:_SHOWN]}")
    after = rest[found.end() :]
    if after and not after.startswith(","):
        raise Failure(f"missing ',' or end of -geninfo arg after int at {after[:_SHOWN]}")
    return InfoTypeAndValue(oid, _integer(found[0])), after[1:]


def _integer(digits: str) -> bytes:
    number = int(digits)
    if not -(1 << 63) <= number < 1 << 63:
        raise Failure("int in -geninfo option out of range")
    return encode_integer(number)


def _oid(name: str, *, dotted: bool) -> x509.ObjectIdentifier:
    clear()
    pointer = lib.OBJ_txt2obj(name.encode(), int(dotted))
    clear()
    if pointer == NULL:
        raise Failure(f"cannot parse OID in -geninfo option: '{name}'")
    return oid_from_c(take(pointer, lib.ASN1_OBJECT_free, "reading an OID"))
