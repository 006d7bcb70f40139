"""Clients that enrol and revoke at a server without a pause, whatever becomes of it, and remember what they were told."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509

import osslcmp
from osslcmp import RevocationReason

from .persistent import opened
from .pki import PrivateKey, make_key, make_name
from .serving import Served, client, signing

__all__ = ["Load"]


@dataclass
class Load:
    """Works while the ``with`` block lasts.

    Args:
        served: the server; the next one is to answer at the same URL, and with the same trust anchor.
        clients: how many there are.
        options: of the clients.
        patience: seconds to wait for what they are to do.
    """

    served: Served
    clients: int = 3
    options: dict[str, Any] = field(default_factory=dict)
    patience: float = 60.0
    got: list[x509.Certificate] = field(default_factory=list)
    """Certificates that clients have got and confirmed."""
    unsure: list[x509.Certificate] = field(default_factory=list)
    """That they have got, while they do not know whether the server has taken note of it."""
    revoked: list[x509.Certificate] = field(default_factory=list)
    """That they were told to be revoked."""
    failed: int = 0

    def __enter__(self) -> Load:  # noqa: PYI034
        self._over = threading.Event()
        self._anchor = self.served.anchor
        self._threads = ThreadPoolExecutor(self.clients)
        self._working = [self._threads.submit(self._work) for _ in range(self.clients)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._threads.shutdown()
        for working in self._working:
            working.result()

    def _work(self) -> None:
        mine = client(self.served.url, **self.options)
        while not self._over.is_set():
            self._enrol(mine)

    def _enrol(self, mine: osslcmp.Client) -> None:
        key = make_key()
        try:
            enrolled = mine.ir(key, subject=make_name("x"))
            self.got.append(enrolled.certificate)
            if len(self.got) % 3 == 0:
                self._revoke(enrolled, key)
        except osslcmp.ConfirmError as error:
            self.unsure.append(error.enrollment.certificate)
        except osslcmp.CMPError:  # the server is not there, or cannot
            self.failed += 1
            self._over.wait(0.1)

    def _revoke(self, enrolled: osslcmp.Enrollment, key: PrivateKey) -> None:
        owner = signing(self.served.url, enrolled, key, self._anchor, **self.options)
        owner.rr(enrolled.certificate, reason=RevocationReason.superseded)
        self.revoked.append(enrolled.certificate)

    def wait(self, more: int) -> None:
        """Until so many more certificates have been got."""
        self._until(lambda: len(self.got), more, "got a certificate")

    def wait_for_failures(self, more: int) -> None:
        """Until so many more requests have failed."""
        self._until(lambda: self.failed, more, "failed")

    def _until(self, count: Any, more: int, what: str) -> None:
        wanted, until = count() + more, time.monotonic() + self.patience
        while count() < wanted:
            assert time.monotonic() < until, f"nobody has {what} for {self.patience:g} s"
            time.sleep(0.005)

    def nothing_is_lost(self, directory: Path, **options: Any) -> None:
        """What clients were told is so in the database; it has nothing twice; and the CA can go on."""
        with opened(directory, **options) as ca:
            records = {record.certificate.serial_number: record for record in ca.records}
            assert len(records) == len(ca.records)
            for certificate in self.got:
                assert records[certificate.serial_number].certificate == certificate
                assert records[certificate.serial_number].confirmed
            for certificate in self.unsure:
                assert records[certificate.serial_number].certificate == certificate
            crl = ca.crl()
            for certificate in self.revoked:
                assert records[certificate.serial_number].revoked is RevocationReason.superseded
                assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
