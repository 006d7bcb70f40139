"""What an enrolment brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .._openssl.lib import features
from ..enums import FailureInfo, PKIStatus

if TYPE_CHECKING:
    from .results import ResultMixin

__all__ = ["Enrollment"]


@dataclass(frozen=True)
class Enrollment:
    """A new certificate and what came with it."""

    certificate: x509.Certificate
    """The certificate."""
    chain: list[x509.Certificate]
    """Its chain upwards without itself, as far as it could be built."""
    ca_pubs: list[x509.Certificate]
    """CA certificates that the server published: trust them only under MAC protection."""
    extra_certs: list[x509.Certificate]
    """Other certificates in the answer, untrusted."""
    status: PKIStatus
    """``accepted``, ``grantedWithMods`` (look at the differences) or a warning."""
    failure_info: FailureInfo
    """Failure bits that the server sent along."""
    text: str
    """The server's words."""
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    """The private key, if the CA made it."""
    server_certificate: x509.Certificate | None = None
    """The validated certificate of the server that signed the answer; ``None`` before OpenSSL 3.2."""

    @classmethod
    def of(cls, context: ResultMixin, response: bytes | None = None) -> Enrollment:
        """The results in a context.

        ``response`` is the message that brought the certificate, after its confirmation has failed: the context may
        have a status of that failure by now.
        """
        certificate = context.new_cert
        assert certificate is not None
        status, failure_info, text = context._status() if response is None else _status_in(response)
        return cls(
            certificate,
            context.new_chain,
            context.ca_pubs,
            context.extra_certs_in,
            status,
            failure_info,
            text,
            context.central_key,
            context.validated_srv_cert if features["validated_server_certificate"] else None,
        )


def _status_in(response: bytes) -> tuple[PKIStatus, FailureInfo, str]:
    from ..message import CertRepMessage, Message

    body = Message.from_der(response).body
    assert isinstance(body, CertRepMessage)  # libcrypto has taken the certificate from it
    said = body.responses[0].status
    return said.status, said.failure_info, "\n".join(said.text)
