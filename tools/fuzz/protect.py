"""Protection of messages that were changed, so that they get behind the check of it; and of what is in them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .tree import BITS, Node, encode, oid, parse, read, seq

_HASHES = {
    oid("2.16.840.1.101.3.4.2.1"): "sha256",
    oid("1.3.14.3.2.26"): "sha1",
    oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
_MACS = {
    oid("1.3.6.1.5.5.8.1.2"): "sha1",
    oid("1.2.840.113549.2.7"): "sha1",
    oid("1.2.840.113549.2.9"): "sha256",
}
_MOST = 100_000
ECDSA = oid("1.2.840.10045.4.3.2")


@dataclass(frozen=True)
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    def sign(self, data: bytes) -> bytes:
        """ECDSA with SHA-256."""
        return self.key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


Credentials = Signer | bytes
"""A key with its certificate, or a shared secret."""


def protect(message: Node, credentials: Credentials) -> bool:
    """Compute the protection anew, if header and body are there and say how. Returns whether they do."""
    kids = message.kids
    if len(kids) < 2:
        return False
    covered = seq(kids[0].encode(), kids[1].encode())
    if isinstance(credentials, bytes):
        value = mac(kids[0], credentials, covered)
        if value is None:
            return False
    else:
        value = credentials.sign(covered)
    bits = Node(b"\xa0", encode(BITS, b"\0", value))
    place = next((number for number, kid in enumerate(kids[2:], 2) if kid.tag == b"\xa0"), None)
    if place is None:
        kids.insert(2, bits)
    else:
        kids[place] = bits
    return True


def mac(header: Node, secret: bytes, data: bytes) -> bytes | None:
    """The password-based MAC as the header's protectionAlg asks for it; None if that cannot be read."""
    wrapped = next((kid for kid in header.kids[3:] if kid.tag == b"\xa1"), None)
    try:
        parameters = read(wrapped.content).kids[1].kids if wrapped is not None else []
        salt, owf, count, algorithm = parameters
        iterations = int.from_bytes(count.content, "big", signed=True)
        kind, mac_kind = _HASHES[owf.kids[0].encode()], _MACS[algorithm.kids[0].encode()]
    except (ValueError, IndexError, KeyError):
        return None
    if not 0 <= iterations <= _MOST:
        return None
    return hmac.digest(_mac_key(secret + salt.content, kind, iterations), data, mac_kind)


@lru_cache(1_000)
def _mac_key(key: bytes, kind: str, iterations: int) -> bytes:
    for _ in range(iterations):
        key = hashlib.new(kind, key).digest()
    return key


def sign_within(root: Node, sign: Callable[[Node], Signer], depth: int = 7) -> None:
    """Sign anew every ``SEQUENCE { X, AlgorithmIdentifier of ECDSA, BIT STRING }``: certificates, CSRs; and proofs of
    possession, ``SEQUENCE { X, [1] { AlgorithmIdentifier, BIT STRING } }``. ``sign`` tells by whom X is signed."""
    if depth == 0:
        return
    kids = root.kids
    for kid in kids[:40]:
        sign_within(kid, sign, depth - 1)
    if len(kids) == 3 and kids[2].tag == BITS and _is_ecdsa(kids[1]):
        kids[2].content = b"\0" + sign(kids[0]).sign(kids[0].encode())
    elif len(kids) >= 2 and kids[1].tag == b"\xa1" and kids[0].tag == b"\x30":
        proof = kids[1].kids
        if len(proof) == 2 and proof[1].tag == BITS and _is_ecdsa(proof[0]):
            proof[1].content = b"\0" + sign(kids[0]).sign(kids[0].encode())


def _is_ecdsa(node: Node) -> bool:
    return node.tag == b"\x30" and bool(node.kids) and node.kids[0].encode() == ECDSA


def octets(tag: int, value: bytes) -> Node:
    """A header field that is an OCTET STRING."""
    return Node(bytes((tag,)), encode(4, value))


def set_field(header: Node, field: Node) -> None:
    """Put a field of the header in its place."""
    kids = header.kids
    for number, kid in enumerate(kids[3:], 3):
        if kid.tag == field.tag:
            kids[number] = field
            return
        if kid.tag > field.tag:
            kids.insert(number, field)
            return
    kids.append(field)


def get_field(message: bytes, tag: int) -> bytes | None:
    """The value of a header field that is an OCTET STRING."""
    header = parse(message)[0].kids[0]
    # The sender, before these, may have any tag.
    return next((read(kid.content).content for kid in header.kids[3:] if kid.tag[0] == tag), None)
