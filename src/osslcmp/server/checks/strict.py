"""What the Lightweight CMP Profile (RFC 9483) asks of a client's message and libcrypto does not check, and what
libcrypto's refusals mean: ``OSSL_CMP_SRV_CTX`` says ``badRequest`` to everything.

Pure Python. Nothing here decides about trust: a message that passes still goes through libcrypto.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from cryptography import x509

from ..._asn1 import x509_parts as _pieces
from ..._openssl.lib import features
from ...enums import BodyType, FailureInfo
from ...errors import ErrorEntry
from .. import bodies, wire
from ..authority import CertificateRequest, Rejected, RevocationRequest
from ..engine import key_identifier

Strictness = Literal["strict", "openssl"]

MIN_OCTETS = 16
"""128 bits: the least of a nonce and of a transactionID."""
CLOCK_TOLERANCE = 300.0

_ML_DSA = frozenset(f"2.16.840.1.101.3.4.3.{number}" for number in (17, 18, 19))
_SIGNATURES = _ML_DSA | {
    oid.dotted_string
    for oid in vars(x509.SignatureAlgorithmOID).values()
    if isinstance(oid, x509.ObjectIdentifier)
}


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@dataclass(frozen=True)
class Checks:
    """The checks of a header that need no transaction.

    Args:
        tolerance: seconds that messageTime may differ from the server's clock.
        clock: tells the time.
    """

    tolerance: float = CLOCK_TOLERANCE
    clock: Callable[[], datetime.datetime] = field(default=_now, repr=False)

    def fresh_until(self, stated_time: datetime.datetime | None) -> float:
        """When a message of this messageTime that is fresh now will be so no longer, in seconds since 1970.

        None: whatever its messageTime is.
        """
        now = time.time()
        stated = now + self.tolerance if stated_time is None else stated_time.timestamp()
        return min(max(stated, now), now + self.tolerance) + self.tolerance

    def header(self, message: wire.RawMessage) -> Rejected | None:
        """What is wrong with the header of a message; None if nothing."""
        header = message.header
        if len(message.transaction_id) < MIN_OCTETS:
            return Rejected(FailureInfo.badDataFormat, "transactionID has less than 128 bits")
        stated = header.message_time
        if stated is None and header.protection_alg is not None:
            return Rejected(FailureInfo.badTime, "messageTime is missing")
        if stated is not None and abs((self.clock() - stated).total_seconds()) > self.tolerance:
            return Rejected(FailureInfo.badTime, "messageTime is too far from the time here")
        if len(header.sender_nonce or b"") < MIN_OCTETS:
            problem = "missing" if header.sender_nonce is None else "shorter than 128 bits"
            return Rejected(FailureInfo.badSenderNonce, f"senderNonce is {problem}")
        if message.body_type not in wire.STARTS:
            return None
        if header.recip_nonce is not None:
            return Rejected(FailureInfo.badRecipientNonce, "recipNonce in the first message")
        return _protection(message)


def _protection(message: wire.RawMessage) -> Rejected | None:
    """Whether a first message tells who protects it."""
    header = message.header
    if header.protection_oid is None:
        return None  # libcrypto's to refuse: unprotected messages can be allowed
    if not message.protected:
        return Rejected(FailureInfo.badMessageCheck, "the protection is missing")
    if header.uses_mac:
        if not header.sender_kid:
            return Rejected(FailureInfo.badMessageCheck, "senderKID does not name a shared secret")
        return None
    if header.protection_oid not in _SIGNATURES:
        return Rejected(FailureInfo.badAlg, f"protectionAlg {header.protection_oid} is not supported")
    return _protection_certificate(message)


def _protection_certificate(message: wire.RawMessage) -> Rejected | None:
    """Whether the first of extraCerts is the certificate that the header speaks of."""
    header = message.header
    if not message.extra_certs:
        return Rejected(FailureInfo.signerNotTrusted, "extraCerts lacks the protection certificate")
    try:
        certificate = _pieces.read_certificate(message.extra_certs[0])
    except ValueError:
        return None  # libcrypto may read what cryptography does not
    identifier = key_identifier(certificate)
    if identifier is not None and header.sender_kid is None:
        return Rejected(FailureInfo.badMessageCheck, "senderKID is missing")
    if identifier is not None and header.sender_kid != identifier:
        text = "senderKID is not the key identifier of the first certificate in extraCerts"
        return Rejected(FailureInfo.badMessageCheck, text)
    try:
        sender = None if header.sender_name is None else _pieces.read_name(header.sender_name)
    except ValueError:
        return Rejected(FailureInfo.badDataFormat, "malformed sender")
    if sender is not None and _canonical(sender) != _canonical(certificate.subject):
        text = "sender is not the subject of the first certificate in extraCerts"
        return Rejected(FailureInfo.badMessageCheck, text)
    return None


def _canonical(name: x509.Name) -> str:
    """What is the same for two names that are (RFC 5280, section 7.1, as far as libcrypto goes)."""
    return " ".join(name.rfc4514_string().casefold().split())


def central_key(message: wire.RawMessage) -> Rejected | None:
    """Why no key can be made for the sender of a request that asks for one; None when it can be."""
    if not features["central_key_generation"]:
        return Rejected(FailureInfo.badCertTemplate, "no public key in the template; none is made here")
    if message.header.uses_mac:
        return Rejected(FailureInfo.badRequest, "a key is only made for a request that is signed")
    return None


def request(asked: CertificateRequest) -> Rejected | None:
    """What a request for a certificate lacks, whoever decides about it."""
    if asked.type is BodyType.KUR and asked.old_certificate is None:
        return Rejected(FailureInfo.badCertId, "a kur without oldCertID")
    return None


def revocation(asked: RevocationRequest) -> Rejected | None:
    """What a request for revocation lacks, whoever decides about it."""
    if (asked.issuer is None or asked.serial is None) and asked.public_key_info is None:
        return Rejected(FailureInfo.badCertTemplate, "an rr without issuer and serial number")
    return None


# What libcrypto says, in the order of precedence; more than one of these can be there.
_MEANINGS: tuple[tuple[FailureInfo, frozenset[str]], ...] = (
    (FailureInfo.unsupportedVersion, frozenset({"unexpected pvno"})),
    (
        FailureInfo.badAlg,
        frozenset(
            {
                "algorithm not supported",
                "bad pbm iterationcount",
                "iterationcount below 100",
                "unknown algorithm id",
                "unsupported",
                "unsupported algorithm",
                "unsupported method for creating popo",
                "unsupported protection alg dhbasedmac",
                "wrong algorithm oid",
            }
        ),
    ),
    (
        FailureInfo.badMessageCheck,
        frozenset({"wrong pbm value", "error validating signature", "missing secret", "missing protection"}),
    ),
    (
        FailureInfo.signerNotTrusted,
        frozenset(
            {
                "missing key usage digitalsignature",
                "missing trust anchor",
                "missing trust store",
                "no suitable sender cert",
                "potentially invalid certificate",
            }
        ),
    ),
    (FailureInfo.badDataFormat, frozenset({"sender generalname type not supported", "pkibody error"})),
    (FailureInfo.badRecipientNonce, frozenset({"recipnonce unmatched"})),
    (FailureInfo.badMessageCheck, frozenset({"error validating protection"})),
)

# Found after the protection: the answer is one to the request.
_IN_BODY = {
    "multiple requests not supported": FailureInfo.badRequest,
    "bad request id": FailureInfo.badRequest,
    "certreqmsg not found": FailureInfo.badRequest,
    # From 3.5 on, a request with a key and without any proof.
    "popo inconsistent central keygen": FailureInfo.badPOP,
}


@dataclass(frozen=True)
class Refusal:
    """What the client is told instead of libcrypto's ``badRequest``."""

    rejected: Rejected
    in_body: bool = False
    """The answer is an ip, cp, kup or rp, not an error message."""


def explain(message: wire.RawMessage, log: Iterable[ErrorEntry]) -> Refusal | None:
    """What libcrypto's complaints about a message mean; None when they mean nothing better than
    ``badRequest``.

    Args:
        message: the message that libcrypto has refused before it asked the authority.
        log: what it complained about.
    """
    said = [entry.text for entry in log]
    for text in said:
        if text in _IN_BODY:
            return Refusal(Rejected(_IN_BODY[text], text), in_body=True)
    for failure, texts in _MEANINGS:
        for text in said:
            if text in texts:
                return Refusal(_precise(message, failure, text))
    return None


def no_key(message: wire.RawMessage) -> Refusal | None:
    """What to say instead of libcrypto's complaint, before 3.5, that possession of no key was not proved."""
    found = central_key(message) if bodies.wants_key(message) else None
    return None if found is None else Refusal(found, in_body=True)


def _precise(message: wire.RawMessage, failure: FailureInfo, text: str) -> Rejected:
    if failure is FailureInfo.signerNotTrusted:
        missing = _missing_issuer(message)
        if missing is not None:
            return Rejected(failure, f"no trusted chain, and extraCerts ends below {missing}")
    return Rejected(failure, text)


def _missing_issuer(message: wire.RawMessage) -> str | None:
    """Where the chain in extraCerts ends, if not at a self-issued certificate."""
    try:
        certificates = list(map(_pieces.read_certificate, message.extra_certs))
        if not certificates:
            return None
        by_subject = {certificate.subject: certificate for certificate in certificates}
        top = certificates[0]
        for _ in certificates:
            above = by_subject.get(top.issuer)
            if above is None:
                return top.issuer.rfc4514_string()
            if above is top or above.subject == above.issuer:
                return None
            top = above
    except ValueError:
        pass
    return None
