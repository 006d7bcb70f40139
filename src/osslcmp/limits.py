"""Limits: what a message from a peer, or the certificates of a TLS server, may at most carry."""

from __future__ import annotations

from dataclasses import dataclass, fields

_MOST_PRINTED_LINE = 3900
_MOST_DEPTH = 128


@dataclass(frozen=True)
class Limits:
    """What a message may at most carry. It is looked at before libcrypto decodes or verifies anything of it.

    The certificates that a server shows in a TLS handshake count together as a message does, before libssl decodes them.

    The defaults let pass what real servers and clients send, post-quantum keys and signatures included. A message that
    exceeds one is refused with an error that names the limit. Lengths are in octets of the encoding.

    Raises:
        TypeError: a limit is no ``int``.
        ValueError: a limit is not positive (``explicit_curves``: negative), or larger than what libcrypto survives.
    """

    message_size: int = 16 * 1024 * 1024
    """Octets of the whole message. How much is read from a connection is limited before, by ``max_response_length`` of a
    client and ``max_message_size`` of a server."""
    depth: int = 64
    """How deep elements are nested; at most 128."""
    elements: int = 1_000_000
    """How many ASN.1 elements there are. libcrypto takes some 100 octets of memory for each."""
    certificates: int = 100
    """How many certificates there are, in extraCerts, caPubs and the body together."""
    oid_length: int = 128
    """Octets of an OBJECT IDENTIFIER."""
    integer_length: int = 4096
    """Octets of an INTEGER."""
    serial_number_length: int = 128
    """Octets of the serial number of a certificate."""
    name_length: int = 8192
    """Octets of the sender, the recipient, or a subject or issuer of a certificate."""
    extension_length: int = 65536
    """Octets of one extension of a certificate."""
    text_length: int = 16384
    """Octets of a UTF8String, such as freeText and statusString."""
    iterations: int = 2_000_000
    """Iterations of PBKDF2 and the like, and N * r * p of scrypt, of the whole message together. libcrypto takes at most
    100,000 for password-based MAC."""
    printed_line: int = _MOST_PRINTED_LINE
    """Characters of the longest line as which libcrypto prints a certificate: a name, a serial number, or an extension
    such as a list of alternative names. libcrypto never comes back from a longer line than this default, when a
    signature is wrong, so it cannot be raised."""
    explicit_curves: int = 0
    """How many elliptic curves are given by parameters instead of a name, which RFC 5480 forbids in certificates. Decoding
    a single one may cost libcrypto a fifth of a second, before anything is verified."""
    exponent_bits: int = 256
    """Bits of the public exponent of an RSA key. libcrypto takes as many as the modulus has, up to 3,072."""
    tls_certificates: int = 100 * 1024
    """Octets of all certificates that a TLS server shows (``SSL_set_max_cert_list``)."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{field.name}: an int, not {type(value).__name__}")
            most = {"depth": _MOST_DEPTH, "printed_line": _MOST_PRINTED_LINE}.get(field.name, 2**31 - 1)
            least = 0 if field.name == "explicit_curves" else 1
            if not least <= value <= most:
                raise ValueError(f"{field.name}: {value} is out of range {least} to {most}")
