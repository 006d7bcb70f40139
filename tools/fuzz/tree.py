"""DER as a tree that may be changed into anything, well-formed or not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

SEQUENCE, OCTETS, BITS = b"\x30", b"\x04", b"\x03"
_MAX_KIDS = 4000

Step = int | str
"""One step down: a position (modulo the number of children), or the tag of the last such child in hexadecimal."""


def encode_length(length: int) -> bytes:
    """The length octets of DER."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def encode(tag: int | bytes, *parts: bytes) -> bytes:
    """One element."""
    content = b"".join(parts)
    identifier = bytes((tag,)) if isinstance(tag, int) else tag
    return identifier + encode_length(len(content)) + content


def seq(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(SEQUENCE, *parts)


@lru_cache(1_000)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return encode(6, bytes(content))


def integer(value: int) -> bytes:
    """An INTEGER."""
    length = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return encode(2, value.to_bytes(length, "big", signed=True))


class Node:
    """An element. What is in it is read when it is asked for: most of a message is never looked at."""

    __slots__ = ("_content", "_kids", "length", "prefix", "tag")

    def __init__(self, tag: bytes, content: bytes, length: bytes | None = None) -> None:
        self.tag = tag
        self.length = length
        """Length octets other than the right ones."""
        self.prefix = b""
        """What stands before the first child: the number of unused bits of a BIT STRING."""
        self._content = content
        self._kids: list[Node] | None = None

    @property
    def content(self) -> bytes:
        """What is in it."""
        if self._kids is None:
            return self._content
        return self.prefix + b"".join([kid.encode() for kid in self._kids])

    @content.setter
    def content(self, value: bytes) -> None:
        self._content, self._kids, self.prefix = value, None, b""

    def encode(self) -> bytes:
        """The element as it is now."""
        content = self.content
        return self.tag + (encode_length(len(content)) if self.length is None else self.length) + content

    @property
    def kids(self) -> list[Node]:
        """The elements in it, also those in strings; empty if there are none. May be changed."""
        if self._kids is None:
            prefix = b"\0" if self.tag == BITS and self._content[:1] == b"\0" else b""
            wraps = self.tag[0] & 0x20 or self.tag in (BITS, OCTETS) or self.tag[0] & 0xC0 == 0x80
            try:
                found = parse(self._content[len(prefix) :]) if wraps else []
            except ValueError:
                found = []
            if not found:
                return []
            self._kids, self.prefix = found, prefix
        return self._kids


def parse(data: bytes) -> list[Node]:
    """The elements that fill ``data``. Raises ``ValueError`` if something else does."""
    found: list[Node] = []
    position, end = 0, len(data)
    try:
        while position < end:
            start = position
            position += 1
            if data[start] & 0x1F == 0x1F:
                while data[position] & 0x80:
                    position += 1
                position += 1
            tag = data[start:position]
            length = data[position]
            position += 1
            if length & 0x80:
                count = length & 0x7F
                if not 1 <= count <= 4:
                    raise ValueError("no definite length")
                length = int.from_bytes(data[position : position + count], "big")
                position += count
            stop = position + length
            if stop > end or len(found) == _MAX_KIDS:
                raise ValueError("truncated, or too many")
            found.append(Node(tag, data[position:stop]))
            position = stop
    except IndexError:
        raise ValueError("truncated") from None
    return found


def read(data: bytes) -> Node:
    """The one element that fills ``data``. Raises ``ValueError``."""
    found = parse(data)
    if len(found) != 1:
        raise ValueError("not one element")
    return found[0]


def find(root: Node, path: Sequence[Step]) -> tuple[Node | None, int, Node]:
    """Parent, position in it, and node at the end of a path, or as far as it goes down."""
    parent: Node | None = None
    position = 0
    node = root
    for step in path:
        kids = node.kids
        if not kids:
            break
        if isinstance(step, str):
            tag = int(step, 16)
            index = next(
                (number for number in reversed(range(len(kids))) if kids[number].tag[0] == tag), None
            )
            if index is None:
                break
        else:
            index = step % len(kids)
        parent, position, node = node, index, kids[index]
    return parent, position, node
