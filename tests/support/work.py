"""Messages that make libcrypto work, sent by somebody who has proved nothing; what they cost, in honest messages.

``python -m support.work`` prints the table of docs/security-testing.md.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import time
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import osslcmp
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, MalformedMessageError, Server

from .forge import Forger, octets, sequence
from .pki import make_name

KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())
ROOT_KEY = ec.derive_private_key(0x5EED1, ec.SECP256R1())
_DAY = datetime.timedelta(days=1)


def certify(
    subject: str,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey = KEY,
    *,
    key: ec.EllipticCurvePrivateKey = KEY,
    serial: int = 1,
    ca: bool = False,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> x509.Certificate:
    """A certificate; most have the same key and the same identifier of it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(make_name(subject))
        .issuer_name(make_name(issuer))
        .serial_number(serial)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca, None), True)
        .add_extension(x509.SubjectKeyIdentifier(b"k" * 20), False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(signer, hashes.SHA256())


ROOT = certify("root", "root", ROOT_KEY, key=ROOT_KEY, ca=True)


def with_extra(message: bytes, *certificates: bytes | x509.Certificate) -> bytes:
    """A message with these extraCerts, which its protection does not cover."""
    kept = [field.encoding for field in der.sequence(message) if field.tag != explicit(1)]
    encodings = [c if isinstance(c, bytes) else c.public_bytes(Encoding.DER) for c in certificates]
    return sequence(*kept, encode(explicit(1), sequence(*encodings)))


def with_key(public_key: bytes, serial: int) -> bytes:
    """A self-made certificate of "me" for a SubjectPublicKeyInfo, with a signature that does not fit."""
    whole = der.sequence(certify("me", "me", serial=serial).public_bytes(Encoding.DER))
    fields = [field.encoding for field in der.sequence(whole[0].encoding)]
    fields[6] = public_key
    return sequence(sequence(*fields), *(field.encoding for field in whole[1:]))


class _Signature:
    """A "key" whose signatures have the right form."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def sign(self, *_arguments: object) -> bytes:
        return self._value


def _signed(
    make: Callable[[Forger], bytes], key: object = KEY, algorithm: bytes | None = None, issuer: str = "me"
) -> bytes:
    forger: Any = Forger(secret=None, reference=None, certificate=certify("me", issuer), algorithm=algorithm)
    return make(forger.but(key=key))


def look_alikes(make: Callable[[Forger], bytes], count: int = 99) -> bytes:
    """Each may be the signer's, and its issuer may be each."""
    own = [certify("me", "you", serial=n + 2, ca=True) for n in range(count // 2)]
    issuers = [certify("you", "me", serial=n + 2, ca=True) for n in range(count // 2)]
    return with_extra(_signed(make, issuer="you"), *own, *issuers)


def long_path(make: Callable[[Forger], bytes], count: int = 99) -> bytes:
    """One below the other, up to one that says the root has issued it."""
    names = ["me", *(f"ca{n}" for n in range(count - 1)), "root"]
    path = [
        certify(subject, issuer, serial=n, ca=n > 1)
        for n, (subject, issuer) in enumerate(itertools.pairwise(names), 1)
    ]
    return with_extra(_signed(make), *path)


def rsa_key(bits: int, exponent: int) -> bytes:
    """The SubjectPublicKeyInfo of an RSA key of such numbers; its modulus is no product of two primes."""
    algorithm = sequence(der.encode_oid("1.2.840.113549.1.1.1"), encode(der.NULL))
    numbers = sequence(der.encode_integer((1 << bits) - 1), der.encode_integer(exponent))
    return sequence(algorithm, encode(der.BIT_STRING, b"\0" + numbers))


def rsa_keys(make: Callable[[Forger], bytes], bits: int, exponent: int, count: int) -> bytes:
    """Candidates for the signer with RSA keys."""
    algorithm = sequence(der.encode_oid("1.2.840.113549.1.1.11"), encode(der.NULL))
    certificates = [with_key(rsa_key(bits, exponent), n + 2) for n in range(count)]
    return with_extra(_signed(make, _Signature(b"\1" * (bits // 8)), algorithm), *certificates)


def dsa_keys(make: Callable[[Forger], bytes], bits: int = 10_000, count: int = 50) -> bytes:
    """Candidates for the signer with DSA keys."""
    numbers = ((1 << bits - 1) + 7, (1 << 255) + 95, (1 << bits - 9) + 3)
    key = sequence(
        sequence(der.encode_oid("1.2.840.10040.4.1"), sequence(*map(der.encode_integer, numbers))),
        encode(der.BIT_STRING, b"\0" + der.encode_integer((1 << bits - 9) + 5)),
    )
    signature = _Signature(sequence(der.encode_integer(2**255 + 5), der.encode_integer(2**255 + 7)))
    algorithm = sequence(der.encode_oid("2.16.840.1.101.3.4.3.2"))
    return with_extra(_signed(make, signature, algorithm), *(with_key(key, n + 2) for n in range(count)))


def own_curve() -> bytes:
    """A key on a curve over a prime that is 1 modulo 2 ** 640, its points compressed: square roots are very slow."""
    prime, x, y = 141 * 2**640 + 1, 5, 7
    length = (prime.bit_length() + 7) // 8
    point = b"\2" + x.to_bytes(length, "big")
    constant = (y * y - x**3 + 3 * x) % prime
    parameters = sequence(
        der.encode_integer(1),
        sequence(der.encode_oid("1.2.840.10045.1.1"), der.encode_integer(prime)),
        sequence(*(octets(value.to_bytes(length, "big")) for value in (prime - 3, constant))),
        octets(point),
        der.encode_integer((1 << prime.bit_length() - 1) + 57),
        der.encode_integer(1),
    )
    algorithm = sequence(der.encode_oid("1.2.840.10045.2.1"), parameters)
    return sequence(algorithm, encode(der.BIT_STRING, b"\0" + point))


def own_curves(make: Callable[[Forger], bytes], count: int = 99) -> bytes:
    """Certificates for such keys."""
    return with_extra(_signed(make), *(with_key(own_curve(), n + 2) for n in range(count)))


def compressed_points(make: Callable[[Forger], bytes], count: int = 99) -> bytes:
    """Keys on the curve by name that takes the longest, points compressed."""
    algorithm = sequence(der.encode_oid("1.2.840.10045.2.1"), der.encode_oid("1.3.132.0.39"))  # sect571r1
    key = sequence(algorithm, encode(der.BIT_STRING, b"\0\2" + (6).to_bytes(72, "big")))
    return with_extra(_signed(make), *(with_key(key, n + 2) for n in range(count)))


def constrained(make: Callable[[Forger], bytes], constraints: int = 4000, names: int = 200) -> bytes:
    """By a client, below a CA, both certified by the root: every name is held against every constraint."""
    excluded = x509.NameConstraints(None, [x509.DNSName(f"a{n}.x") for n in range(constraints)])
    sans = x509.SubjectAlternativeName([x509.DNSName(f"b{n}.x") for n in range(names)])
    return with_extra(
        _signed(make, issuer="ca"),
        certify("me", "ca", extensions=(sans,)),
        certify("ca", "root", ROOT_KEY, ca=True, extensions=(excluded,)),
    )


def with_policies(make: Callable[[Forger], bytes], depth: int = 20) -> bytes:
    """A path where each policy is mapped to each; it counts where ``policy_check`` is asked for."""
    oids = [x509.ObjectIdentifier(f"1.2.3.{n}") for n in range(2)]
    policies = x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])
    pairs = [
        sequence(der.encode_oid(a.dotted_string), der.encode_oid(b.dotted_string)) for a in oids for b in oids
    ]
    mappings = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), sequence(*pairs))
    names = ["me", *(f"ca{n}" for n in range(depth)), "root"]
    path = [
        certify(
            subject,
            issuer,
            ROOT_KEY if issuer == "root" else KEY,
            serial=n,
            ca=n > 1,
            extensions=(policies, mappings) if n > 1 else (policies,),
        )
        for n, (subject, issuer) in enumerate(itertools.pairwise(names), 1)
    ]
    return with_extra(_signed(make, issuer="ca0"), *path)


def many(unit: bytes, size: int = 95_000) -> bytes:
    """As often as a client takes."""
    return unit * (size // len(unit))


def mac(make: Callable[[Forger], bytes], iterations: int) -> bytes:
    """A MAC with many iterations of the slowest hash, which is wrong."""
    sha512 = sequence(der.encode_oid("2.16.840.1.101.3.4.2.3"))
    hmac = sequence(der.encode_oid("1.2.840.113549.2.11"))
    parameters = sequence(octets(b"s" * 16), sha512, der.encode_integer(iterations), hmac)
    return make(Forger(algorithm=sequence(der.encode_oid(oids.PASSWORD_BASED_MAC), parameters)))


def key_derivations(make: Callable[[Forger], bytes], iterations: int, count: int) -> bytes:
    """Many password recipients of EnvelopedData, each with iterations of its own, as far as that matters here."""
    parameters = sequence(octets(b"salt" * 4), der.encode_integer(iterations))
    one = sequence(der.encode_oid("1.2.840.113549.1.5.12"), parameters)
    return make(Forger(info=(sequence(der.encode_oid("1.2.3"), sequence(one * count)),)))


Make = Callable[[Forger], bytes]
HONEST = "an honest message"
CASES: dict[str, Callable[[Make], bytes]] = {
    HONEST: _signed,
    "99 certificates of one subject, issued by each other": look_alikes,
    "a path of 99 certificates": long_path,
    "99 RSA keys, 3,072 bits, exponent of 256": lambda make: rsa_keys(make, 3072, (1 << 256) - 1, 99),
    "40 RSA keys, 16,384 bits, exponent of 64": lambda make: rsa_keys(make, 16_384, (1 << 64) - 1, 40),
    "24 DSA keys, 10,000 bits": lambda make: dsa_keys(make, count=24),
    "99 keys on sect571r1, points compressed": compressed_points,
    "4,000 name constraints, 200 names": constrained,
    "policies mapped to each other, 20 deep": with_policies,
    "a MAC of 100,000 iterations of SHA-512": lambda make: mac(make, 100_000),
    "8,000 InfoTypeAndValue in the header": lambda make: make(
        Forger(info=(many(sequence(der.encode_oid("1.2.3"))),))
    ),
    "INTEGERs of 4,096 octets": lambda make: make(
        Forger(info=(sequence(der.encode_oid("1.2.3"), sequence(many(der.encode_integer(1 << 32_000)))),))
    ),
    "OIDs of 128 octets": lambda make: make(
        Forger(info=(many(sequence(encode(der.OID, b"\x2a" + b"\xff" * 126 + b"\x7f"))),))
    ),
}
"""What is let through, each as large as fits into the 100 KiB that a client reads."""
REFUSED: dict[str, tuple[str, Callable[[Make], bytes]]] = {
    "RSA keys with exponents as long as the modulus": (
        "exponent_bits",
        lambda make: rsa_keys(make, 3072, (1 << 3071) - 1, 60),
    ),
    "keys on curves of the sender's own": ("explicit_curves", own_curves),
    "a key on such a curve in a request": (
        "explicit_curves",
        lambda make: make(Forger(info=(sequence(der.encode_oid("1.2.3"), sequence(own_curve())),))),
    ),
    "many key derivations": ("iterations", lambda make: key_derivations(make, 1_000_000, 3)),
}
"""What is not: which limit says so."""


def server_cost(case: Callable[[Make], bytes]) -> float:
    """CPU seconds of a server for a request."""
    message = case(lambda forger: forger.genm(sequence(der.encode_oid("1.2.3.4"))))
    server = Server(EmbeddedCA({"ref": b"secret"}), trusted=[ROOT])
    begun = time.process_time()
    with contextlib.suppress(MalformedMessageError):
        server.process(message)
    return time.process_time() - begun


def client_cost(case: Callable[[Make], bytes]) -> float:
    """CPU seconds of a client for an answer."""
    message = case(lambda forger: forger.error())
    own = certify("client", "root", ROOT_KEY)
    arguments: dict[str, Any] = (
        {"reference": "ref", "secret": b"other"}
        if b"\x2a\x86\x48\x86\xf6\x7d\x07\x42\x0d" in message
        else {"certificate": own, "key": KEY, "trusted": [ROOT]}
    )
    client = osslcmp.Client(transport=lambda _request: message, **arguments)
    begun = time.process_time()
    with contextlib.suppress(osslcmp.CMPError):
        client.genm()
    return time.process_time() - begun


SIDES: dict[str, Callable[[Callable[[Make], bytes]], float]] = {"server": server_cost, "client": client_cost}


def cost(side: str, case: Callable[[Make], bytes], tries: int = 3) -> float:
    """The least CPU seconds of some tries."""
    return min(SIDES[side](case) for _ in range(tries))


def main() -> None:
    """The table."""
    base = {side: cost(side, _signed, 20) for side in SIDES}
    for name, case in CASES.items():
        ratios = " | ".join(f"{cost(side, case) / base[side]:.0f}" for side in SIDES)
        print(f"| {name} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
