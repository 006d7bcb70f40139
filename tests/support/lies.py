"""A server that knows the secret and says anything: genuine answers, validly protected again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from osslcmp._asn1 import der
from osslcmp._asn1.der import encode

Change = Callable[[der.Element], bytes]
"""From the body of an answer to the encoding of another body."""

_PROTECTION_ALGORITHM = der.explicit(1)
_HASHES = {"2.16.840.1.101.3.4.2.1": "sha256", "1.3.14.3.2.26": "sha1"}
_MACS = {"1.3.6.1.5.5.8.1.2": "sha1", "1.2.840.113549.2.7": "sha1", "1.2.840.113549.2.9": "sha256"}


def _oid(algorithm: der.Element) -> str:
    return der.dotted(der.children(algorithm.content)[0])


def mac(header: der.Element, secret: bytes, protected: bytes) -> bytes:
    """The password-based MAC that the parameters in `header` ask for."""
    algorithm = next(e for e in der.children(header.content) if e.tag == _PROTECTION_ALGORITHM)
    parameters = der.sequence(der.sequence(der.read(algorithm.content).encoding)[1].encoding)
    salt, owf, iterations, mac = parameters
    hash_name, mac_hash = _HASHES[_oid(owf)], _MACS[_oid(mac)]
    key = secret + salt.content
    for _ in range(der.integer(iterations)):
        key = hashlib.new(hash_name, key).digest()
    return hmac.new(key, protected, mac_hash).digest()


def with_body(message: bytes, secret: bytes, body: bytes) -> bytes:
    """`message`, MAC-protected by `secret`, with `body` (a whole encoding) in place of its own."""
    header, _, *rest = der.sequence(message)
    protection = mac(header, secret, encode(der.SEQUENCE, header.encoding, body))
    extra = [part.encoding for part in rest if part.tag == der.explicit(1)]
    bits = encode(der.explicit(0), encode(der.BIT_STRING, b"\x00" + protection))
    return encode(der.SEQUENCE, header.encoding, body, bits, *extra)


def body_of(message: bytes) -> der.Element:
    """The body of a message."""
    return der.sequence(message)[1]


@dataclass
class LyingTransport:
    """Carries requests to a real server and gives back its answers with their bodies changed, one by one.

    `changes` are used up in turn; after the last one answers stay as they are.
    """

    honest: Callable[[bytes], bytes]
    secret: bytes
    changes: list[Change | bytes]
    requests: list[bytes] = field(default_factory=list)

    def __call__(self, request: bytes) -> bytes:
        self.requests.append(request)
        answer = self.honest(request)
        if not self.changes:
            return answer
        change = self.changes.pop(0)
        body = change if isinstance(change, bytes) else change(body_of(answer))
        return with_body(answer, self.secret, body)
