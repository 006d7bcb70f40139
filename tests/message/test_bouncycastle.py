"""Bouncy Castle as a peer: it enrols, confirms, updates and revokes at our server, and reads what our client sends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from support.clients import SECRET
from support.messages import conversation
from support.pki import make_key

from osslcmp import (
    BodyType,
    CertReqMsg,
    Context,
    PublicationInfo,
    PublicationMethod,
    PublicationPlace,
    RevocationReason,
)
from osslcmp.server import CertificateRequest, EmbeddedCA

JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcpkix", "bcutil")]
SOURCE = Path(__file__).parents[1] / "support" / "bouncycastle" / "Peer.java"
JAVA, JAVAC = shutil.which("java"), shutil.which("javac")
FOUND = JAVA is not None and JAVAC is not None and all(jar.exists() for jar in JARS)

pytestmark = pytest.mark.skipif(
    not FOUND,
    reason="NOT TESTED: Bouncy Castle (libbcpkix-java) or a JDK is not installed, so that it was no peer of ours",
)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """Runs the program in Java; returns the lines that it prints."""
    classes = tmp_path_factory.mktemp("classes")
    path = ":".join(map(str, [*JARS, classes]))

    def run(*words: str | Path | None) -> list[str]:
        told = [str(word) for word in words]
        done = subprocess.run(told, capture_output=True, timeout=120, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    run(JAVAC, "-nowarn", "-cp", path, "-d", classes, SOURCE)
    return lambda *words: run(JAVA, "-cp", path, "Peer", *words)


def test_session(peer: Callable[..., list[str]]) -> None:
    """Under a MAC with Bouncy Castle's own parameters, and signed; its kur names no certificate, so that it is the one
    that signs."""
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server(strictness="strict").serve() as running:
        told = peer("session", running.url, "ref", "secret")
    assert [line.rpartition(" ")[0] for line in told] == ["ir confirmed", "kur confirmed", "rr accepted"]
    first, second = ca.records
    assert first.certificate.subject == second.certificate.subject
    assert (first.confirmed, second.confirmed) == (True, True)
    assert second.updates == first.certificate.serial_number
    assert second.revoked is RevocationReason.superseded
    assert [int(line.rpartition(" ")[2]) for line in told] == [
        record.certificate.serial_number for record in (first, second, second)
    ]


def test_registration_controls_that_it_sends(peer: Callable[..., list[str]]) -> None:
    """A regToken and an authenticator made by Bouncy Castle reach the authority."""
    asked: list[CertificateRequest] = []
    ca = EmbeddedCA({"ref": "secret"}, policy=asked.append)
    with ca.server().serve() as running:
        peer("session", running.url, "ref", "secret", "tökn")
    assert [(one.registration_token, one.authenticator) for one in asked] == [("tökn", "tökn")] * 2


def test_registration_controls_that_it_reads(peer: Callable[..., list[str]], tmp_path: Path) -> None:
    """All that a request of ours can have means there what it means here; the proof of possession is over them."""
    context = Context()
    context.set_new_pkey(make_key())
    context.set_subject_name("CN=me")
    crm = context.setup_crm()
    inner = CertReqMsg.from_der(crm.der)
    crm.set_registration_token("a token")
    crm.set_authenticator("an authenticator")
    place = PublicationPlace(PublicationMethod.ldap, x509.UniformResourceIdentifier("ldap://x/"))
    crm.set_publication_info(PublicationInfo(True, (place,)))
    crm.set_protocol_encryption_key(make_key().public_key())
    crm.set_old_cert_id("CN=issuer", 4711)
    crm.set_utf8_pairs({"what?": "1 %"})
    crm.set_cert_request(inner)
    context.create_popo(crm)
    (tmp_path / "crm").write_bytes(crm.der)
    assert peer("controls", tmp_path / "crm") == [
        "regToken a token",
        "authenticator an authenticator",
        "action 1",
        "place 3 6: ldap://x/",
        "key 1.2.840.10045.3.1.7",
        "oldCertID 4711",
        "1.3.6.1.5.5.7.5.2.1 what%3f?1 %25%",
        "1.3.6.1.5.5.7.5.2.2 CN=me",
        "proof true",
    ]


def test_what_our_client_sends(peer: Callable[..., list[str]], tmp_path: Path) -> None:
    """And our server. Encoded again it is the same; MACs and signatures are right."""
    messages = conversation()
    files = [tmp_path / f"{number}.der" for number in range(len(messages))]
    for file, message in zip(files, messages, strict=True):
        file.write_bytes(message.der)
    told = peer("parse", SECRET if isinstance(SECRET, str) else SECRET.decode(), *files)
    assert [int(line.split()[0]) for line in told] == [int(message.type) for message in messages]
    assert {line.split(" ", 1)[1] for line in told} == {"MAC true", "signed true"}
    assert BodyType.RP in {message.type for message in messages}
