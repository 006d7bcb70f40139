"""What docs/serve.md promises about who may have and do what, held by a real ``osslcmp serve`` over HTTP and HTTPS."""

from __future__ import annotations

import ipaddress
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.forge import read
from support.persistent import opened
from support.pki import PKI, PrivateKey, make_key, make_name
from support.raw_server import free_port
from support.serving import REFERENCE, SECRET, Served, Serving, client, post, signing

import osslcmp
from osslcmp import BodyType, FailureInfo, RejectedError, RevocationReason

HOLD, RELEASE = RevocationReason.certificateHold, RevocationReason.removeFromCRL
COMPROMISED = RevocationReason.keyCompromise
USAGES = [
    ExtendedKeyUsageOID.OCSP_SIGNING,
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.CODE_SIGNING,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    *(x509.ObjectIdentifier(f"1.3.6.1.5.5.7.3.{number}") for number in (27, 28, 32)),
]


@dataclass
class Site:
    """A server that can be killed and started again, and what its clients need."""

    serving: Serving
    options: list[str | Path]
    tls: dict[str, Any]
    context: ssl.SSLContext | None
    port: int = field(default_factory=free_port)
    served: Served = field(init=False)

    def start(self) -> None:
        """Again."""
        self.served = self.serving(*self.options, port=self.port)

    def kill(self) -> None:
        """And start it again."""
        self.served.end(signal.SIGKILL)
        self.start()

    def client(self, **options: Any) -> osslcmp.Client:
        """With the shared secret."""
        return client(self.served.url, **self.tls, **options)

    def enroll(self, name: str = "member") -> Member:
        """Somebody with a certificate."""
        key = make_key()
        got = self.client().ir(key, subject=make_name(name))
        return Member(self.signing(got, key), got.certificate, key)

    def signing(self, enrolled: osslcmp.Enrollment, key: PrivateKey) -> osslcmp.Client:
        """With a certificate that was enrolled for that key."""
        return signing(self.served.url, enrolled, key, self.served.anchor, **self.tls)

    def post(self, message: bytes) -> bytes:
        """The answer to a message."""
        return post(self.served.url, message, context=self.context)

    def state(self, certificate: x509.Certificate) -> RevocationReason | None:
        """Whether it is revoked, and why."""
        with opened(self.serving.directory) as ca:
            record = ca.record(certificate)
            assert record is not None
            return record.revoked

    def count(self) -> int:
        """How many certificates there are."""
        with opened(self.serving.directory) as ca:
            return len(ca.records)


@dataclass
class Member:
    """A client that signs."""

    cmp: osslcmp.Client
    certificate: x509.Certificate
    key: PrivateKey


@pytest.fixture(scope="module", params=["http", "https"])
def site(
    request: pytest.FixtureRequest, pki: PKI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    options: list[str | Path] = []
    tls: dict[str, Any] = {}
    context = None
    if request.param == "https":
        mine = pki.issue("promises", pki.issuing, sans=[x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
        options = ["--tls-cert", mine.full_chain_file, "--tls-key", mine.key_file]
        tls = {"tls": osslcmp.TLS(trusted=pki.root.certificate)}
        context = ssl.create_default_context(cafile=str(pki.root.cert_file))
    path = tmp_path_factory.mktemp("promises")
    (path / "other").write_bytes(b"other secret")
    options += ["--reference", "other", "--secret-file", path / "other"]
    with Serving(path) as serving:
        site = Site(serving, options, tls, context)
        site.start()
        yield site


def refuses(failure: FailureInfo, call: Any, *arguments: Any, **options: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        call(*arguments, **options)
    assert caught.value.failure_info == failure


def test_hold(site: Site) -> None:
    """Who is on hold does nothing, not even lift that; another valid certificate of the same client does."""
    held, other = site.enroll(), site.enroll()
    held.cmp.rr(held.certificate, reason=HOLD)
    before = site.count()
    for number in range(2):
        for request in (held.cmp.ir, held.cmp.cr):
            refuses(FailureInfo.certRevoked, request, make_key(), subject=make_name("member"))
        refuses(FailureInfo.certRevoked, held.cmp.kur, make_key())
        refuses(FailureInfo.certRevoked, held.cmp.ca_certs)
        for reason in (RELEASE, COMPROMISED):
            refuses(FailureInfo.certRevoked, held.cmp.rr, held.certificate, reason=reason)
            refuses(FailureInfo.certRevoked, held.cmp.rr, other.certificate, reason=reason)
        if number == 0:
            site.kill()
    assert (site.state(held.certificate), site.state(other.certificate), site.count()) == (HOLD, None, before)
    other.cmp.rr(held.certificate, reason=RELEASE)
    assert site.state(held.certificate) is None
    held.cmp.ca_certs()


def test_compromised(site: Site) -> None:
    """Who is revoked neither lifts another's hold nor revokes it, with this certificate or one of the same key."""
    bad, good = site.enroll(), site.enroll()
    twin = bad.cmp.cr(bad.key, subject=make_name("member"))
    bad.cmp.rr(bad.certificate, reason=COMPROMISED)
    by_twin = site.signing(twin, bad.key)
    good.cmp.rr(good.certificate, reason=HOLD)
    for cmp in (bad.cmp, by_twin):
        for reason in (RELEASE, COMPROMISED):
            refuses(FailureInfo.certRevoked, cmp.rr, good.certificate, reason=reason)
    assert site.state(good.certificate) is HOLD


def test_replay(site: Site) -> None:
    """A recorded ir gets no second certificate, a recorded release lifts no second hold: at once, and after a restart."""
    recorded: list[bytes] = []

    def recording(message: bytes) -> bytes:
        recorded.append(message)
        return site.post(message)

    key, other = make_key(), site.enroll("replayed")
    mine = osslcmp.Client(transport=recording, reference=REFERENCE, secret=SECRET)
    got = mine.ir(key, subject=make_name("replayed"))
    other.cmp.rr(got.certificate, reason=HOLD)
    releasing = osslcmp.Client(
        transport=recording,
        certificate=other.certificate,
        key=other.key,
        chain=got.chain,
        trusted=site.served.anchor,
    )
    releasing.rr(got.certificate, reason=RELEASE)
    other.cmp.rr(got.certificate, reason=HOLD)
    count = site.count()
    for number in range(2):
        for message in recorded:
            answer = read(site.post(message))
            assert answer.kind in (BodyType.ERROR, BodyType.PKICONF, BodyType.RP)
        assert (site.count(), site.state(got.certificate)) == (count, HOLD)
        if number == 0:
            site.kill()


@pytest.mark.parametrize("usage", USAGES, ids=lambda usage: usage.dotted_string)
def test_usages(site: Site, usage: x509.ObjectIdentifier) -> None:
    """What gives power over others is for a profile."""
    for usages in ([usage], [ExtendedKeyUsageOID.CLIENT_AUTH, usage]):
        extension = x509.Extension(x509.ExtendedKeyUsage.oid, False, x509.ExtendedKeyUsage(usages))
        refuses(
            FailureInfo.badCertTemplate,
            site.client().ir,
            make_key(),
            subject=make_name("usage"),
            extensions=[extension],
        )


def test_names(site: Site) -> None:
    """Not those of the CA and its server, of another client, or for all: by secret; and by certificate only one's own."""
    with opened(site.serving.directory) as ca:
        theirs = [ca.root.subject, ca.issuer.subject]
    server = x509.load_pem_x509_certificate((site.serving.directory / "server.pem").read_bytes())
    member = site.enroll("somebody")
    stranger = site.client(reference="other", secret=b"other secret")
    for name in (*theirs, server.subject):
        refuses(FailureInfo.badCertTemplate, site.client().ir, make_key(), subject=name)
    refuses(FailureInfo.badCertTemplate, stranger.ir, make_key(), subject=make_name("somebody"))
    for dns in ("*", "*.example", "localhost"):
        sans = [x509.DNSName(dns)]
        refuses(FailureInfo.badCertTemplate, site.client().ir, make_key(), subject=make_name("n"), sans=sans)
    refuses(FailureInfo.badCertTemplate, member.cmp.cr, make_key(), subject=make_name("else"))
    assert member.cmp.cr(make_key(), subject=make_name("somebody")).certificate
    assert member.cmp.kur(make_key()).certificate.subject == make_name("somebody")
