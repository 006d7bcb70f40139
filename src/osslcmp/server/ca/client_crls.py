"""Revocation of clients' certificates from elsewhere: CRLs in files, which are read again when they change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..._arguments import checked
from ..._openssl import verify
from ..._openssl.certificate_check import CertificateCheck
from ..._openssl.inputs import AnyCertificate, AnyCRL
from ..._openssl.inputs import crls as read_crls
from ..._text import get_logger
from ...enums import FailureInfo
from ...errors import OpenSSLError
from ..authority import Rejected

logger = get_logger("osslcmp.server")

Certificate = AnyCertificate | bytes
State = tuple[int, int, int]


class ClientCRLs:
    """The CRLs of CAs whose clients are trusted. May be used from many threads at once.

    A certificate is good when the CRL of its issuer is there, is not expired, and does not list it. A file that has
    disappeared or become unreadable leaves what was read before in force, until that expires.

    Args:
        files: each with one CRL or several, PEM or DER.
        trusted: the roots, or other CAs, below which the clients stand.

    Raises:
        OSError: a file cannot be read.
        ValueError: there is no CRL in it.
    """

    @checked
    def __init__(self, files: Iterable[Path], trusted: Sequence[AnyCertificate]) -> None:
        self._trusted = trusted
        self._lock = threading.RLock()
        self._read: dict[Path, tuple[State | None, list[AnyCRL]]] = {
            file: (_state(file), read_crls("CRLs", file)) for file in files
        }

    def refuse(self, signer: Certificate, untrusted: Sequence[Certificate]) -> Rejected | None:
        """Why a certificate that chains up to a root, with the help of ``untrusted``, is not good for anything."""
        crls = self._current()
        # Of a CA that has several certificates, one that is revoked does no harm to a path by another.
        try:
            others = [one for one in untrusted if one != signer]
            good = verify.not_listed(others, crls)
            check = CertificateCheck(trusted=self._trusted, crls=crls, crl_check="leaf", partial_chain=True)
            failure = check.failure(signer, good)
        except OpenSSLError as error:
            failure = str(error)
        else:
            if failure is not None and len(good) < len(others):
                failure = f"a CA above the signer is revoked, and without it: {failure}"
        if failure is None:
            return None
        return Rejected(FailureInfo.signerNotTrusted, f"revocation of the signer: {failure}")

    def knows(self, signer: Certificate, untrusted: Sequence[Certificate]) -> bool:
        """Whether a certificate stands below one of the roots, revoked or not: else these CRLs say nothing of it."""
        try:
            check = CertificateCheck(trusted=self._trusted, partial_chain=True, no_check_time=True)
            return check.failure(signer, untrusted) is None
        except OpenSSLError:
            return True

    def _current(self) -> list[AnyCRL]:
        with self._lock:
            self._read = {file: _read_again(file, *found) for file, found in self._read.items()}
            return [crl for _, crls in self._read.values() for crl in crls]


def _read_again(file: Path, before: State | None, crls: list[AnyCRL]) -> tuple[State | None, list[AnyCRL]]:
    """The CRLs of a file, if it has changed since it was read; it is None when the last time failed."""
    try:
        state = _state(file)
        return (state, crls if state == before else read_crls("CRLs", file))
    except (OSError, ValueError) as error:
        if before is not None:
            logger.error("the CRLs read before stay in force: %s", error)
        return None, crls


def _state(file: Path) -> State:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
