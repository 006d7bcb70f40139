"""Names as people write and tools print them: distinguished names and subject alternative names, from texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple, NoReturn

from .._asn1 import der, oids
from .._asn1.x509_parts import read_general_name, read_name
from .._lazy import in_use, x509
from . import convert
from .errorqueue import clear, drain_text, text_from_c
from .inputs import EncodedGeneralName, EncodedName
from .lib import NULL, lib
from .names import object_text
from .ownership import own

#: Short keywords of OpenSSL, RFC 4514, Java, Windows and EJBCA in lower case, and what OpenSSL calls these types. SN is the
#: surname, as in OpenSSL and Windows.
_KEYWORDS = {
    **{name.lower(): name for name in ("CN", "L", "ST", "O", "OU", "C", "street", "DC", "UID", "SN", "GN")},
    "s": "ST",
    "e": "emailAddress",
    "email": "emailAddress",
    "g": "GN",
    "i": "initials",
    "t": "title",
    "dn": "dnQualifier",
    "dnq": "dnQualifier",
    "generation": "generationQualifier",
    "jurisdictioncountry": "jurisdictionC",
    "jurisdictionstate": "jurisdictionST",
    "jurisdictionlocality": "jurisdictionL",
}
#: Other keywords of Cisco, Windows and GnuTLS for names of OpenSSL, in lower case.
_ALIASES = {
    "phone": "telephonenumber",
    "pobox": "postofficebox",
    "hostname": "unstructuredname",
    "ipaddress": "unstructuredaddress",
}
#: Characters of a name in an error.
_SHOWN = 300
_SPACE = " \t\r\n"
_TYPE = re.compile(
    rf"[{_SPACE}]*(?:OID\.)?([A-Za-z][\w-]*|[0-2](?:\.\d+)+)[{_SPACE}]*=", re.ASCII | re.IGNORECASE
)
#: An RDN in a line of its own, as by ``-nameopt multiline``: it would become a part of the value before it.
_NEXT_LINE = re.compile(rf"(?<=[^,;+{_SPACE}])[{_SPACE}]*?[\r\n][{_SPACE}]*[A-Za-z0-2][\w.-]*[{_SPACE}]*=")
_HEX = re.compile(rf"[{_SPACE}]*#((?:[0-9A-Fa-f]{{2}})+)[{_SPACE}]*")
_QUOTED = re.compile(rf'[{_SPACE}]*"((?:\\.|""|[^"\\])*)"[{_SPACE}]*', re.DOTALL)
#: Space at the end belongs to the value only if a backslash stands before it.
_PLAIN = re.compile(
    rf'[{_SPACE}]*((?:\\.|[^\\,;+"{_SPACE}]|[{_SPACE}]+(?=[^,;+"{_SPACE}]))*)[{_SPACE}]*', re.DOTALL
)
_SLASHED = re.compile(r"((?:\\.|[^\\/+])*)", re.DOTALL)
#: What separates RDNs in the other form, and the type behind it: it would become a part of the value before it.
_COMMA_WITHIN = re.compile(r"(?<!\\)[,;] *([A-Za-z]+) *=")
_SLASH_WITHIN = re.compile(r"(?<!\\)/([A-Za-z]+)=")
#: The escapes of the slash form: an octet as by ``X509_NAME_oneline``, or a character.
_SLASH_ESCAPE = re.compile(rb"\\(?:x([0-9A-F]{2})|(.))", re.DOTALL)
_ESCAPE = re.compile(rb'\\([0-9A-Fa-f]{2})|\\(.)|"(")', re.DOTALL)


class _Attribute(NamedTuple):
    at: int
    """Where it begins in the text."""
    same_rdn: bool
    """Whether it belongs to the RDN of the attribute before it."""
    oid: str
    """Dotted."""
    type: int
    """For ``X509_NAME_add_entry_by_OBJ``: a universal tag or ``MBSTRING_UTF8``."""
    value: bytes


def parse_name(name: x509.Name | str, what: str = "name") -> x509.Name:
    """A name from what :func:`encode_name` takes, which raises."""
    if in_use() and isinstance(name, x509.Name):
        return name
    return read_name(encode_name(name, what))


def encode_name(name: x509.Name | EncodedName | str, what: str = "name") -> EncodedName:
    """The DER of a name from an ``x509.Name``, an RFC 4514 string (``CN=x,O=y``) or OpenSSL's ``/O=y/CN=x``.

    Spaces, semicolons, quotes and keywords of any case are taken as tools print them. The values are encoded by
    libcrypto (``X509_NAME_add_entry_by_OBJ``, 3.0), as in ``openssl req``.

    Raises ``ValueError`` if the string does not parse, ``TypeError`` for other types, each naming ``what``.
    """
    if isinstance(name, EncodedName):
        return name
    if not isinstance(name, str):
        if in_use() and isinstance(name, x509.Name):
            return EncodedName(name.public_bytes())
        raise TypeError(f"{what}: an x509.Name or str, not {type(name).__name__}")
    if "\0" in name:
        raise ValueError(f"{what}: contains a NUL character")
    try:
        return EncodedName(_encoded(name))
    except ValueError as error:
        raise ValueError(f"{what}: {_shown(name)}{error}") from error


def _encoded(name: str) -> bytes:
    if found_line := _NEXT_LINE.search(name):
        _wrong(found_line.start(), "a new line and no comma: write the RDNs with commas between them")
    slashed = name.startswith("/")
    if name in ("", "/"):
        return der.encode(der.SEQUENCE)
    found = list(_slash_form(name) if slashed else _comma_form(name))
    if not slashed:
        found = _reversed(found)
    handle = own(lib.X509_NAME_new(), lib.X509_NAME_free, "making a name")
    for attribute in found:
        _add(handle, attribute)
    encoding = convert.to_der(lib.i2d_X509_NAME, handle, "encoding a name")
    if all(map(_is_plain, found)):
        return encoding
    try:
        made = read_name(encoding)
    except ValueError as error:
        raise ValueError(f" cannot be used: {error}") from error
    if len(list(made)) != len(found):
        raise ValueError(" cannot be used: duplicate attribute in an RDN")
    return made.public_bytes()


def _is_plain(attribute: _Attribute) -> bool:
    """Whether it is one that ``cryptography`` reads and writes as libcrypto does, which need not be tried."""
    return (
        attribute.type == lib.MBSTRING_UTF8
        and not attribute.same_rdn
        and attribute.oid != oids.UNIQUE_IDENTIFIER
    )


def _wrong(at: int, what: str) -> NoReturn:
    raise ValueError(f", at character {at + 1}: {what}")


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else name[:_SHOWN] + "...")


def _type(name: str, at: int) -> tuple[str, int]:
    """The attribute type at ``at``, and where its value begins."""
    found = _TYPE.match(name, at)
    if not found:
        hint = "expected type=value" + (
            "" if at > 1 else "; leave out what stands before and around the name"
        )
        if at > 1:
            hint += "; a separator within a value needs a backslash before it" + (
                "" if name.startswith("/") else ", or the value quotes"
            )
        _wrong(at, hint)
    key = found[1]
    if oid := _oid(key):
        return oid, found.end()
    if key.lower() in ("subject", "issuer"):
        _wrong(at, f"leave out {key!r}: openssl prints it before the name, and the first RDN first")
    _wrong(found.start(1), f"unknown attribute type {key!r}; write it as a valid OID in numbers")


def _oid(key: str) -> str | None:
    """What an attribute type means, in any case; dotted."""
    lower = key.lower().replace("ofincorporation", "")  # jurisdictionOfIncorporationCountryName and the like
    if key[0].isdigit():
        with suppress(ValueError):
            return x509.ObjectIdentifier(key).dotted_string
        return None
    named = _dotted(lib.OBJ_txt2nid(_KEYWORDS.get(lower, key).encode()))
    if not named.startswith(oids.ATTRIBUTE_TYPES):
        named = _types().get(lower) or _dotted(_nids().get(_ALIASES.get(lower, lower), 0)) or named
    clear()
    return named or None


def _dotted(nid: int) -> str:
    return object_text(lib.OBJ_nid2obj(nid)) if nid else ""


@cache
def _types() -> dict[str, str]:
    """The attribute types that ``cryptography`` has, by name in lower case."""
    names = vars(x509.NameOID).items()
    return {name.replace("_", "").lower(): oid.dotted_string for name, oid in names if name.isupper()}


@cache
def _nids() -> dict[str, int]:
    """The numbers of the attribute types that OpenSSL knows, by name in lower case."""
    found: dict[str, int] = {}
    for nid in range(1, lib.OBJ_new_nid(0)):
        if _dotted(nid).startswith(oids.ATTRIBUTE_TYPES):
            for name in (lib.OBJ_nid2ln(nid), lib.OBJ_nid2sn(nid)):
                found.setdefault(text_from_c(name).lower().removeprefix("id-pda-"), nid)
    return found


def _comma_form(name: str) -> Iterator[_Attribute]:
    """RFC 4514, and what RFC 2253 and tools have beside it: spaces around, semicolons, quotes."""
    at, same_rdn = 0, False
    while True:
        start = at
        oid, at = _type(name, at)
        kind = lib.MBSTRING_UTF8
        if found := _HEX.match(name, at):
            kind, value = _element(found)
        elif name[at:].lstrip(_SPACE).startswith("#"):
            _wrong(at, "expected pairs of hexadecimal digits after #; a # as text needs a backslash")
        elif found := _QUOTED.match(name, at):
            value = _text(found)
        else:
            found = _PLAIN.match(name, at)
            assert found is not None
            _one_form(name, found, _SLASH_WITHIN)
            value = _text(found)
        yield _Attribute(start, same_rdn, oid, kind, value)
        at = found.end()
        if at == len(name):
            return
        if name[at] not in ",;+":
            _wrong(at, _out_of_place(name[at]))
        same_rdn = name[at] == "+"
        at += 1


def _out_of_place(char: str) -> str:
    if char == "\\":
        return "a backslash at the end escapes nothing"
    return (
        "a quote that does not end, or within a value without a backslash"
        if char == '"'
        else "expected , ; or +"
    )


def _slash_form(name: str) -> Iterator[_Attribute]:
    """``/O=y/CN=x``, with ``+`` between the values of one RDN and ``\\`` before either. Spaces count."""
    at = 0
    while at < len(name):
        same_rdn = name[at] == "+"
        if same_rdn and not at:
            _wrong(at, "expected type=value")
        start = at + 1
        oid, begin = _type(name, start)
        found = _SLASHED.match(name, begin)
        assert found is not None
        _one_form(name, found, _COMMA_WITHIN)
        at = found.end()
        if at < len(name) and name[at] == "\\":
            _wrong(at, _out_of_place("\\"))
        yield _Attribute(start, same_rdn, oid, lib.MBSTRING_UTF8, _text(found, _SLASH_ESCAPE))
        if name[at:] == "/":
            return


def _one_form(name: str, found: re.Match[str], other: re.Pattern[str]) -> None:
    within = other.search(name, *found.span(1))
    if within and ((word := within[1].lower()) in _KEYWORDS or word in _types()):
        _wrong(
            within.start(),
            f"{within[0]} separates nothing here: / before each RDN, or commas between them, or a backslash before it",
        )


def _utf8(at: int, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        _wrong(at, "half of a surrogate pair is no text")


def _text(found: re.Match[str], escapes: re.Pattern[bytes] = _ESCAPE) -> bytes:
    def meant(escape: re.Match[bytes]) -> bytes:
        if escape[1]:
            return bytes.fromhex(escape[1].decode())
        if escapes is _ESCAPE and escape[2] and escape[2].isalnum():
            _wrong(
                found.start(1), f"\\{escape[2].decode()} is no escape; a backslash as text is written twice"
            )
        return escape[2] or b'"'

    value = escapes.sub(meant, _utf8(found.start(1), found[1]))
    try:
        value.decode()
    except UnicodeDecodeError:
        _wrong(found.start(1), "the escaped octets are not UTF-8")
    return value


def _element(found: re.Match[str]) -> tuple[int, bytes]:
    """Tag and contents of a value in hexadecimal digits."""
    try:
        element = der.read(bytes.fromhex(found[1]))
    except der.DERError as error:
        _wrong(found.start(1), f"the digits are no DER: {error}; a # as text needs a backslash")
    if element.tag >= 0x20:
        _wrong(found.start(1), f"tag {element.tag:#x} is none of a text")
    return element.tag, element.content


def _reversed(found: list[_Attribute]) -> list[_Attribute]:
    """RFC 4514 writes the last RDN first."""
    rdns: list[list[_Attribute]] = []
    for attribute in found:
        if attribute.same_rdn:
            rdns[-1].append(attribute)
        else:
            rdns.append([attribute])
    return [attribute for rdn in reversed(rdns) for attribute in rdn]


def _add(handle: Any, attribute: _Attribute) -> None:
    if not attribute.value:
        _wrong(attribute.at, "the value is empty; leave out the type, too")
    clear()
    added = lib.X509_NAME_add_entry_by_OBJ(
        handle,
        convert.object_to_c(attribute.oid),
        attribute.type,
        attribute.value,
        len(attribute.value),
        -1,
        -1 if attribute.same_rdn else 0,
    )
    why = drain_text()
    if not added:
        _wrong(attribute.at, f"the value is none for this type: {why}")


# -- subject alternative names ------------------------------------------------------------------------------------

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
#: A dot at the end, as of a name in DNS that is complete, is kept as by OpenSSL.
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\.?")
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
#: Schemes of URIs that have no //.
_OPAQUE = ("urn", "sip", "sips", "tel", "tag", "xmpp")
#: What may stand before a colon (OpenSSL) or an equals sign (Java, Windows, EJBCA), in lower case, without spaces.
_KINDS = {
    "ip": "ip",
    "ipaddress": "ip",
    "dns": "dns",
    "dnsname": "dns",
    "email": "email",
    "rfc822name": "email",
    "uri": "uri",
    "url": "uri",
    "uniformresourceid": "uri",
    "uniformresourceidentifier": "uri",
    "rid": "rid",
    "registeredid": "rid",
    "dirname": "dirname",
    "directoryname": "dirname",
    "directoryaddress": "dirname",
    "othername": "othername",
    "upn": "upn",
    "principalname": "upn",
}
_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9 -]*)(?:\.\d+)?\s*[:=]")


def parse_general_name(what: str, text: x509.GeneralName | str) -> x509.GeneralName:
    """A general name from what :func:`encode_general_name` takes, which raises."""
    if in_use() and isinstance(text, x509.GeneralName):
        return text
    return read_general_name(encode_general_name(what, text))


def encode_general_name(what: str, text: x509.GeneralName | str) -> EncodedGeneralName:
    """The DER of a general name from a text: in the syntax of OpenSSL's ``subjectAltName``, or what a bare text is.

    Raises ``ValueError``, naming ``what`` and the text, if it is none; ``TypeError`` for what is no text.
    """
    if not isinstance(text, str):
        if in_use() and isinstance(text, x509.GeneralName):
            return EncodedGeneralName(convert.encoded_general_name(text))
        raise TypeError(f"{what}: x509.GeneralName or str, not {type(text).__name__}")
    found = _PREFIX.match(text)
    try:
        if found and (kind := _KINDS.get(re.sub("[ -]", "", found[1]).lower())):
            return EncodedGeneralName(_explicit(kind, text[found.end() :].strip(" ")))
        return EncodedGeneralName(_bare(text))
    except ValueError as error:
        raise ValueError(f"{what}: {text!r}: {error}") from error


def _explicit(kind: str, value: str) -> bytes:
    if kind == "ip":
        return _address(value)
    if kind == "dns":
        return _dns(_host(value))
    if kind == "email":
        return _mail(value)
    if kind == "uri":
        return _uri(value)
    if kind == "dirname":
        name = der.read(encode_name(value))
        if not name.content:
            raise ValueError("the name is empty")
        return der.encode(der.explicit(4), name.encoding)
    if kind == "rid":
        return _by_openssl(lib.GEN_RID, value)
    if kind == "upn" or value.startswith("UPN:"):  # the latter as openssl prints it
        value = value.removeprefix("UPN:").lstrip(":")
        value = f"{oids.MICROSOFT_UPN};UTF8:{value}"
    if not value.isascii():  # else taken for Latin-1
        value = value.replace(";", ";FORMAT:UTF8,", 1)
    return _by_openssl(lib.GEN_OTHERNAME, value)


def _by_openssl(kind: int, value: str) -> bytes:
    """What libcrypto reads in a configuration file (``a2i_GENERAL_NAME``, 3.0)."""
    if "\0" in value:
        raise ValueError("contains a NUL character")
    clear()
    found = lib.a2i_GENERAL_NAME(NULL, NULL, NULL, kind, value.encode(), 0)
    why = drain_text()
    if found == NULL:
        raise ValueError(why)
    handle = own(found, lib.GENERAL_NAME_free, "reading a name")
    name = read_general_name(convert.to_der(lib.i2d_GENERAL_NAME, handle, "encoding a name"))
    return convert.encoded_general_name(name)


def _bare(text: str) -> bytes:
    try:
        return _address(text)
    except ValueError:
        if "%" in text and ":" in text and "/" not in text:
            raise
    scheme, colon, rest = text.partition(":")
    if rest.startswith("//") or (colon and scheme.lower() in _OPAQUE):
        return _uri(text)
    if colon or ("=" in text and "@" not in text):
        raise ValueError(
            "neither an address nor a URI with //; leave out brackets and a port, "
            "or write DNS:, IP:, email:, URI:, RID:, dirName: or otherName: before it"
        )
    if "@" in text:
        return _mail(text)
    if text.lower() == "critical":
        raise ValueError("write sans_critical=True, or DNS:critical for a host of that name")
    host = _host(text)
    if host.rstrip(".").rpartition(".")[2].isdigit():
        raise ValueError("neither an IPv4 address nor a host name")
    return _dns(host)


def _dns(host: str) -> bytes:
    return der.encode(der.implicit(2), host.encode())


def _address(text: str) -> bytes:
    import ipaddress  # here: it takes time to import

    address = ipaddress.ip_address(text)
    if getattr(address, "scope_id", None):
        raise ValueError("an address with a scope is good on one machine only; leave out what begins with %")
    return der.encode(der.implicit(7), address.packed)


def _host(text: str) -> str:
    """A host name in ASCII, perhaps with ``*.`` before it or a dot behind it."""
    star = "*." if text.startswith("*.") else ""
    host = star + _ascii(text[len(star) :])
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise ValueError("not a host name" + ("; give one text for each name" if "," in text else ""))
    return host


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        import idna
    except ImportError:
        raise ValueError("an internationalised name: install idna, or write it in its xn-- form") from None
    return idna.encode(host, uts46=True).decode()


def _mail(text: str) -> bytes:
    local, _, host = text.rpartition("@")
    if not re.fullmatch(r"[!-?A-~]+", local):
        raise ValueError("not an e-mail address with an ASCII name before the @")
    address = f"{local}@{_host(host)}"
    if not _PLAIN_LOCAL.fullmatch(local):
        address = x509.RFC822Name(address).value  # says so if it is none
    return der.encode(der.implicit(1), address.encode())


def _uri(text: str) -> bytes:
    from urllib.parse import quote, urlsplit  # here: it takes time to import

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:(?!//$)[^\s<>\"\x00-\x1f\x7f]+", text):
        raise ValueError("not a URI")
    host = urlsplit(text).hostname or ""
    if not host.isascii():
        text = re.sub(re.escape(host), _ascii(host), text, count=1, flags=re.IGNORECASE)
    return der.encode(der.implicit(6), quote(text, safe="".join(map(chr, range(0x21, 0x7F)))).encode())
