"""Who a client says it is under a shared secret, and the reason that it gives for a revocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from support.pki import make_csr, make_key

import osslcmp
from osslcmp import Client, RevocationReason
from osslcmp.server import EmbeddedCA, waiting

SENDER = "CN=who-knows-the-secret"
KEY = make_key()
NAME = x509.Name.from_rfc4514_string("CN=device")
CSR = make_csr(KEY, NAME)


class Site:
    """A CA and what its clients have sent."""

    def __init__(self) -> None:
        self.ca = EmbeddedCA({"ref": "secret"})
        self.server = self.ca.server(strictness="rfc9810")
        self.sent: list[osslcmp.Message] = []
        self.client = self.make(sender=SENDER)

    def make(self, **options: Any) -> Client:
        """A client with the secret."""
        return Client(transport=self._carry, reference="ref", secret="secret", **options)

    def _carry(self, request: bytes) -> bytes:
        self.sent.append(osslcmp.Message.from_der(request))
        return self.server.process(request)


@pytest.fixture
def site() -> Site:
    """A fresh one."""
    return Site()


def senders(site: Site) -> set[str]:
    """The names in the headers of what was sent."""
    names = {message.header.sender for message in site.sent}
    return {name.value.rfc4514_string() for name in names if isinstance(name, x509.DirectoryName)}


REQUESTS: dict[str, Callable[[Client], Any]] = {
    "ir": lambda client: client.ir(KEY, subject="CN=device"),
    "cr": lambda client: client.cr(KEY, subject="CN=device"),
    "ir for some days": lambda client: client.ir(KEY, subject="CN=device", days=3),
    "p10cr": lambda client: client.p10cr(CSR),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_sender(kind: str, site: Site) -> None:
    """All messages of the transaction have it, the certificate has the subject that was asked for."""
    enrollment = REQUESTS[kind](site.client)
    # OpenSSL 3.5 takes the name for a p10cr from the CSR whatever else is set.
    from_csr = kind == "p10cr" and osslcmp.openssl_version >= (3, 5)
    assert senders(site) == {"CN=device" if from_csr else SENDER}
    assert len(site.sent) == 2  # with the certConf
    assert enrollment.certificate.subject.rfc4514_string() == "CN=device"


def test_sender_of_others(site: Site) -> None:
    """kur, rr and genm."""
    first = site.client.ir(KEY, subject="CN=device").certificate
    new = site.client.kur(make_key(), certificate=first).certificate
    assert new.subject == first.subject
    site.client.rr(new)
    site.client.ca_certs()
    assert senders(site) == {SENDER}


def test_no_subject(site: Site) -> None:
    """The sender is not asked for as a subject."""
    with pytest.raises(osslcmp.RejectedError, match="popo missing subject"):  # libcrypto's server needs one
        site.client.ir(KEY, sans=["device.example"])
    assert senders(site) == {SENDER}


def test_sender_after_a_restart(site: Site) -> None:
    """What goes on from a dump has the same sender, whoever goes on."""
    site.ca.policy = waiting(2, 0)
    dump = site.client.begin("ir", key=KEY, subject="CN=device").dump()
    site.client.resume(dump).wait()
    assert senders(site) == {SENDER}


def test_default_sender(site: Site) -> None:
    """Without it, OpenSSL names the subject that is asked for."""
    site.make().ir(KEY, subject="CN=device")
    assert senders(site) == {"CN=device"}


def test_sender_with_a_certificate(site: Site) -> None:
    """A signature says whose it is."""
    own = site.client.ir(KEY, subject="CN=device").certificate
    with pytest.raises(ValueError, match="sender"):
        Client(transport=site.server, certificate=own, key=KEY, sender=SENDER)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, RevocationReason.unspecified),
        ({"reason": None}, None),
        ({"reason": RevocationReason.superseded}, RevocationReason.superseded),
        ({"reason": x509.ReasonFlags.cessation_of_operation}, RevocationReason.cessationOfOperation),
        ({"reason": "keyCompromise"}, RevocationReason.keyCompromise),
        ({"reason": 4}, RevocationReason.superseded),
    ],
)
def test_reason(options: dict[str, Any], expected: RevocationReason | None, site: Site) -> None:
    certificate = site.client.ir(KEY, subject="CN=device").certificate
    asked = []
    revoke = site.ca.revoke
    site.ca.revoke = lambda request: asked.append(request.reason) or revoke(request)  # type: ignore[method-assign,func-returns-value]
    site.client.rr(certificate, **options)
    assert asked == [expected]


def test_misspelt_reason(site: Site) -> None:
    """It is refused with the argument's name and what there is, before anything is sent."""
    certificate = site.client.ir(KEY, subject="CN=device").certificate
    with pytest.raises(
        ValueError, match="reason: 'superseeded' is none of none, unspecified, keyCompromise, "
    ):
        site.client.rr(certificate, reason="superseeded")


def test_every_reason_of_cryptography() -> None:
    """Each ``x509.ReasonFlags`` means the reason of that name; what is none is refused before anything is sent."""
    for flag in x509.ReasonFlags:
        assert RevocationReason(flag).name == flag.value  # type: ignore[arg-type]
    for wrong in ("", "superseeded", 7, 11, b"superseded", None):
        with pytest.raises(ValueError, match="RevocationReason"):
            RevocationReason(wrong)  # type: ignore[arg-type]
