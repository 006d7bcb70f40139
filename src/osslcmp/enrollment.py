"""What an enrolment brought."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from .enums import FailureInfo, PKIStatus

__all__ = ["Enrollment"]


@dataclass(frozen=True, repr=False)
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
    key: PrivateKeyTypes | None = None
    """The private key, if the CA made it."""
    server_certificate: x509.Certificate | None = None
    """The validated certificate of the server that signed the answer; ``None`` before OpenSSL 3.2."""

    def __repr__(self) -> str:
        # Not those of the certificates: cryptography reads their names only then, and it may not be able to.
        number = f"{self.certificate.serial_number:x}"
        others = f"{len(self.chain)} in its chain, {len(self.ca_pubs)} in caPubs, {len(self.extra_certs)} in extraCerts"
        return f"<osslcmp.Enrollment {self.status.name}: certificate {number}; {others}>"
