"""What an enrolment brought."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from ._arguments import checked
from ._files import PRIVATE, PUBLIC, locked, pem_block, write
from ._lazy import key_types, x509
from .enums import FailureInfo, PKIStatus

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption


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
    key: key_types.PrivateKeyTypes | None
    """The private key, if the CA made it."""
    server_certificate_der: bytes | None
    """The validated certificate of the server that signed the answer, DER; ``None`` before OpenSSL 3.2."""
    _read: Callable[[bytes], x509.Certificate] = field(compare=False)

    def __init__(
        self,
        certificate: x509.Certificate | bytes,
        chain: Iterable[x509.Certificate | bytes],
        ca_pubs: Iterable[x509.Certificate | bytes],
        extra_certs: Iterable[x509.Certificate | bytes],
        status: PKIStatus,
        failure_info: FailureInfo,
        text: str,
        key: key_types.PrivateKeyTypes | None = None,
        server_certificate: x509.Certificate | bytes | None = None,
        *,
        _read: Callable[[bytes], x509.Certificate] | None = None,
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
            _read=_read or x509.load_der_x509_certificate,
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
        """Other certificates in the answer that ``cryptography`` reads. Nothing vouches for them."""
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

    @property
    def fullchain_pem(self) -> bytes:
        """The certificate and its chain, PEM: what servers for TLS take as their certificate."""
        return b"".join(map(pem_block, (self.certificate_der, *self.chain_der)))

    def pkcs12(
        self,
        password: bytes | str | None,
        key: key_types.PrivateKeyTypes | None = None,
        *,
        name: bytes | str | None = None,
    ) -> bytes:
        """The private key, the certificate and its chain as PKCS#12.

        Args:
            password: encrypts it, as strongly as ``cryptography`` does by default; ``None`` leaves it open. Text is
                encoded as UTF-8.
            key: the private key that was certified; by default the one that the CA made.
            name: friendlyName of the certificate.

        Returns:
            The DER of a PFX.

        Raises:
            TypeError: ``key`` is no private key object of ``cryptography``.
            ValueError: there is no key, or it is not that of the certificate; the password is empty; the certificate or
                one above it is not readable for ``cryptography`` (:class:`osslcmp.UnreadableCertificateError`).
        """
        from cryptography.hazmat.primitives.serialization import pkcs12

        own = self._own_key(key)
        if own is None:
            raise ValueError("key: give the private key that was certified")
        friendly = name.encode() if isinstance(name, str) else name
        return pkcs12.serialize_key_and_certificates(
            friendly,
            own,  # type: ignore[arg-type]  # of a kind that PKCS#12 does not hold: a TypeError
            self.certificate,
            self.chain,
            key_encryption(password),
        )

    def save(
        self,
        directory: str | os.PathLike[str],
        key: key_types.PrivateKeyTypes | None = None,
        *,
        password: bytes | str | None = None,
    ) -> None:
        """Write PEM files into a directory, which is made if it is missing.

        ``privkey.pem`` is the private key (PKCS#8, mode 600), if there is one; ``chain.pem`` the chain without the
        certificate; ``fullchain.pem`` the certificate and its chain; ``cert.pem`` the certificate alone. Each is there
        whole, on the disk, or not at all, and they come in this order. What was there before is replaced; to replace a key
        and its certificate while others read them, see :mod:`osslcmp.renewal`.

        Args:
            directory: where to.
            key: the private key that was certified; by default the one that the CA made, if it did.
            password: encrypts the private key. Text is encoded as UTF-8.

        Raises:
            TypeError: ``key`` is no private key object of ``cryptography``.
            ValueError: it is not that of the certificate, or the password is empty.
            OSError: a file cannot be written.
        """
        from pathlib import Path

        own, encryption = self._own_key(key), key_encryption(password)
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            if own is not None:
                from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

                encoded = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
                write(folder / "privkey.pem", encoded, PRIVATE)
            write(folder / "chain.pem", b"".join(map(pem_block, self.chain_der)), PUBLIC)
            write(folder / "fullchain.pem", self.fullchain_pem, PUBLIC)
            write(folder / "cert.pem", pem_block(self.certificate_der), PUBLIC)

    def _own_key(self, key: key_types.PrivateKeyTypes | None) -> key_types.PrivateKeyTypes | None:
        own = self.key if key is None else key
        if own is None:
            return None
        if not isinstance(own, get_args(key_types.PrivateKeyTypes)):
            raise TypeError(f"key: a private key object of cryptography, not {type(own).__name__}")
        from cryptography.exceptions import UnsupportedAlgorithm

        found: key_types.PrivateKeyTypes = own
        try:
            certified = self.certificate.public_key()
        except (
            ValueError,
            UnsupportedAlgorithm,
        ):  # not readable for cryptography: libcrypto has compared them
            return found
        if found.public_key() != certified:
            raise ValueError("key: is not that of the certificate")
        return found

    def __repr__(self) -> str:
        # Not the names of the certificates: cryptography reads them only then, and it may not be able to.
        try:
            number = f"{self.certificate.serial_number:x}"
        except ValueError as error:
            number = getattr(error, "serial", "not readable").lower().lstrip("0")
        others = (
            f"{len(self.chain_der)} in its chain, {len(self.ca_pubs_der)} in caPubs, "
            f"{len(self.extra_certs_der)} in extraCerts"
        )
        return f"<osslcmp.Enrollment {self.status.name}: certificate {number}; {others}>"


@checked
def key_encryption(password: bytes | str | None) -> KeySerializationEncryption:
    """How a private key is written: encrypted if there is a password. Raises ``ValueError`` for an empty one."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption

    if password is None:
        return NoEncryption()
    if not password:
        raise ValueError("password: is empty; None leaves the private key open")
    return BestAvailableEncryption(password.encode() if isinstance(password, str) else password)


def _der(certificate: x509.Certificate | bytes) -> bytes:
    if isinstance(certificate, bytes):
        return certificate
    from cryptography.hazmat.primitives.serialization import Encoding  # here: it takes time to import

    return certificate.public_bytes(Encoding.DER)
