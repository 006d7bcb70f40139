"""What a client may make the server compute: the parameters of its MAC, and the sizes of public keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..._arguments import checked, positive
from ..._asn1 import oids, x509_parts
from ..._openssl.public_keys import key_size
from .. import wire

MAX_ITERATIONS = 10_000
_MD5 = frozenset({oids.MD5, oids.HMAC_MD5, oids.IPSEC_HMAC_MD5})
_SHA1 = frozenset({oids.SHA1, oids.HMAC_SHA1, oids.IPSEC_HMAC_SHA1})

KeySizes = Mapping[str, tuple[int, int]]
"""By kind of key (``RSA``, ``DSA``, ``EC``) the least and the most bits."""
KEY_SIZES: KeySizes = {"RSA": (2048, 8192), "DSA": (2048, 4096), "EC": (224, 571)}


@checked
@dataclass(frozen=True, kw_only=True)
class MacPolicy:
    """What a password-based MAC (RFC 9810, section 5.1.3.1) must be like.

    Args:
        refused: hash and MAC algorithms, as dotted OIDs, that are not accepted.
        min_iterations: the fewest times that the hash is iterated; libcrypto wants 100 at least.
        max_iterations: the most, because whoever has no secret can ask for them, too.
        min_salt: the fewest octets of salt.
    """

    refused: frozenset[str] = _MD5
    min_iterations: int = 100
    max_iterations: int = MAX_ITERATIONS
    min_salt: int = 0

    def __post_init__(self) -> None:
        positive(min_iterations=self.min_iterations, max_iterations=self.max_iterations)
        positive(or_zero=True, min_salt=self.min_salt)

    @classmethod
    def of(cls, value: MacPolicy | MacPolicyName) -> MacPolicy:
        """A policy by its name, or as it is."""
        if isinstance(value, cls):
            return value
        return cls() if value == "default" else cls(refused=_MD5 | _SHA1, min_iterations=1_000, min_salt=8)

    def check(self, message: wire.RawMessage) -> str | None:
        """What is wrong with the MAC of a message, before it is computed."""
        if not message.header.uses_mac:
            return None
        parameters = message.header.mac
        if parameters is None:
            return "malformed PBMParameter"
        if parameters.owf in self.refused or parameters.mac in self.refused:
            return "a hash or MAC algorithm that is too weak"
        if parameters.iterations < self.min_iterations:
            return f"fewer than {self.min_iterations} iterations"
        if parameters.iterations > self.max_iterations:
            return f"more than {self.max_iterations} iterations"
        if len(parameters.salt) < self.min_salt:
            return f"a salt of less than {self.min_salt} octets"
        return None


MacPolicyName = Literal["default", "strict"]


def read_key_sizes(texts: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Sizes as ``RSA=2048..8192``. Raises ValueError."""
    found = {}
    for text in texts:
        match = re.fullmatch(r"(RSA|DSA|EC)=(\d{1,5})\.\.(\d{1,5})", text)
        if match is None or int(match[2]) > int(match[3]):
            raise ValueError(f"{text!r} is no size of keys such as RSA=2048..8192")
        found[match[1]] = (int(match[2]), int(match[3]))
    return found


def key_sizes(given: KeySizes | None) -> KeySizes:
    """The sizes for all kinds. Raises ValueError for a kind that there is not, and for sizes that no key has."""
    for kind, (least, most) in (given or {}).items():
        if kind not in KEY_SIZES or not 0 < least <= most:
            raise ValueError(
                f"key_sizes: RSA, DSA or EC, the least and the most bits, not {kind} and {least} to {most}"
            )
    return {**KEY_SIZES, **(given or {})}


def check_key(sizes: KeySizes, info: bytes) -> str | None:
    """Why a public key (SubjectPublicKeyInfo, DER) is not to be certified."""
    found = key_size(info)
    if found is None or found[0] not in sizes:
        return None
    kind, bits = found
    least, most = sizes[kind]
    return None if least <= bits <= most else f"{kind} keys of {least} to {most} bits are certified"


def check_certificates(sizes: KeySizes, message: wire.RawMessage) -> str | None:
    """Whether verifying with a key in extraCerts would cost too much."""
    for encoding in message.extra_certs:
        try:
            found = key_size(x509_parts.public_key_info(encoding))
        except (ValueError, IndexError):  # nobody reads it
            continue
        if found is not None and found[0] in sizes and found[1] > sizes[found[0]][1]:
            return f"a key of more than {sizes[found[0]][1]} bits in extraCerts"
    return None
