"""Authorities for tests: one that does what it is told, one that has nothing to say."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from osslcmp import BodyType, RevocationReason
from osslcmp.server import (
    Authority,
    CertificateRequest,
    Confirmation,
    ErrorNotice,
    GeneralRequest,
    RevocationRequest,
)

from .forge import Forger, read

NAME = x509.Name.from_rfc4514_string("CN=somebody,O=osslcmp tests")


class Scripted(Authority):
    """Answers what it was told to, raises what is an exception, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    def _answer(self, method: str, argument: object) -> Any:
        self.asked.append(argument)
        answer = self.answers.get(method)
        if isinstance(answer, BaseException):
            raise answer
        return answer(argument) if callable(answer) else answer

    def shared_secret(self, reference: bytes) -> bytes | None:
        if "shared_secret" in self.answers:
            secret: bytes | None = self._answer("shared_secret", reference)
            return secret
        return b"secret" if reference == b"ref" else None

    def issue(self, request: CertificateRequest) -> Any:
        return self._answer("issue", request)

    def revoke(self, request: RevocationRequest) -> Any:
        return self._answer("revoke", request)

    def general(self, request: GeneralRequest) -> Any:
        return self._answer("general", request)

    def confirm(self, confirmation: Confirmation) -> Any:
        return self._answer("confirm", confirmation)

    def error(self, notice: ErrorNotice) -> None:
        self._answer("error", notice)


class Odd(Authority):
    """Writes nothing: what the base class answers."""

    def shared_secret(self, reference: bytes) -> bytes | None:
        return b"secret"


def about(**given: Any) -> dict[str, Any]:
    """What every message tells, from a client with the reference ``ref``."""
    return {
        "type": BodyType.IR,
        "transaction_id": bytes(16),
        "sender": None,
        "reference": b"ref",
        "signer": None,
        "message": b"",
        **given,
    }


def request(*extensions: x509.ExtensionType, critical: bool = False, **given: Any) -> CertificateRequest:
    """A certificate request as the server makes it."""
    key = given.pop("public_key", None) or ec.generate_private_key(ec.SECP256R1()).public_key()
    fields = about(
        request_id=0,
        subject=NAME,
        public_key=key,
        public_key_info=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extensions=x509.Extensions([x509.Extension(e.oid, critical, e) for e in extensions]),
        not_before=None,
        not_after=None,
        template=None,
        csr=None,
        old_certificate=None,
        ra_verified=False,
        implicit_confirm=False,
        profile=None,
        extra_certs=(),
    )
    return CertificateRequest(**fields | given)


def revocation(
    certificate: x509.Certificate, reason: RevocationReason | None = None, **given: Any
) -> RevocationRequest:
    fields = about(
        type=BodyType.RR,
        issuer=certificate.issuer,
        serial=certificate.serial_number,
        subject=None,
        public_key_info=None,
        reason=reason,
    )
    return RevocationRequest(**fields | given)


def confirm(client: Forger, response: bytes, algorithm: str = "sha256") -> bytes:
    """The certConf for a response."""
    certificate = read(response).certificate
    assert certificate is not None
    digest = hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()
    return client.answering(response).cert_conf(digest)
