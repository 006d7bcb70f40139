"""The requests that ``faults.py`` disturbs: each checks that what it gets is right."""

from __future__ import annotations

import atexit
import contextlib
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from cryptography import x509
from support.enrol import LOCAL
from support.https import WebServer, server_context
from support.pki import PKI, make_key

import osslcmp
from osslcmp.server import EmbeddedCA, waiting

__all__ = ["FLOWS", "Flow"]

CREDENTIALS = {"ref": "secret"}
#: What lasts as long as the process.
_STACK = contextlib.ExitStack()
atexit.register(_STACK.close)


class Flow(NamedTuple):
    """Something to do again and again."""

    prepare: Callable[[], Any]
    """What it needs, made in peace."""
    run: Callable[[Any], None]
    """What is disturbed; it gets that."""


class Site:
    """A CA with its server, and a client of each kind, in one process."""

    def __init__(self) -> None:
        self.ca = EmbeddedCA(CREDENTIALS)
        self.server = self.ca.server(strictness="rfc9810")
        self.key, self.new_key = make_key(), make_key()
        mac = osslcmp.Client(transport=self.server, reference="ref", secret="secret")
        self.enrol = partial(mac.ir, self.key, subject="CN=me")
        self.enrollment = self.enrol()

    def client(self, protection: str) -> osslcmp.Client:
        """One with a secret, or with a certificate."""
        if protection == "mac":
            return osslcmp.Client(transport=self.server, reference="ref", secret="secret")
        return osslcmp.Client(
            transport=self.server,
            certificate=self.enrollment.certificate,
            key=self.key,
            chain=self.enrollment.chain,
            trusted=self.ca.root,
        )

    def check(self, enrollment: osslcmp.Enrollment) -> None:
        """Whether a certificate is the one that was asked for."""
        assert enrollment.certificate.public_key() == self.new_key.public_key(), "another key"
        issued = [record.certificate for record in self.ca.records]
        assert enrollment.certificate in issued, "a certificate that was not issued"


def _request(kind: str, protection: str) -> Flow:
    site = Site()
    csr = make_csr(site.new_key)

    def prepare() -> None:
        if kind == "kur":  # what has been updated is not updated again
            site.enrollment = site.enrol()

    def run(_: Any) -> None:
        client = site.client(protection)
        if kind == "p10cr":
            site.check(client.p10cr(csr))
        elif kind == "kur":
            site.check(client.kur(site.new_key))
        else:
            site.check(getattr(client, kind)(site.new_key, subject="CN=me", sans=["a.example"]))

    return Flow(prepare, run)


def make_csr(key: Any) -> x509.CertificateSigningRequest:
    """A CSR for that key."""
    from cryptography.hazmat.primitives import hashes

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "me")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


def _polled(protection: str) -> Flow:
    site = Site()
    site.ca.policy = waiting(2, check_after=0)

    def run(_: Any) -> None:
        site.check(site.client(protection).ir(site.new_key, subject="CN=me"))

    return Flow(lambda: None, run)


def _revocation(protection: str) -> Flow:
    site = Site()

    def prepare() -> x509.Certificate:
        return site.client("mac").ir(site.new_key, subject="CN=me").certificate

    def run(certificate: x509.Certificate) -> None:
        site.client(protection).rr(certificate)
        assert any(r.certificate == certificate and r.revoked is not None for r in site.ca.records), (
            "not revoked"
        )

    return Flow(prepare, run)


def _general(protection: str) -> Flow:
    site = Site()
    infos = [osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17"))]
    expected = site.client(protection).genm(infos)

    def run(_: Any) -> None:
        assert site.client(protection).genm(infos) == expected, "another answer"

    return Flow(lambda: None, run)


def _https(host: str | None, *, right: bool) -> Flow:
    pki = PKI(Path(_STACK.enter_context(tempfile.TemporaryDirectory())))
    web = pki.issue("web", pki.issuing, sans=LOCAL)
    site = Site()
    server = _STACK.enter_context(WebServer(site.server, server_context(web)))

    def run(_: Any) -> None:
        tls = osslcmp.TLS(trusted=pki.root.certificate, host=host)
        client = osslcmp.Client(server.url(), reference="ref", secret="secret", tls=tls, message_timeout=20)
        client.genm([osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.17"))])
        assert right, "a server was accepted whose certificate is for another"

    def refused(given: Any) -> None:
        with contextlib.suppress(osslcmp.TransferError):
            run(given)

    return Flow(lambda: None, run if right else refused)


FLOWS: dict[str, Callable[[], Flow]] = {
    "ir-mac": partial(_request, "ir", "mac"),
    "p10cr-mac": partial(_request, "p10cr", "mac"),
    "ir-signature": partial(_request, "ir", "signature"),
    "cr-signature": partial(_request, "cr", "signature"),
    "p10cr-signature": partial(_request, "p10cr", "signature"),
    "kur-signature": partial(_request, "kur", "signature"),
    "rr-signature": partial(_revocation, "signature"),
    "rr-mac": partial(_revocation, "mac"),
    "genm-mac": partial(_general, "mac"),
    "genm-signature": partial(_general, "signature"),
    "polls-mac": partial(_polled, "mac"),
    "polls-signature": partial(_polled, "signature"),
    "https": partial(_https, None, right=True),
    "https-wrong-name": partial(_https, "wrong.example", right=False),
    "https-wrong-address": partial(_https, "192.0.2.1", right=False),
}
"""Made when it is needed."""
