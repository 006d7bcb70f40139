"""General messages whose contents have a type."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat import asn1

from ._convert import tlv
from .errors import ResponseError
from .itav import InfoTypeAndValue

__all__ = ["CA_CERTS", "CERT_PROFILE", "ca_certs_of", "cert_profile"]

CA_CERTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17")
"""id-it-caCerts"""


CERT_PROFILE = x509.ObjectIdentifier("1.3.6.1.5.5.7.4.21")
"""id-it-certProfile"""


def cert_profile(names: str | Iterable[str]) -> InfoTypeAndValue:
    """The ``certProfile`` item for a request's header (RFC 9810 section 5.1.1.4), on any release."""
    texts = [names] if isinstance(names, str) else list(names)
    if not texts or not all(isinstance(name, str) and name for name in texts):
        raise ValueError("profile: a name, or several")
    return InfoTypeAndValue(CERT_PROFILE, tlv(0x30, b"".join(tlv(0x0C, name.encode()) for name in texts)))


@asn1.sequence
class _CaCerts:
    """``SEQUENCE OF`` stands alone in the message; declared structures are sequences: one around it."""

    certs: list[asn1.TLV]


def ca_certs_of(items: Iterable[InfoTypeAndValue]) -> list[x509.Certificate]:
    """The certificates in a ``caCerts`` answer; none if the server has none to give.

    Raises :class:`osslcmp.ResponseError` if the answer holds no ``caCerts`` item or not certificates.
    """
    for item in items:
        if item.oid == CA_CERTS:
            if item.value is None:
                return []
            try:
                found = asn1.decode_der(_CaCerts, tlv(0x30, item.value)).certs
                return [x509.load_der_x509_certificate(asn1.encode_der(cert)) for cert in found]
            except ValueError as error:
                raise ResponseError(f"genm: caCerts does not decode: {error}") from error
    raise ResponseError("genm: the answer has no caCerts item")
