"""The installed ``openssl cmp`` as a client of the server with the embedded CA, over HTTP."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl, openssl_cmp
from support.pki import KeyType, cert_pem, key_pem, make_key
from support.serving import Peer, Served, load

from osslcmp import RevocationReason
from osslcmp.server import EmbeddedCA, Issued, RunningServer, Server, waiting

pytestmark = pytest.mark.peer

MAC: dict[str, Any] = {"ref": "ref", "secret": b"secret"}


class Site(Peer):
    """A running server, its CA, and ``openssl cmp`` as its client."""

    def __init__(self, ca: EmbeddedCA, server: Server, running: RunningServer, path: Path) -> None:
        self.ca, self.server, self.running, self.url = ca, server, running, running.url
        self.root = path / "root.pem"
        super().__init__(cast("Served", self), path)
        self.root.write_bytes(cert_pem(ca.root))

    def write(self, data: bytes) -> Path:
        self.files += 1
        path = self.path / f"{self.files}.pem"
        path.write_bytes(data)
        return path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ca = EmbeddedCA({"ref": "secret", "other": "other secret"})
    server = ca.server()
    with server.serve() as running:
        yield Site(ca, server, running, tmp_path)


@pytest.fixture(params=["mac", "signature"])
def protection(request: pytest.FixtureRequest, site: Site) -> dict[str, Any]:
    """Credentials of either kind."""
    return MAC if request.param == "mac" else site.signed_with(site.enroll("ir", "client", **MAC))


@pytest.mark.parametrize("confirm", ["explicit", "implicit"])
@pytest.mark.parametrize("cmd", ["ir", "cr"])
def test_enrollment(site: Site, protection: dict[str, Any], cmd: str, confirm: str) -> None:
    path = site.enroll(
        cmd,
        **protection,
        sans=["a.example", "127.0.0.1"],
        implicit_confirm=confirm == "implicit",
    )
    certificate = load(path)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    record = site.ca.record(certificate)
    assert record is not None
    assert record.confirmed
    assert load(site.issuer) == site.ca.issuer
    assert site.server.open_transactions == 0


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_kinds_of_keys(site: Site, kind: KeyType) -> None:
    site.key = site.write(key_pem(make_key(kind)))
    certificate = site.enroll("ir", **MAC)
    site.enroll("kur", **site.signed_with(certificate))


def test_trust_comes_with_the_answer(site: Site) -> None:
    """Under a shared secret the client learns the root."""
    site.enroll("ir", **MAC, cacertsout=site.path / "ca.pem")
    assert load(site.path / "ca.pem") == site.ca.root


def test_p10cr(site: Site, protection: dict[str, Any]) -> None:
    _, csr = openssl.new_csr(site.path, "/O=osslcmp tests/CN=by csr")
    certificate = load(site.enroll("p10cr", csr=csr, **protection))
    assert certificate.public_key() == x509.load_pem_x509_csr(csr.read_bytes()).public_key()
    assert certificate.subject == x509.load_pem_x509_csr(csr.read_bytes()).subject


def test_update(site: Site) -> None:
    old = site.enroll("ir", "updated", **MAC, sans=["u.example"])
    new = site.enroll("kur", **site.signed_with(old))
    assert load(new).subject == load(old).subject
    assert load(new).serial_number != load(old).serial_number
    names = load(new).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["u.example"]


@pytest.mark.parametrize("cmd", ["ir", "p10cr", "kur"])
@pytest.mark.parametrize("confirm", ["explicit", "implicit"])
def test_polling(site: Site, cmd: str, confirm: str) -> None:
    options: dict[str, Any] = dict(MAC)
    if cmd == "p10cr":
        options["csr"] = openssl.new_csr(site.path, "/CN=patient")[1]
    if cmd == "kur":
        options = site.signed_with(site.enroll("ir", **MAC))
    site.ca.policy = waiting(2, check_after=0)
    certificate = site.enroll(cmd, **options, implicit_confirm=confirm == "implicit")
    record = site.ca.record(load(certificate))
    assert record is not None
    assert record.confirmed
    assert site.server.open_transactions == 0


def test_total_timeout_while_polling(site: Site) -> None:
    """A client that gives up says so, and its transaction ends."""
    site.ca.policy = waiting(1000, check_after=1)
    site.cmp("ir", **MAC, newkey=site.key, subject="/CN=x", certout="x.pem", total_timeout=1).must(1)
    site.ca.policy = None
    site.enroll("ir", **MAC)


def test_second_client_while_the_first_waits(site: Site) -> None:
    """Neither notices the other."""
    asked, free = threading.Event(), threading.Event()

    def policy(request: object) -> None:
        if getattr(request, "reference", None) == b"other":
            asked.set()
            assert free.wait(20)

    site.ca.policy = policy
    command = [
        *openssl.command(), "cmp", "-config", "", "-batch", "-cmd", "ir", "-server", site.running.url,
        "-ref", "other", "-secret", "pass:other secret", "-newkey", str(site.key), "-subject", "/CN=slow",
        "-certout", "slow.pem", "-msg_timeout", "20",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        cwd=site.path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=openssl.clean_environment(),
    ) as slow:
        assert asked.wait(20)
        site.enroll("ir", "quick", **MAC)
        free.set()
        _, told = slow.communicate(timeout=20)
        assert slow.returncode == 0, told
    openssl.verify(site.path / "slow.pem", trusted=site.root, untrusted=site.issuer).must()


def test_revocation(site: Site) -> None:
    certificate = site.enroll("ir", **MAC)
    credentials = site.signed_with(certificate)
    site.cmp("rr", **credentials, oldcert=certificate, revreason=1).must()
    record = site.ca.record(load(certificate))
    assert record is not None
    assert record.revoked == RevocationReason.keyCompromise
    again = site.cmp("rr", **credentials, oldcert=certificate, revreason=1).must(1)
    assert "certRevoked" in again.text
    crl = site.write(site.ca.crl().public_bytes(Encoding.PEM))
    verdict = openssl.run(
        [
            "verify",
            "-crl_check",
            "-CRLfile",
            crl,
            "-CAfile",
            site.root,
            "-untrusted",
            site.issuer,
            certificate,
        ]
    )
    assert "certificate revoked" in verdict.text
    # Its owner has lost it, so it is good for nothing.
    assert (
        "certRevoked" in site.cmp("cr", **credentials, newkey=site.key, subject="/CN=x", certout="x.pem").text
    )


def test_revocation_of_an_unknown_certificate(site: Site) -> None:
    stranger = EmbeddedCA({"ref": "secret"})
    other = site.write(cert_pem(stranger.issuer))
    credentials = site.signed_with(site.enroll("ir", **MAC))
    refusal = site.cmp("rr", **credentials, oldcert=other).must(1)
    assert "badCertId" in refusal.text


def test_general_messages(site: Site, protection: dict[str, Any]) -> None:
    """The info types that this release's command knows."""
    for info in (None, "caCerts", "currentCRL", "signKeyPairTypes"):
        options: dict[str, Any] = {} if info is None else {"infotype": info}
        if info == "caCerts" and openssl.version() >= (3, 2, 0):
            options["cacertsout"] = "cas.pem"
        told = site.cmp("genm", **protection, **options).must().text
        assert info is None or "received GENP" in told
    if (site.path / "cas.pem").exists():
        cas = x509.load_pem_x509_certificates((site.path / "cas.pem").read_bytes())
        assert cas in ([], [site.ca.issuer, site.ca.root], [site.ca.root, site.ca.issuer])


def test_updates(site: Site, protection: dict[str, Any]) -> None:
    """Newer commands ask for a new root, a new CRL and a request template."""
    if "oldwithold" in openssl.cmp_options():
        ask: dict[str, Any] = {"infotype": "rootCaCert", "oldwithold": site.root, "newwithnew": "new.pem"}
        assert "o root CA certificate update" in site.cmp("genm", **protection, **ask).must().text
        assert not (site.path / "new.pem").exists() or (site.path / "new.pem").stat().st_size == 0
    if "crlout" in openssl.cmp_options():
        old = site.write(site.ca.crl().public_bytes(Encoding.PEM))
        ask = {"infotype": "crlStatusList", "oldcrl": old, "crlout": "crl.der"}
        assert "o CRL update available" in site.cmp("genm", **protection, **ask).must().text
        assert not (site.path / "crl.der").exists()
        lost = site.enroll("ir", "lost", **MAC)
        site.cmp("rr", **site.signed_with(lost), oldcert=lost).must()
        site.cmp("genm", **protection, **ask).must()
        crl = x509.load_der_x509_crl((site.path / "crl.der").read_bytes())
        assert crl == site.ca.crl()
        assert crl.get_revoked_certificate_by_serial_number(load(lost).serial_number) is not None
        ask = {"infotype": "crlStatusList", "crlcert": lost, "crlout": "first.der"}
        site.cmp("genm", **protection, **ask).must()
        assert x509.load_der_x509_crl((site.path / "first.der").read_bytes()) == crl
    if "template" in openssl.cmp_options():
        ask = {"infotype": "certReqTemplate", "template": "t.der", "keyspec": "k.txt"}
        assert "o certificate request template" in site.cmp("genm", **protection, **ask).must().text


# -- refusals ------------------------------------------------------------------------------------------------


def test_wrong_secret(site: Site) -> None:
    refusal = site.cmp(
        "ir", ref="ref", secret=b"guess", newkey=site.key, subject="/CN=x", certout="x.pem"
    ).must(1)
    assert "missing trust anchor" in refusal.text  # the answer is signed
    assert site.ca.records == ()


def test_unknown_reference(site: Site) -> None:
    """The answer is signed, for the lack of a common secret."""
    refusal = site.cmp(
        "ir", ref="nobody", secret=b"x", trusted=site.root, newkey=site.key, subject="/CN=x", certout="x.pem"
    ).must(1)
    assert "received error" in refusal.text
    assert site.ca.records == ()


def test_untrusted_client(site: Site) -> None:
    stranger = EmbeddedCA({"ref": "secret"})
    with stranger.server().serve() as elsewhere:
        openssl_cmp.cmp(
            "ir", elsewhere.url, cwd=site.path, newkey=site.key, subject="/CN=x", certout="c.pem", **MAC
        ).must()
    credentials = {**site.signed_with(site.path / "c.pem"), "untrusted": None, "extracerts": None}
    refusal = site.cmp("cr", **credentials, newkey=site.key, subject="/CN=x", certout="x.pem").must(1)
    assert "received error" in refusal.text
    assert site.ca.records == ()


def test_the_client_rejects_the_certificate(site: Site) -> None:
    """A certificate for another key: the client says so in its certConf, and the CA revokes it."""
    mistaken = site.ca.issue

    def issue(request: object) -> Issued:
        other = EmbeddedCA()
        answer = mistaken(request)  # type: ignore[arg-type]
        assert isinstance(answer, Issued)
        return Issued(other.issuer, chain=answer.chain)

    site.ca.issue = issue  # type: ignore[method-assign]
    refusal = site.cmp("ir", **MAC, newkey=site.key, subject="/CN=x", certout="x.pem").must(1)
    assert "certificate not accepted" in refusal.text
    assert site.server.open_transactions == 0


def test_the_client_trusts_somebody_else(site: Site) -> None:
    """``-out_trusted`` does not fit: certConf with a rejection."""
    other = site.write(cert_pem(EmbeddedCA().root))
    refusal = site.cmp(
        "ir", **MAC, newkey=site.key, subject="/CN=x", certout="x.pem", out_trusted=other
    ).must(1)
    assert "certificate not accepted" in refusal.text
    record = site.ca.records[0]
    assert not record.confirmed
    assert record.revoked is not None
