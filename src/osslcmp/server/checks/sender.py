"""Checks of who has signed a message, its protection verified: a chain to a trust anchor is not enough."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509

from ..._asn1 import x509_parts
from ..._openssl.certificate_check import CertificateCheck
from ..._openssl.convert import look_alike
from ...errors import OpenSSLError
from .subject import Subject


def issued_here(subject: Subject) -> str | None:
    """Below the roots of the authority, the signer's certificate was issued by the authority itself. Whoever has a CA
    below it could make registration authorities and other devices otherwise."""
    signer, trust = subject.signer, subject.limits.sender_trust()
    if signer is None or not trust.own:
        return None
    try:
        if _is_issued_by(signer, trust.own) or (
            trust.others is not None and trust.others.failure(signer, subject.chain) is None
        ):
            return None
    except (OpenSSLError, ValueError) as error:
        return f"the issuer of the signer's certificate is not known: {error}"
    issuer = look_alike(signer).issuer.rfc4514_string()
    return f"the signer's certificate is of {issuer}, a CA below this one that is not trusted for clients"


@lru_cache(maxsize=1000)
def _is_issued_by(signer: bytes, own: tuple[x509.Certificate, ...]) -> bool:
    """Whether one of these CAs has signed it, which never changes; libcrypto has verified the rest."""
    for issuer in own:
        try:
            x509_parts.read_certificate(signer).verify_directly_issued_by(issuer)
        except Exception:  # an InvalidSignature, or what only libcrypto understands
            continue
        return True
    # Nothing but these between the signer and its anchor.
    check = CertificateCheck(trusted=own, partial_chain=True, no_check_time=True)
    return check.failure(signer, ()) is None
