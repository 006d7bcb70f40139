"""A small, strict reader and writer for DER, enough for the structures of CMP.

The server has to know a few things about a message before libcrypto sees it (which transaction, which shared
secret), and some that libcrypto has no function for (a template's public key before OpenSSL 3.2, the hash
algorithm in a certConf). What libcrypto has accepted is read with ``cryptography.hazmat.asn1`` instead (``_asn1.py``).

Nothing here recurses: each function looks at one level, so hostile nesting costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from .._lazy import datetime

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
SEQUENCE = 0x30
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
_MOST = 1000
_TIME = Struct("4s2s2s2s2s2s")
"""A GeneralizedTime down to its seconds."""


class DERError(ValueError):
    """The bytes are not the DER that was expected here."""


class Element(NamedTuple):
    """One tag, length and value. ``tag`` is the identifier octets read as one big-endian number."""

    tag: int
    content: bytes
    encoding: bytes


#: Makes an Element of its fields, without the function in Python that a NamedTuple has for it.
_new = tuple.__new__


def explicit(number: int) -> int:
    """The identifier of a constructed context-specific tag, ``[number]``."""
    return 0xA0 | number


def implicit(number: int) -> int:
    """The identifier of a primitive context-specific tag, ``[number] IMPLICIT``."""
    return 0x80 | number


def read_at(data: bytes, start: int) -> tuple[Element, int]:
    """The element that begins at ``start``, and where it ends."""
    end = len(data)
    position = start
    try:
        tag = data[position]
        position += 1
        if tag & 0x1F == 0x1F:
            while True:
                octet = data[position]
                position += 1
                tag = tag << 8 | octet
                if not octet & 0x80:
                    break
                if position - start > 5:
                    raise DERError("tag number too large")
        length = data[position]
        position += 1
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise DERError("indefinite or oversized length")
            octets = data[position : position + count]
            position += count
            length = int.from_bytes(octets, "big")
            if len(octets) != count or octets[0] == 0 or length < 0x80:
                raise DERError("length not in its shortest form")
    except IndexError:
        raise DERError("truncated") from None
    stop = position + length
    if stop > end:
        raise DERError("truncated")
    return _new(Element, (tag, data[position:stop], data[start:stop])), stop


def content_at(data: bytes, start: int) -> int:
    """Where the content of the element at ``start`` begins, of DER that was read before and a tag of one octet."""
    length = data[start + 1]
    return start + 2 + (length & 0x7F if length & 0x80 else 0)


def read(data: bytes, tag: int | None = None) -> Element:
    """The one element that fills ``data``; with ``tag``, it must be that one.

    Raises DERError: malformed, something behind it, or another tag.
    """
    short = 1 < len(data) < 130 and data[1] == len(data) - 2 and data[0] & 0x1F != 0x1F
    element, stop = (_new(Element, (data[0], data[2:], data)), len(data)) if short else read_at(data, 0)
    if stop != len(data):
        raise DERError("trailing bytes")
    if tag is not None and element.tag != tag:
        raise DERError(f"expected tag {tag:#x}, found {element.tag:#x}")
    return element


def children(content: bytes) -> list[Element]:
    """The elements that make up the content of a constructed element. There may be 1,000 of them."""
    found: list[Element] = []
    position, end = 0, len(content)
    for _ in range(_MOST):
        if position >= end:
            return found
        start, tag = position + 2, content[position]
        # Most elements are so short that no octet of theirs but the second tells their length.
        if (
            tag & 0x1F != 0x1F
            and start <= end
            and (length := content[start - 1]) < 0x80
            and start + length <= end
        ):
            found.append(
                _new(Element, (tag, content[start : start + length], content[position : start + length]))
            )
            position = start + length
        else:
            element, position = read_at(content, position)
            found.append(element)
    if position < end:
        raise DERError("too many elements")
    return found


def sequence(data: bytes) -> list[Element]:
    """The elements of the SEQUENCE that fills ``data``."""
    return children(read(data, SEQUENCE).content)


def leading(data: bytes, limit: int = _MOST) -> tuple[list[Element], bytes]:
    """Of the SEQUENCE that begins ``data``, cut or damaged as it may be: the first elements that are whole, and the
    octets after them."""
    start = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
    if data[:1] != bytes([SEQUENCE]):
        return [], data
    found: list[Element] = []
    while start < len(data) and len(found) < limit:
        try:
            element, start = read_at(data, start)
        except DERError:
            break
        found.append(element)
    return found, data[start:]


class Fields:
    """Walks the fields of a SEQUENCE in their order, optional ones by tag."""

    def __init__(self, elements: list[Element]) -> None:
        self._elements = elements
        self._next = 0

    def take(self, tag: int | None = None) -> Element:
        """The next field, which must be there (and have this tag)."""
        if self._next >= len(self._elements):
            raise DERError("a field is missing")
        element = self._elements[self._next]
        if tag is not None and element.tag != tag:
            raise DERError(f"expected tag {tag:#x}, found {element.tag:#x}")
        self._next += 1
        return element

    def maybe(self, tag: int) -> Element | None:
        """The next field when it has this tag, else None."""
        if self._next < len(self._elements) and self._elements[self._next].tag == tag:
            self._next += 1
            return self._elements[self._next - 1]
        return None

    @property
    def done(self) -> bool:
        """No field is left."""
        return self._next == len(self._elements)

    def end(self) -> None:
        """Nothing may be left."""
        if not self.done:
            raise DERError("unexpected field")


def integer(element: Element) -> int:
    """The value of an INTEGER or ENUMERATED."""
    content = element.content
    if element.tag not in (INTEGER, ENUMERATED) or not content:
        raise DERError("not an INTEGER")
    if len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise DERError("INTEGER not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def octets(data: bytes) -> bytes:
    """The value of the OCTET STRING that fills ``data``."""
    return read(data, OCTET_STRING).content


def text(element: Element) -> str:
    """The value of a UTF8String."""
    if element.tag != UTF8_STRING:
        raise DERError("not a UTF8String")
    try:
        return element.content.decode()
    except UnicodeDecodeError:
        raise DERError("not UTF-8") from None


def bits(element: Element) -> int:
    """A BIT STRING of named bits as a number: bit n of the string is ``1 << n``."""
    content = element.content
    wrong = not content or content[0] > 7 or (len(content) == 1 and content[0]) or len(content) > 33
    if element.tag != BIT_STRING or wrong:
        raise DERError("not a BIT STRING")
    return named_bits(content[1:])


def named_bits(octets: bytes) -> int:
    """The same of the octets of the string."""
    return sum(int(f"{octet:08b}"[::-1], 2) << (8 * index) for index, octet in enumerate(octets))


def dotted(element: Element) -> str:
    """The value of an OBJECT IDENTIFIER, dotted."""
    if element.tag != OID:
        raise DERError("not an OBJECT IDENTIFIER")
    return dotted_octets(element.content)


@lru_cache(maxsize=256)  # the same few in each message
def dotted_octets(content: bytes) -> str:
    """An OBJECT IDENTIFIER from its octets, dotted."""
    if not content or content[-1] & 0x80 or len(content) > 128:
        raise DERError("not an OBJECT IDENTIFIER")
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise DERError("OBJECT IDENTIFIER not in its shortest form")
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def moment(element: Element) -> datetime.datetime:
    """The value of a UTCTime or GeneralizedTime in UTC, fractions of a second dropped."""
    content = element.content
    if element.tag == UTC_TIME and len(content) == 13:
        return generalized_time((b"20" if content < b"50" else b"19") + content)
    if element.tag != GENERALIZED_TIME:
        raise DERError("not a time")
    return generalized_time(content)


def generalized_time(content: bytes) -> datetime.datetime:
    """A GeneralizedTime in UTC from its octets, fractions of a second dropped."""
    whole, _, fraction = content[:-1].partition(b".")
    if content[-1:] != b"Z" or len(whole) != 14 or not (whole + fraction).isdigit():
        raise DERError("not a time")
    try:
        year, month, day, hour, minute, second = map(int, _TIME.unpack(whole))
        return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
    except ValueError:
        raise DERError("not a time") from None


def encode(tag: int, *parts: bytes) -> bytes:
    """One element with the parts, joined, as its content. ``tag`` is a single identifier octet."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def encode_integer(value: int) -> bytes:
    """An INTEGER."""
    length = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return encode(INTEGER, value.to_bytes(length, "big", signed=True))


def encode_bits(value: int) -> bytes:
    """A BIT STRING of named bits, trailing zero bits dropped: ``1 << n`` is bit n."""
    if not value:
        return encode(BIT_STRING, b"\0")
    unused = -value.bit_length() % 8
    string = f"{value:b}"[::-1] + "0" * unused
    return encode(BIT_STRING, bytes((unused,)), int(string, 2).to_bytes(len(string) // 8, "big"))


def encode_oid(value: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in value.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return encode(OID, bytes(content))


def encode_text(value: str) -> bytes:
    """A UTF8String."""
    return encode(UTF8_STRING, value.encode())


def encode_moment(value: datetime.datetime) -> bytes:
    """A GeneralizedTime in UTC, whole seconds."""
    text = value.astimezone(datetime.timezone.utc).strftime("%Y%m%d%H%M%SZ")
    return encode(GENERALIZED_TIME, text.zfill(15).encode())
