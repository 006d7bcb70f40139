"""Values that have a history of breaking readers of ASN.1: lengths, types, names, algorithms, whole structures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from .tree import encode, integer, oid, seq

IT = "1.3.6.1.5.5.7.4."
REG_CTRL = "1.3.6.1.5.5.7.5.1."
PBM = "1.2.840.113533.7.66.13"

ALGORITHMS = (
    PBM,
    "1.2.840.113549.1.5.14",  # PBMAC1
    "1.2.840.113533.7.66.30",  # DHBasedMac
    "1.2.840.113533.7.66.16",  # KemBasedMac
    "1.2.840.10045.4.3.2",  # ecdsa-with-SHA256
    "1.2.840.113549.1.1.11",  # sha256WithRSAEncryption
    "1.2.840.113549.1.1.10",  # RSASSA-PSS
    "1.2.840.113549.1.1.1",
    "1.3.101.112",  # Ed25519
    "1.3.101.113",
    "1.2.840.10045.2.1",  # ecPublicKey
    "1.2.840.10040.4.1",  # DSA
    "1.2.840.10046.2.1",  # dhpublicnumber
    "2.16.840.1.101.3.4.3.17",  # ML-DSA-44
    "1.2.156.10197.1.501",  # SM2 with SM3
    "1.2.643.7.1.1.3.2",  # GOST
    "2.16.840.1.101.3.4.2.1",  # SHA-256
    "1.3.14.3.2.26",  # SHA-1
    "1.2.840.113549.2.9",  # HMAC with SHA-256
    "1.3.6.1.5.5.8.1.2",  # HMAC-SHA1
    "1.2.840.113549.2.5",  # MD5
    "2.16.840.1.101.3.4.1.42",  # AES-256-CBC
    "0.0",
    "2.999.1",
)
INFO_TYPES = (
    *(f"{IT}{number}" for number in range(1, 25)),
    "1.2.840.113549.1.9.16.1.21",
    "1.2.840.113549.1.9.16.1.35",
)
CONTROLS = (
    *(f"{REG_CTRL}{number}" for number in range(1, 13)),
    "1.3.6.1.5.5.7.5.2.1",
    "1.3.6.1.5.5.7.5.2.2",
    "1.2.840.113549.1.9.7",
    "1.2.840.113549.1.9.14",
)
EXTENSIONS = (
    *(f"2.5.29.{number}" for number in (9, 14, 15, 16, 17, 18, 19, 20, 21, 27, 28, 29, 30, 31)),
    "2.5.29.32", "2.5.29.33", "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.46", "2.5.29.54",
    "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.3", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8", "1.3.6.1.5.5.7.1.14",
    "1.3.6.1.5.5.7.1.24", "1.3.6.1.4.1.11129.2.4.2", "2.16.840.1.113730.1.1", "1.2.3.4",
)  # fmt: skip
ATTRIBUTES = ("2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.45", "2.5.4.5", "0.9.2342.19200300.100.1.25", "1.2.3.4",
              "1.2.840.113549.1.9.1")  # fmt: skip

TEXTS = (
    b"", b"\0", b"a\0b", b"%s%n%s%n", b"\x1b[2J\x1b]0;owned\x07", b"\r\nfake: line\r\n", b"\xff\xfe\xfd", b"\xc3(",
    b"\xed\xa0\x80", "\u202egnp.exe".encode(), "é".encode(), b"\x85\x9b", b"../../../etc/passwd", b"<script>",
    b"{{7*7}}", b"'; DROP TABLE certificates; --", b"a" * 64, b"a" * 65, b"\\x00", b"/CN=a/CN=b", b"CN=a,O=b+C=d",
)  # fmt: skip

LONG = (1_000, 4_090, 4_200, 20_000, 70_000)
"""Sizes around limits in libcrypto's ways of printing."""

INTEGERS = (
    b"", b"\0", b"\x01", b"\x7f", b"\x80", b"\xff", b"\0\0", b"\0\x80", b"\xff\xff", b"\x7f\xff\xff\xff",
    b"\x80\0\0\0", b"\0\xff\xff\xff\xff", b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\xff" * 9,
    b"\x01" + b"\0" * 20, b"\x7f" + b"\xff" * 127, b"\x01\x86\xa1", b"\x63",
)  # fmt: skip

TIMES = (
    b"", b"20261127120000Z", b"00000101000000Z", b"99991231235959Z", b"20261127120000.5Z", b"20261127120000+0100",
    b"2026112712Z", b"20261332256161Z", b"not a time", b"491231235959Z", b"500101000000Z", b"20260229000000Z",
    b"20261127120060Z", b"-0010101000000Z", b"2026112712\x000000Z", b"1" * 500,
)  # fmt: skip


def _string(tag: int) -> Callable[[Random], bytes]:
    return lambda rng: encode(tag, rng.choice(TEXTS))


def _time(tag: int) -> Callable[[Random], bytes]:
    return lambda rng: encode(tag, rng.choice(TIMES))


TYPES: tuple[Callable[[Random], bytes], ...] = (
    lambda rng: encode(1, rng.choice((b"\xff", b"\0", b"\x01", b"", b"\xff\xff"))),
    lambda rng: encode(2, rng.choice(INTEGERS)),
    lambda rng: encode(3, rng.choice((b"\0", b"", b"\x07\x80", b"\x08\0", b"\0" + b"\xff" * 40, b"\x05"))),
    lambda rng: encode(4, rng.choice((b"", b"\0" * 16, b"\x30\0", b"x" * 200))),
    lambda rng: encode(5, rng.choice((b"", b"", b"\0"))),
    lambda rng: encode(
        6, rng.choice((b"", b"\x80", b"\x2a", b"\x2b\x06\x01", b"\xff" * 30 + b"\x7f", b"\x2a" * 300))
    ),
    lambda rng: encode(9, rng.choice((b"", b"\x03123", b"\x80\xfe\x05", b"\x40"))),
    lambda rng: encode(0x0A, rng.choice(INTEGERS)),
    *(_string(tag) for tag in (0x0C, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B, 0x1C, 0x1E)),
    _time(0x17),
    _time(0x18),
    lambda _rng: encode(0x0D, b"\x2a\x03"),
    lambda _rng: encode(0x28, b""),
    lambda _rng: encode(0x2B, b""),
    lambda _rng: seq(),
    lambda _rng: encode(0x31),
    lambda rng: encode(0x80 | rng.randrange(12), rng.choice(TEXTS)),
    lambda rng: encode(0xA0 | rng.randrange(12), any_type(rng)),
    lambda rng: encode(0x24, encode(4, b"ab"), encode(4, rng.choice(TEXTS))),
    lambda _rng: encode(0x23, encode(3, b"\0ab"), encode(3, b"\x01\x02")),
    lambda _rng: encode(b"\x1f\x81\x01", b"x"),
    lambda _rng: encode(b"\xbf\x8f\xff\xff\x7f", seq()),
    lambda _rng: b"\0\0",
    lambda _rng: b"\x30\x80\x02\x01\x01\0\0",
    lambda rng: seq(any_type(rng), any_type(rng)),
)


def any_type(rng: Random) -> bytes:
    """An element of any type of ASN.1."""
    return rng.choice(TYPES)(rng)


def nested(rng: Random) -> bytes:
    """A pile of tags."""
    return _pile(rng.choice((2, 10, 31, 70, 200, 1_000, 5_000)), rng.choice((0x30, 0x31, 0xA0, 0x24, 0xA4)))


@cache
def _pile(depth: int, tag: int) -> bytes:
    made = b""
    for _ in range(depth):
        made = encode(tag, made)
    return made


def long_string(rng: Random) -> bytes:
    """A string of a length that hurts."""
    return encode(
        rng.choice((0x0C, 0x13, 0x16, 4, 0x1E)),
        rng.choice((b"a", b"\\", b"\xc3\xa9", b"\0")) * rng.choice(LONG),
    )


def name(rng: Random) -> bytes:
    """A Name."""
    kind = rng.randrange(6)
    if kind == 0:
        return seq()
    count = rng.choice((1, 2, 8, 62, 300)) if kind == 1 else rng.randrange(1, 4)

    def pair() -> bytes:
        value = (
            encode(0x0C, b"a" * 64)
            if kind == 1
            else rng.choice((any_type, _string(0x0C), _string(0x1E)))(rng)
        )
        return seq(oid(rng.choice(ATTRIBUTES)), value)

    if kind == 2:
        return seq(encode(0x31, *(pair() for _ in range(count))))
    if kind == 3:
        return seq(encode(0x31, seq(oid("2.5.4.3"), long_string(rng))))
    return seq(*(encode(0x31, pair()) for _ in range(count)))


def general_name(rng: Random) -> bytes:
    """A GeneralName of any kind."""
    kind = rng.randrange(9)
    if kind in (4, 5):
        return encode(0xA0 | kind, name(rng))
    if kind in (0, 3):
        return encode(0xA0 | kind, oid(rng.choice(ALGORITHMS)), encode(0xA0, any_type(rng)))
    if kind == 8:
        return encode(0x88, rng.choice((b"\x2a\x03", b"", b"\x80", b"\x2a" * 300)))
    text = b"a" * rng.choice(LONG) if rng.random() < 0.2 else rng.choice(TEXTS)
    return encode(0x80 | kind, text)


def algorithm(rng: Random) -> bytes:
    """An AlgorithmIdentifier with parameters of any type, often of none of its own."""
    kind = rng.randrange(8)
    if kind < 3:
        inner = [
            encode(4, rng.choice((b"salt" * 4, b"", b"s" * 5_000))), seq(oid(rng.choice(ALGORITHMS))),
            encode(2, rng.choice(INTEGERS)), seq(oid(rng.choice(ALGORITHMS)), any_type(rng)),
        ]  # fmt: skip
        if kind == 1:
            inner[rng.randrange(4)] = any_type(rng)
        if kind == 2:
            del inner[rng.randrange(4)]
        return seq(oid(PBM), seq(*inner))
    parameters = rng.choice((b"", any_type(rng), any_type(rng), seq(any_type(rng)), nested(rng)))
    return seq(oid(rng.choice(ALGORITHMS)), parameters)


def typed(rng: Random) -> bytes:
    """InfoTypeAndValue, control or attribute: a known type, and a value of any."""
    kind = rng.choice(rng.choice((INFO_TYPES, CONTROLS, EXTENSIONS)))
    value = rng.choice((any_type, general_name, algorithm, extension, name, lambda _rng: b""))(rng)
    return seq(oid(kind), rng.choice((value, seq(value), encode(0x31, value), seq(seq(value)))))


def extension(rng: Random) -> bytes:
    """An Extension with anything in it."""
    match rng.randrange(8):
        case 0:
            value = any_type(rng)
        case 1:
            value = seq(any_type(rng))
        case 2:
            value = nested(rng)
        case 3:
            value = rng.choice(TEXTS)
        case 4:
            value = seq(*(general_name(rng) for _ in range(rng.choice((1, 1, 3, 100)))))
        case 5:
            value = seq(seq(oid("1.3.6.1.5.5.7.48.1"), general_name(rng)))
        case 6:
            value = seq(encode(0xA0, seq(encode(0x82, b"a" * rng.choice(LONG)))))
        case _:
            value = seq(typed(rng))
    critical = rng.choice((b"", b"", encode(1, b"\xff")))
    return seq(oid(rng.choice(EXTENSIONS)), critical, encode(4, value))


def status(rng: Random) -> bytes:
    """A PKIStatusInfo."""
    texts = seq(*(encode(0x0C, rng.choice(TEXTS)) for _ in range(rng.choice((0, 1, 3, 200)))))
    bits = encode(
        3, rng.choice((b"\0", b"\x05\x20", b"\0" + b"\xff" * 4, b"\0" + b"\xff" * 40, b"\x07\x80", b""))
    )
    number = encode(2, rng.choice(INTEGERS)) if rng.random() < 0.5 else integer(rng.randrange(8))
    return seq(number, rng.choice((b"", texts)), rng.choice((b"", bits)))


def proof(rng: Random) -> bytes:
    """A ProofOfPossession."""
    kind = rng.randrange(6)
    if kind == 0:
        return encode(0x80, b"")
    if kind == 1:
        return encode(0xA1, encode(0xA0, seq(encode(0xA0, general_name(rng)), seq(algorithm(rng)))), algorithm(rng),
                      encode(3, b"\0x"))  # fmt: skip
    if kind == 2:
        return encode(0xA1, algorithm(rng), any_type(rng))
    return encode(
        0xA0 | rng.choice((2, 3, 4)),
        rng.choice((any_type(rng), encode(0x81, b"\0"), encode(0xA4, seq(any_type(rng))))),
    )


STRUCTURES: tuple[Callable[[Random], bytes], ...] = (
    any_type, any_type, any_type, nested, long_string, name, general_name, algorithm, algorithm, typed, typed,
    extension, extension, status, proof,
)  # fmt: skip


def structure(rng: Random) -> bytes:
    """Some whole structure."""
    return rng.choice(STRUCTURES)(rng)


def oid_for(rng: Random) -> bytes:
    """An OBJECT IDENTIFIER that means something somewhere."""
    return oid(rng.choice(rng.choice((ALGORITHMS, INFO_TYPES, CONTROLS, EXTENSIONS, ATTRIBUTES))))


def content_for(tag: int, rng: Random) -> bytes:
    """A content for an element with this identifier octet."""
    if tag in (2, 0x0A):
        return rng.choice(INTEGERS)
    if tag in (0x17, 0x18):
        return rng.choice(TIMES)
    if tag & 0x20:
        return rng.choice((b"", structure(rng), structure(rng) + structure(rng)))
    if tag == 3:
        return rng.choice(
            (b"", b"\0", b"\x07\x80", b"\x08\x80", b"\0" + structure(rng), b"\0" + b"\xff" * 200)
        )
    if tag == 6:
        return oid_for(rng)[2:]
    if rng.random() < 0.1:
        return b"a" * rng.choice(LONG)
    return rng.choice(TEXTS)
