"""Renewal whose process is killed, before each thing that it does to files and connections."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support.pki import cert_pem, key_pem, make_key

import osslcmp
from osslcmp import FailureInfo
from osslcmp.renewal import Renewal, renew
from osslcmp.server import EmbeddedCA, waiting

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["osslcmp", "osslcmp.renewal", "osslcmp.client", "test_renewal_kill"])

#: Events of Python's audit hooks that change something.
EVENTS = {
    "os.mkdir",
    "os.rename",
    "os.symlink",
    "os.remove",
    "os.rmdir",
    "os.chown",
    "os.chmod",
    "os.truncate",
}
END = 250


def _work(renewal: Renewal, at: int) -> None:
    """Renew; die before the event of that number."""
    count = 0

    def count_up(event: str, arguments: Any) -> None:
        nonlocal count
        writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
        if event in EVENTS or writing:
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count_up)
    outcome = renew(renewal)
    os._exit(0 if outcome.action in ("renewed", "waiting") else 1)


def dies(renewal: Renewal, at: int) -> bool:
    """Whether it was killed; else it has done its work."""
    process = _processes.Process(target=_work, args=(renewal, at))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0


class Site:
    """A CA over HTTP, and a certificate with its key in files, which is due."""

    def __init__(self, path: Path, url: str, ca: EmbeddedCA) -> None:
        self.path, self.url, self.ca = path, url, ca
        (path / "root.pem").write_bytes(cert_pem([ca.root]))

    def new(self, name: str, **options: Any) -> Renewal:
        """One more certificate."""
        key, folder = make_key(), self.path / name
        found = osslcmp.Client(self.url, reference="ref", secret="secret").ir(key, subject=f"CN={name}")
        folder.mkdir()
        (folder / "key.pem").write_bytes(key_pem(key))
        (folder / "cert.pem").write_bytes(cert_pem([found.certificate]))
        (folder / "full.pem").write_bytes(found.fullchain_pem)
        return Renewal(
            name=name, server=self.url, state=folder / "state", key=folder / "key.pem", certificate=folder / "cert.pem",
            fullchain=folder / "full.pem", trusted=(self.path / "root.pem",), renew_at=0.0, **options,
        )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server().serve() as running:
        yield Site(tmp_path, running.url, ca)


def whole(renewal: Renewal) -> x509.Certificate:
    """The certificate that is there. Its key and its chain belong to it."""
    files = {kind: path.read_bytes() for kind, path in renewal.files.items()}
    certificate = x509.load_pem_x509_certificate(files["certificate"])
    assert load_pem_private_key(files["key"], None).public_key() == certificate.public_key()
    leaf, issuer = x509.load_pem_x509_certificates(files["fullchain"])
    assert leaf == certificate
    certificate.verify_directly_issued_by(issuer)
    return certificate


def renewed(site: Site, renewal: Renewal, old: x509.Certificate) -> x509.Certificate:
    """What is there after a process that is not killed. What nobody confirmed is revoked by its CA in time."""
    outcome = renew(replace(renewal, renew_at=0.0 if whole(renewal) == old else 1.0))
    if outcome.error is not None and "waits for its confirmation" in outcome.error:
        assert whole(renewal) == old
        for record in site.ca.records:
            if record.is_pending:
                site.ca.expired(None, record.certificate)  # type: ignore[arg-type]
        outcome = renew(renewal)
    assert outcome.error is None
    return whole(renewal)


@pytest.mark.parametrize("part", range(4))
def test_killed_at_every_moment(site: Site, part: int) -> None:
    """Key, certificate and chain always belong together, and the next process ends with a new pair that the CA knows."""
    for at in range(1 + part, END, 4):
        renewal = site.new(f"x{at}")
        old = whole(renewal)
        died = dies(renewal, at)
        whole(renewal)
        new = renewed(site, renewal, old)
        assert new != old
        record = site.ca.record(new)
        assert record is not None
        assert (record.confirmed, record.revoked) == (True, None)
        left = {path.name for path in renewal.state.iterdir()}
        assert left == {"lock", "current", "versions"}
        assert not [path for path in renewal.state.parent.rglob("*") if path.name.endswith(".new")]
        if not died:
            assert at > 30
            return
    pytest.fail("it never ends")


def test_killed_while_it_waits(site: Site) -> None:
    """The pending request goes on, or is made anew; one certificate is there in the end."""
    for at in range(1, END, 3):
        renewal = site.new(f"x{at}", wait=1)
        old = whole(renewal)
        site.ca.policy = waiting(3, 2)
        died = dies(renewal, at)
        site.ca.policy = None
        assert whole(renewal) == old
        new = renewed(site, replace(renewal, wait=60), old)
        assert new != old
        record = site.ca.record(new)
        assert record is not None
        assert (record.confirmed, record.revoked) == (True, None)
        if not died:
            return
    pytest.fail("it never ends")


def test_a_refusal_that_says_nothing_of_the_certificate(site: Site) -> None:
    """Does not bring back one that came before."""
    renewal = site.new("x")
    saved = renewal.state / "saved"
    saved.mkdir(parents=True)
    (saved / "certificate.der").write_bytes(b"x")
    site.ca.policy = lambda _: osslcmp.server.Rejected(FailureInfo.notAuthorized, "no")
    old = whole(renewal)
    assert renew(renewal).action == "failed"
    assert whole(renewal) == old
