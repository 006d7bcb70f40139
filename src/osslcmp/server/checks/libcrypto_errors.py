"""What libcrypto's complaints about a message mean: ``OSSL_CMP_SRV_CTX`` says ``badRequest`` to everything."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..._asn1 import x509_parts
from ..._openssl.certificate_check import CertificateCheck
from ..._openssl.signers import key_identifier, unsuitable
from ...enums import FailureInfo
from ...errors import ErrorEntry, OpenSSLError
from .. import bodies, wire
from ..authority import Rejected
from ..engine import UndecodableError
from .rules import Checker, Stage

_NO_USAGE = "missing key usage digitalsignature"


def _texts(joined: str) -> frozenset[str]:
    return frozenset(joined.split(", "))


# What libcrypto says, in the order of precedence; more than one of these can be there.
_MEANINGS = (
    (FailureInfo.unsupportedVersion, _texts("unexpected pvno")),
    (
        FailureInfo.badAlg,
        _texts(
            "algorithm not supported, bad pbm iterationcount, iterationcount below 100, unknown algorithm id, unsupported, "
            "unsupported algorithm, unsupported method for creating popo, unsupported protection alg dhbasedmac, "
            "wrong algorithm oid"
        ),
    ),
    # Said with "error validating signature" behind it, though the signature is right.
    (FailureInfo.badMessageCheck, _texts(_NO_USAGE)),
    (
        FailureInfo.badMessageCheck,
        _texts("wrong pbm value, error validating signature, missing secret, missing protection"),
    ),
    (
        FailureInfo.signerNotTrusted,
        _texts(
            "missing trust anchor, missing trust store, no suitable sender cert, potentially invalid certificate"
        ),
    ),
    (FailureInfo.badDataFormat, _texts("sender generalname type not supported, pkibody error")),
    (FailureInfo.badRecipientNonce, _texts("recipnonce unmatched")),
    (FailureInfo.badMessageCheck, _texts("error validating protection")),
)

# Found after the protection: the answer is one to the request.
_IN_BODY = {
    "multiple requests not supported": FailureInfo.badRequest,
    "bad request id": FailureInfo.badRequest,
    "certreqmsg not found": FailureInfo.badRequest,
    # From 3.5 on, a request with a key and without any proof.
    "popo inconsistent central keygen": FailureInfo.badPOP,
}

# Of the proof of possession.
_KEYS = {
    FailureInfo.badAlg: _texts(
        "unknown digest algorithm, unknown message digest algorithm, unknown signature algorithm, unsupported algorithm, "
        "unsupported public key type"
    ),
    # The version is a CSR's: from 3.5 on, libcrypto verifies none but those of version 0.
    FailureInfo.badCertTemplate: _texts("popo missing subject, unsupported version, wrong public key type"),
    FailureInfo.badPOP: _texts("unsupported popo method"),
}
_LIMITS = {
    "popo missing subject": "libcrypto verifies no proof for a template without a subject",
    "unsupported popo method": "libcrypto verifies a signature alone",
}
"""What to add, where it is libcrypto that cannot do it."""

_INCOMPLETE = ("unable to get", "unable to verify the first")
"""What libcrypto says of a certificate whose issuer it has not found."""

_TYPE = re.compile(r"\bType=(\w+)")
"""Which of its structures libcrypto was about to fill, innermost first."""


class InBody(Rejected):
    """The answer is an ip, cp, kup or rp, not an error message."""


def explain(
    message: wire.RawMessage, log: Iterable[ErrorEntry], clients: CertificateCheck
) -> Rejected | None:
    """What libcrypto's complaints about a message that it has refused before it asked the authority mean; None when they
    mean nothing better than ``badRequest``. ``clients`` are the trust anchors of the server, and its conditions."""
    logged = [entry.text for entry in log]
    for text in logged:
        if text in _IN_BODY:
            return InBody(_IN_BODY[text], text)
    meant = ((failure, text) for failure, texts in _MEANINGS for text in logged if text in texts)
    return next((_precise(message, *found, clients) for found in meant), None)


def undecodable(message: wire.RawMessage, error: UndecodableError) -> Rejected:
    """What to say of a message whose header is well-formed, but which libcrypto cannot decode.

    It may be right for all that: libcrypto has no structure for some of RFC 4211.
    """
    if bodies.has_encrypted_key_proof(message):
        return InBody(FailureInfo.badPOP, "libcrypto does not know this proof of possession (encryptedKey)")
    kind = _TYPE.search(str(error))
    where = "" if kind is None else f": libcrypto cannot decode {kind[1]}"
    return Rejected(FailureInfo.badDataFormat, f"malformed message{where}")


def unproven(message: wire.RawMessage, log: Iterable[ErrorEntry], rules: Checker) -> Rejected | None:
    """What to say instead of libcrypto's complaint that possession of the key was not proved: before 3.5 that
    is also said of no key."""
    logged = {entry.text for entry in log}
    for failure, texts in _KEYS.items():
        if found := sorted(logged & texts):
            told = (f"{text}: {_LIMITS[text]}" if text in _LIMITS else text for text in found)
            return InBody(failure, "; ".join(told))
    if bodies.is_ra_verified(message):
        return InBody(FailureInfo.notAuthorized, "raVerified is not for this sender")
    broken = rules.broken(Stage.REQUEST, message) if bodies.wants_key(message) else None
    return None if broken is None else InBody(broken.failure_info, broken.text)


def _precise(
    message: wire.RawMessage, failure: FailureInfo, text: str, clients: CertificateCheck
) -> Rejected:
    if text == _NO_USAGE:
        return Rejected(failure, "the certificate of the signer is not for digital signatures")
    if failure is FailureInfo.signerNotTrusted:
        broken = _broken_chain(message, clients)
        if broken is None or broken.startswith(_INCOMPLETE):
            odd, missing = _unsuitable(message), _missing_issuer(message)
            if odd is not None:
                return Rejected(failure, odd)
            if missing is not None:
                return Rejected(failure, f"no trusted chain, and extraCerts ends below {missing}")
        text = f"the certificate of the signer is not trusted: {broken}" if broken else text
    return Rejected(failure, text)


def _unsuitable(message: wire.RawMessage) -> str | None:
    """Why no certificate in extraCerts is the signer's; None if one is, or there is none."""
    header = message.header
    if header.sender_name is None or not message.extra_certs:
        return None
    try:
        return unsuitable(header.sender_name, header.sender_kid, message.extra_certs)
    except (OpenSSLError, ValueError):
        return None


def _broken_chain(message: wire.RawMessage, clients: CertificateCheck) -> str | None:
    """What libcrypto finds wrong with the signer's certificate or those above it; None if it is not in extraCerts, or
    nothing is wrong."""
    kid = message.header.sender_kid
    named = (one for one in message.extra_certs if kid is not None and key_identifier(one) == kid)
    signer = next(named, message.extra_certs[0] if message.extra_certs else None)
    if signer is None or not clients.trusted:
        return None
    try:
        return clients.failure(signer, message.extra_certs)
    except OpenSSLError:
        return None


def _missing_issuer(message: wire.RawMessage) -> str | None:
    """Where the chain in extraCerts ends, if not at a self-issued certificate."""
    try:
        certificates = list(map(x509_parts.read_certificate, message.extra_certs))
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
