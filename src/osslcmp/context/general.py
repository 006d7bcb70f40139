"""What answers to general messages are read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from .._openssl import convert

if TYPE_CHECKING:
    from ..message.bodyparts import AlgorithmIdentifier


@dataclass(frozen=True)
class RootCAUpdate:
    """A new root CA certificate with its links to the old one (RFC 9810 section 4.4)."""

    new_with_new: x509.Certificate
    """The new root, signed by itself. OpenSSL has verified it as far as the other two allow."""
    new_with_old: x509.Certificate | None
    """The new key, signed by the old one."""
    old_with_new: x509.Certificate | None
    """The old key, signed by the new one."""


@dataclass(frozen=True)
class CertReqTemplate:
    """What the server wants in a certificate request (RFC 9483 section 4.3.3)."""

    template: bytes
    """DER of the CertTemplate."""
    subject: x509.Name | None
    """Subject to ask for; attributes with empty values are to be filled in."""
    issuer: x509.Name | None
    """Issuer to ask for."""
    extensions: tuple[x509.Extension[x509.UnrecognizedExtension], ...]
    """Extensions to ask for, their values as DER."""
    key_algorithms: tuple[AlgorithmIdentifier, ...]
    """Algorithms that the key may have; none: any."""
    rsa_key_lengths: tuple[int, ...]
    """Lengths in bits that an RSA key may have."""


def root_ca_update(ders: tuple[bytes | None, bytes | None, bytes | None]) -> RootCAUpdate | None:
    """The certificates (DER) as objects; ``None`` if there is no new root. May raise ``UnreadableCertificateError``."""
    new, *others = (None if der is None else convert.cert_from_der(der) for der in ders)
    return None if new is None else RootCAUpdate(new, *others)
