"""Changes to a message, drawn at random and applied; as plain data, so that they can be kept and tried one by one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from . import values
from .tree import Node, Step, encode, find, parse

Op = list[Any]
"""What is done, where (a path, or an offset for what is done to bytes), and with what."""

_PARTS = (0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 3)
"""How often the header, body, protection and extraCerts of a message are chosen."""

_AIMS: tuple[list[Step], ...] = (
    [0, "a1", 0], [0, "a1", 0, 1], [0, "a1", 0, 1, 0], [0, "a1", 0, 1, 1], [0, "a1", 0, 1, 2], [0, "a1", 0, 1, 3],
    [0, "a1", 0, 0], [0, "a0", 0], [0, "a2", 0], [0, "a4", 0], [0, "a5", 0], [0, "a6", 0], [0, "a8"], [0, "a8", 0, 0],
    [0, 0], [0, 1], [0, 2], [0, 1, 0], [0, 2, 0], [1], [1, 0], [1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1], [1, 0, 0, 2],
    [1, 0, "a1", 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 2], [1, 0, 0, 2, 0], [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 1, 1],
    ["a0"], ["a0", 0], ["a1"], ["a1", 0], ["a1", 0, 0], ["a1", 0, 0, 0], ["a1", 0, 0, 0, 6], ["a1", 0, 0, 0, "a3", 0],
    ["a1", 0, 0, 0, "a3", 0, 0], ["a1", 0, 0, 0, 1], ["a1", 0, 0, 0, 3], ["a1", 0, 0, 0, 5], ["a1", 0, 0, 0, 4],
)  # fmt: skip
"""Places that deserve more than their share: the algorithm of the protection, names, status, template, proof..."""


_WHOLE = 1 << 20
"""An offset is a share of the length in these parts, or negative: as it is, from the start."""


def draw_path(rng: Random, of_message: bool) -> list[Step]:
    """Where to change something."""
    if of_message and rng.random() < 0.4:
        return list(rng.choice(_AIMS))
    depth = min(int(rng.expovariate(0.22)) + 1, 16)
    path: list[Step] = [rng.randrange(1 << 16) for _ in range(depth)]
    if of_message:
        path[0] = rng.choice(_PARTS)
    return path


_WEIGHTS = {
    "fit": 90, "set": 12, "tag": 6, "length": 1, "delete": 14, "duplicate": 10, "swap": 3, "insert": 8, "append": 4,
    "nest": 2, "copy": 4, "flip": 8, "cut": 3, "body": 3, "raw": 3,
}  # fmt: skip
_KINDS, _SHARES = list(_WEIGHTS), list(_WEIGHTS.values())


def draw_op(rng: Random, pool: Sequence[bytes], *, of_message: bool = True) -> Op:
    """One change. ``pool`` has elements of other messages."""
    kind = rng.choices(_KINDS, _SHARES)[0]
    if kind == "body" and of_message:
        return ["tag", [1], bytes((0xA0 + rng.randrange(28),)).hex()]
    if kind == "raw":
        return draw_raw(rng)
    path = draw_path(rng, of_message)
    match kind:
        case "set" | "insert" | "append":
            value = rng.choice(pool) if pool and rng.random() < 0.25 else values.structure(rng)
            return [kind, path, value.hex()]
        case "fit":
            return [kind, path, rng.randrange(1 << 30)]
        case "tag":
            tag = rng.choice(
                (rng.randrange(256), 0x80 | rng.randrange(12), 0xA0 | rng.randrange(12), rng.randrange(1, 49))
            )
            return [kind, path, f"{tag:02x}" if tag & 0x1F != 0x1F else f"{tag:02x}8101"]
        case "length":
            return [
                kind,
                path,
                rng.choice(("80", "00", "8100", "84ffffffff", "847fffffff", "820001", "ff", "8880", "7f")),
            ]
        case "duplicate":
            return [kind, path, rng.choice((1, 1, 1, 2, 10, 99, 1_000))]
        case "swap":
            return [kind, path, rng.randrange(1, 8)]
        case "nest":
            return [kind, path, rng.choice((1, 1, 2, 30, 300)), rng.choice((0x30, 0x31, 0xA0, 0xA1, 4))]
        case "copy":
            return [kind, path, draw_path(rng, of_message)]
        case "flip":
            return [kind, path, rng.randrange(1 << 16), 1 << rng.randrange(8)]
        case "cut":
            return [kind, path, rng.choice((1, 1, 2, 8, 16))]
    return ["delete", path]


def draw_raw(rng: Random) -> Op:
    """One change of bytes, whatever they mean."""
    kind = rng.choice(("raw-flip", "raw-flip", "raw-insert", "raw-cut", "raw-end", "raw-double"))
    place = rng.randrange(_WHOLE) if rng.random() < 0.5 else -rng.randrange(1, 300)
    match kind:
        case "raw-flip":
            return [kind, place, rng.randrange(1, 256)]
        case "raw-insert":
            return [kind, place, rng.choice((b"\0", b"\xff" * 4, b"\0" * 300, values.any_type(rng))).hex()]
        case _:
            return [kind, place, rng.choice((1, 2, 5, 40))]


def draw(rng: Random, pool: Sequence[bytes], *, of_message: bool = True) -> list[Op]:
    """Some changes, most often one or two."""
    return [draw_op(rng, pool, of_message=of_message) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 5, 9)))]


def change(root: Node, ops: Sequence[Op]) -> None:
    """Apply what changes the tree."""
    for op in ops:
        if not op[0].startswith("raw-"):
            _change(root, *op)


def _change(root: Node, kind: str, path: list[Step], *arguments: Any) -> None:
    parent, position, node = find(root, path)
    if parent is None:
        return
    match kind:
        case "set":
            parent.kids[position : position + 1] = _raw(bytes.fromhex(arguments[0]))
        case "insert":
            parent.kids[position:position] = _raw(bytes.fromhex(arguments[0]))
        case "append":
            node.content += bytes.fromhex(arguments[0])
        case "fit":
            parent.kids[position : position + 1] = _raw(_fitting(node, Random(arguments[0])))
        case "tag":
            node.tag = bytes.fromhex(arguments[0])
        case "length":
            node.length = bytes.fromhex(arguments[0])
        case "delete":
            del parent.kids[position]
        case "duplicate":
            encoding = node.encode()
            count = min(arguments[0], 200_000 // (len(encoding) + 1))
            parent.kids[position:position] = [copy for _ in range(count) for copy in _raw(encoding)]
        case "swap":
            kids = parent.kids
            other = (position + arguments[0]) % len(kids)
            kids[position], kids[other] = kids[other], kids[position]
        case "nest":
            encoding = node.encode()
            for _ in range(arguments[0]):
                encoding = encode(arguments[1], encoding)
            parent.kids[position : position + 1] = _raw(encoding)
        case "copy":
            parent.kids[position : position + 1] = _raw(find(root, arguments[0])[2].encode()[:100_000])
        case "flip" if node.content:
            content = bytearray(node.content)
            content[arguments[0] % len(content)] ^= arguments[1]
            node.content = bytes(content)
        case "cut":
            node.content = node.content[: -arguments[0]]


def _fitting(node: Node, rng: Random) -> bytes:
    """Another value of the same type, as far as that can be told: it gets deeper into a reader than any other does."""
    kids, tag = node.kids, node.tag[0]
    if not kids or (tag in (3, 4) and rng.random() < 0.5):
        if tag & 0x20 and not kids:
            return encode(tag, rng.choice((b"", values.structure(rng))))
        return encode(node.tag, values.content_for(tag, rng))
    if tag & 0xC0 == 0x80:
        if len(kids) == 1 and rng.random() < 0.7:
            return encode(node.tag, _fitting(kids[0], rng))
        return values.general_name(rng) if rng.random() < 0.5 else encode(node.tag, values.structure(rng))
    first = kids[0].tag[0]
    if tag == 0x30 and first == 6:
        return _with_oid(kids, rng)
    if tag == 0x30 and first == 0x31:
        return values.name(rng)
    if tag == 0x30 and first == 2 and len(kids) <= 3 and (len(kids) == 1 or kids[1].tag[0] in (0x30, 3)):
        return values.status(rng)
    if rng.random() < 0.3:
        return encode(node.tag, values.structure(rng))
    number = rng.randrange(len(kids))
    changed = [kid.encode() if place != number else _fitting(kid, rng) for place, kid in enumerate(kids)]
    return encode(node.tag, *changed)


def _with_oid(kids: list[Node], rng: Random) -> bytes:
    """AlgorithmIdentifier, InfoTypeAndValue, Extension, Attribute: they begin with an OID."""
    kind = rng.randrange(6)
    if kind == 0:
        return encode(0x30, kids[0].encode(), values.any_type(rng))
    if kind == 1:
        return encode(0x30, values.oid_for(rng), *(kid.encode() for kid in kids[1:]))
    if kind == 2 and len(kids) > 1:
        return encode(0x30, kids[0].encode(), *(_fitting(kid, rng) for kid in kids[1:]))
    if len(kids) > 1 and kids[-1].tag[0] == 4:
        return values.extension(rng)
    return rng.choice((values.algorithm, values.typed))(rng)


def _raw(encoding: bytes) -> list[Node]:
    try:
        return parse(encoding)
    except ValueError:
        # Anything: an element whose tag is all of it but its (absent) length.
        return [Node(encoding, b"", b"")]


def change_bytes(data: bytes, ops: Sequence[Op]) -> bytes:
    """Apply what changes bytes."""
    for kind, place, argument in (op for op in ops if op[0].startswith("raw-")):
        at = place * (len(data) + 1) // _WHOLE if place >= 0 else min(-place - 1, len(data))
        match kind:
            case "raw-flip" if at < len(data):
                data = data[:at] + bytes((data[at] ^ argument,)) + data[at + 1 :]
            case "raw-insert":
                data = data[:at] + bytes.fromhex(argument) + data[at:]
            case "raw-cut":
                data = data[:at] + data[at + argument :]
            case "raw-end":
                data = data[:at]
            case "raw-double":
                data = data[:at] + data[max(0, at - 100 * argument) :]
    return data
