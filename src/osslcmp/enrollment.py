"""What an enrolment brought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from .enums import FailureInfo, PKIStatus

__all__ = ["Enrollment"]

Read = Callable[[bytes], x509.Certificate]


@dataclass(frozen=True, init=False, repr=False)
class Enrollment:
    """A new certificate and what came with it.

    OpenSSL reads certificates that ``cryptography`` refuses. All are here as DER, as they came; objects of
    ``cryptography`` are made when they are asked for. For a certificate that it does not read, or a chain or
    caPubs with such a one, that raises :class:`osslcmp.UnreadableCertificateError`, a ``ValueError`` with its DER.
    """

    certificate_der: bytes
    """The certificate, DER."""
    chain_der: list[bytes]
    """Its chain upwards without itself, as far as it could be built, DER."""
    ca_pubs_der: list[bytes]
    """CA certificates that the server published, DER: trust them only under MAC protection."""
    extra_certs_der: list[bytes]
    """All other certificates in the answer, untrusted, DER."""
    status: PKIStatus
    """``accepted``, ``grantedWithMods`` (look at the differences) or a warning."""
    failure_info: FailureInfo
    """Failure bits that the server sent along."""
    text: str
    """The server's words."""
    key: PrivateKeyTypes | None
    """The private key, if the CA made it."""
    server_certificate_der: bytes | None
    """The validated certificate of the server that signed the answer, DER; ``None`` before OpenSSL 3.2."""
    _read: Read = field(compare=False)

    def __init__(
        self,
        certificate: x509.Certificate | bytes,
        chain: Iterable[x509.Certificate | bytes],
        ca_pubs: Iterable[x509.Certificate | bytes],
        extra_certs: Iterable[x509.Certificate | bytes],
        status: PKIStatus,
        failure_info: FailureInfo,
        text: str,
        key: PrivateKeyTypes | None = None,
        server_certificate: x509.Certificate | bytes | None = None,
        *,
        _read: Read = x509.load_der_x509_certificate,
    ) -> None:
        vars(self).update(
            certificate_der=_der(certificate),
            chain_der=list(map(_der, chain)),
            ca_pubs_der=list(map(_der, ca_pubs)),
            extra_certs_der=list(map(_der, extra_certs)),
            status=status,
            failure_info=failure_info,
            text=text,
            key=key,
            server_certificate_der=None if server_certificate is None else _der(server_certificate),
            _read=_read,
        )

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate."""
        return self._read(self.certificate_der)

    @cached_property
    def chain(self) -> list[x509.Certificate]:
        """Its chain upwards without itself, as far as it could be built."""
        return list(map(self._read, self.chain_der))

    @cached_property
    def ca_pubs(self) -> list[x509.Certificate]:
        """CA certificates that the server published: trust them only under MAC protection."""
        return list(map(self._read, self.ca_pubs_der))

    @cached_property
    def extra_certs(self) -> list[x509.Certificate]:
        """Other certificates in the answer, untrusted: those that ``cryptography`` reads."""
        return [found for der in self.extra_certs_der if (found := self._read_or_none(der)) is not None]

    def _read_or_none(self, der: bytes) -> x509.Certificate | None:
        """Anybody may have put it there: it must not hide the others."""
        try:
            return self._read(der)
        except ValueError:
            return None

    @cached_property
    def server_certificate(self) -> x509.Certificate | None:
        """The validated certificate of the server that signed the answer; ``None`` before OpenSSL 3.2."""
        return None if self.server_certificate_der is None else self._read(self.server_certificate_der)

    def __repr__(self) -> str:
        # Not the names of the certificates: cryptography reads them only then, and it may not be able to.
        try:
            number = f"{self.certificate.serial_number:x}"
        except ValueError as error:
            number = getattr(error, "serial", "not readable").lower()
        others = (
            f"{len(self.chain_der)} in its chain, {len(self.ca_pubs_der)} in caPubs, "
            f"{len(self.extra_certs_der)} in extraCerts"
        )
        return f"<osslcmp.Enrollment {self.status.name}: certificate {number}; {others}>"


def _der(certificate: x509.Certificate | bytes) -> bytes:
    return certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
