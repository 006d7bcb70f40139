"""Checks whether the hash in a certConf is that of the certificate (RFC 9810, section 5.3.18; RFC 9481)."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

from ..._asn1 import oids
from ..._openssl.convert import encoded
from ...enums import PKIStatus
from ..authority import Issued
from ..engine import default_hash
from ..transactions import Transaction
from .subject import Subject

_HASH_OIDS: dict[str, hashes.HashAlgorithm] = {
    oids.SHA256: hashes.SHA256(),
    oids.SHA384: hashes.SHA384(),
    oids.SHA512: hashes.SHA512(),
    oids.SHA224: hashes.SHA224(),
    oids.SHA3_256: hashes.SHA3_256(),
    oids.SHA3_384: hashes.SHA3_384(),
    oids.SHA3_512: hashes.SHA3_512(),
    oids.SHAKE256: hashes.SHAKE256(64),
}


def hash_alg(subject: Subject) -> str | None:
    """hashAlg is one that is known."""
    status = subject.status
    algorithm = None if status is None else status.hash_algorithm
    unknown = algorithm is not None and algorithm.oid.dotted_string not in _HASH_OIDS
    return "unknown hashAlg" if unknown else None


def accepted_failure(subject: Subject) -> str | None:
    """What is accepted has no failure."""
    info = None if subject.status is None else subject.status.status
    odd = info is not None and info.status == PKIStatus.accepted and info.failure_info
    return "accepted and a failInfo" if odd else None


def cert_hash(subject: Subject) -> str | None:
    """certHash is that of the certificate that was handed out."""
    status, transaction = subject.status, subject.transaction
    if status is None or transaction is None or not isinstance(transaction.outcome, Issued):
        return None
    issued = encoded(transaction.outcome.certificate)
    if status.hash_algorithm is None:
        good = _default_hashes(issued, transaction)
    else:
        good = [_hash(issued, _HASH_OIDS[status.hash_algorithm.oid.dotted_string])]
    return None if status.cert_hash in good else "certHash does not match the certificate"


def _hash(certificate: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return digest.finalize()


def _default_hashes(certificate: bytes, transaction: Transaction) -> list[bytes]:
    """The hashes that a certConf may have when it does not name the algorithm."""
    issued = transaction.certificate
    if issued is not None and issued.signature_algorithm_oid.dotted_string == oids.ED448:
        # RFC 9481 says 64 octets; OpenSSL before 3.4 takes 32, the length that its SHAKE256 had by default.
        return [_hash(certificate, hashes.SHAKE256(64)), _hash(certificate, hashes.SHAKE256(32))]
    found = default_hash(transaction.certificate_handle())
    return [] if found is None else [found]
