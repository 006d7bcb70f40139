"""The files of a persistent CA. Each appears whole or not at all, whenever the process is killed.

::

    root.pem            the trust anchor, for everybody
    ca-1/               the CA; ca-2 and so on after updates of the root
      root.pem root.key issuing.pem issuing.key
      new-with-old.pem old-with-new.pem     after an update
    server.pem          key and certificate of the CMP server
    seal.key            seals the shared secrets in the database
    ca.db               the database, unless it is elsewhere

With a password, the private keys are encrypted (PKCS#8); those that are not yet, when they are read. ``seal.key`` is not.
"""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..._files import PRIVATE, PUBLIC, locked, pem_block, sync, write
from ..._openssl.inputs import found
from . import issuing
from .issuing import Generation, Pair
from .signing import Signing

_SEAL_LENGTH = 32


class Directory:
    """The files of a persistent CA in ``path``, which is made when it is missing.

    Args:
        path: of the directory.
        key_password: encrypts the private keys; None leaves them as they are.
    """

    def __init__(self, path: Path, key_password: bytes | None = None) -> None:
        self.path = path
        self.root_file = path / "root.pem"
        """Where the trust anchor is."""
        self.database_file = path / "ca.db"
        """Where the SQLite database is."""
        self.seal_file = path / "seal.key"
        """Where the key is that seals secrets."""
        self._key_password = key_password
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(error.errno, "is no directory", str(path)) from None

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes out."""
        return locked(self.path / "lock")

    def seal_key(self, *, make: bool) -> bytes | None:
        """The key that seals secrets; None when it is missing and not to be made. Call with the directory locked.

        Raises ValueError when the file has no key.
        """
        if not self.seal_file.exists():
            if not make:
                return None
            write(self.seal_file, os.urandom(_SEAL_LENGTH), PRIVATE)
        key = self.seal_file.read_bytes()
        if len(key) != _SEAL_LENGTH:
            raise ValueError(f"{self.seal_file}: {_SEAL_LENGTH} octets are a key, not {len(key)}")
        return key

    def publish_root(self, root: bytes) -> None:
        """Write ``root.pem`` from DER."""
        pem = pem_block(root)
        if not self.root_file.exists() or self.root_file.read_bytes() != pem:
            write(self.root_file, pem, PUBLIC)

    def generations(self) -> list[Generation]:
        """All that there have been, the current one last. Call with the directory locked.

        Raises ValueError when a file is missing or a key cannot be read.
        """
        paths = (path for path in self.path.glob("ca-*") if path.name[3:].isdigit() and path.is_dir())
        return list(map(self._read_generation, sorted(paths, key=lambda path: int(path.name[3:]))))

    def add_generation(self, generation: Generation) -> None:
        """Make this the current one. Call with the directory locked."""
        number = len(self.generations()) + 1
        draft = self.path / f"ca-{number}.new"
        if draft.exists():
            shutil.rmtree(draft)  # of a process that was killed
        draft.mkdir(mode=0o700)
        for name, certificate in (
            ("root.pem", generation.root),
            ("issuing.pem", generation.issuer),
            ("new-with-old.pem", generation.new_with_old),
            ("old-with-new.pem", generation.old_with_new),
        ):
            if certificate is not None:
                write(draft / name, certificate.public_bytes(Encoding.PEM), PUBLIC)
        for name, key in (("root.key", generation.root_key), ("issuing.key", generation.issuer_key)):
            if key is not None:
                write(draft / name, self._key_pem(key), PRIVATE)
        draft.rename(self.path / f"ca-{number}")
        sync(self.path)

    def server_credentials(
        self, name: str, issuer: x509.Certificate, key: CertificateIssuerPrivateKeyTypes
    ) -> Pair:
        """Certificate and key of the CMP server, made when missing or of another issuer. Call with the
        directory locked."""
        path = self.path / "server.pem"
        if path.exists():
            data = path.read_bytes()
            certificate = x509.load_pem_x509_certificate(data)
            if certificate.issuer == issuer.subject and _signed_by(certificate, issuer):
                return certificate, self._read_key(path, certificate.public_bytes(Encoding.PEM))
        pair = issuing.make_server_certificate(name, issuer, Signing(issuer, key))
        write(path, self._key_pem(pair[1]) + pair[0].public_bytes(Encoding.PEM), PRIVATE)
        return pair

    def _read_generation(self, path: Path) -> Generation:
        def certificate(name: str) -> x509.Certificate | None:
            file = path / name
            return x509.load_pem_x509_certificate(file.read_bytes()) if file.exists() else None

        root, issuer = certificate("root.pem"), certificate("issuing.pem")
        if root is None or issuer is None:
            raise ValueError(f"{path}: root.pem or issuing.pem is missing")
        root_key = path / "root.key"
        return Generation(
            root=root,
            root_key=self._read_key(root_key) if root_key.exists() else None,
            issuer=issuer,
            issuer_key=self._read_key(path / "issuing.key"),
            new_with_old=certificate("new-with-old.pem"),
            old_with_new=certificate("old-with-new.pem"),
        )

    def _read_key(self, path: Path, rest: bytes = b"") -> CertificateIssuerPrivateKeyTypes:
        """The key in a file, which is encrypted if it should be; ``rest`` is what else is in the file."""
        data = path.read_bytes()
        key = read_key(str(path), data, self._key_password)
        if self._key_password is not None and not is_encrypted(data):
            write(path, self._key_pem(key) + rest, PRIVATE)
        return key

    def _key_pem(self, key: CertificateIssuerPrivateKeyTypes) -> bytes:
        password = self._key_password
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def is_encrypted(pem: bytes) -> bool:
    """Whether a private key needs a password: PKCS#8, or the older form of OpenSSL."""
    return b"ENCRYPTED" in pem


def read_key(where: str, pem: bytes, password: bytes | None) -> CertificateIssuerPrivateKeyTypes:
    """The private key of a CA in PEM, whose place ``where`` names in errors. Raises ValueError if it cannot be read, or
    only with another password."""
    encrypted = is_encrypted(pem)
    if encrypted and password is None:
        raise ValueError(
            f"{where}: the key is encrypted, and no key_password (--key-password-file) was given"
        )
    try:
        key = load_pem_private_key(pem, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "a wrong password, or the key is damaged" if encrypted else "the key cannot be read"
        raise ValueError(f"{where}: {what}: {error}; {found(pem)}") from None
    return cast(CertificateIssuerPrivateKeyTypes, key)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    with suppress(Exception):  # an InvalidSignature, or a key of another kind
        certificate.verify_directly_issued_by(issuer)
        return True
    return False
