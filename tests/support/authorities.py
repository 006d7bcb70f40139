"""Authorities for tests: one that does what it is told, one that has nothing to say."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from osslcmp.server import (
    Authority,
    CertificateRequest,
    Confirmation,
    ErrorNotice,
    GeneralRequest,
    RevocationRequest,
)

from .forge import Forger, read


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


def confirm(client: Forger, response: bytes, algorithm: str = "sha256") -> bytes:
    """The certConf for a response."""
    certificate = read(response).certificate
    assert certificate is not None
    digest = hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()
    return client.answering(response).cert_conf(digest)
