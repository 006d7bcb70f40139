"""``cmp_server.quirks(...)``, and docs/interoperability.md: each configuration there works with the habits it is for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support import guides, openssl
from support.pki import PKI, Identity, cert_pem, key_pem, make_key, make_name

import osslcmp
from osslcmp import BodyType, Client
from osslcmp.testing import reject
from osslcmp.testing.quirks import PROFILES, Quirks
from osslcmp.testing.server import CMPServer, ScriptedCA

PAGE = (Path(__file__).parents[2] / "docs" / "interoperability.md").read_text(encoding="utf-8")
SECTIONS = {
    re.findall(r"^Habits: `(.*?)`", section, re.MULTILINE)[0]: section for section in PAGE.split("\n## ")[1:]
}


def blocks(section: str, language: str) -> list[str]:
    return [block.code for block in guides.blocks(section, language)]


@pytest.fixture
def server(pki: PKI) -> Iterator[CMPServer]:
    """One that takes the certificates of a vendor, too."""
    ca = ScriptedCA()
    with CMPServer(ca, trusted=[ca.root, pki.root.certificate]) as made:
        yield made


@pytest.fixture
def new(pki: PKI) -> Identity:
    """A key of one's own."""
    return pki.issue("quirks", pki.issuing, subject=make_name("device"))


def client(server: CMPServer, **options: Any) -> Client:
    return Client(server.url, reference=server.reference, secret=server.secret, **options)


# -- the page -----------------------------------------------------------------------------------------------


def test_every_profile_has_its_section() -> None:
    """And each section a configuration."""
    assert set(SECTIONS) == set(PROFILES)
    assert all(len(blocks(section, "python")) == 1 for section in SECTIONS.values())
    assert [name for name, section in SECTIONS.items() if not blocks(section, "sh")] == ["ejbca-regtoken"]


@pytest.mark.parametrize("profile", PROFILES)
def test_configuration_for_python(profile: str, server: CMPServer, pki: PKI, new: Identity) -> None:
    """The block of the page enrols at a server with these habits."""
    server.quirks(profile)
    before = len(server.ca.records)
    (code,) = blocks(SECTIONS[profile], "python")
    namespace: dict[str, Any] = {
        "osslcmp": osslcmp,
        "url": server.url,
        "reference": server.reference,
        "secret": server.secret,
        "root": server.root,
        "issuer": server.ca.issuer,
        "server": server.signer,
        "key": make_key(),
        "new_key": make_key(),
        "csr": new.csr(),
        "vendor_certificate": pki.client.certificate,
        "vendor_key": pki.client.key,
        "vendor_chain": pki.client.chain,
    }
    exec(compile(code, f"docs/interoperability.md, {profile}", "exec"), namespace)
    assert len(server.ca.records) > before


@pytest.mark.parametrize("command", ["openssl cmp", "osslcmp cmp"])
@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "ejbca-regtoken"])
def test_configuration_for_the_shell(
    profile: str, command: str, server: CMPServer, pki: PKI, tmp_path: Path
) -> None:
    """The block of the page enrols at a server with these habits: OpenSSL's own client, and ours."""
    server.quirks(profile)
    vendor = pki.client
    for name, content in (
        ("root", cert_pem(server.root)),
        ("issuer", cert_pem(server.ca.issuer)),
        ("server", cert_pem(server.signer or server.root)),
        ("key.pem", key_pem(make_key())),
    ):
        (tmp_path / name).write_bytes(content)
    programs = {
        "openssl cmp": [*openssl.command(), "cmp", "-config", ""],
        "osslcmp cmp": [sys.executable, "-m", "osslcmp", "cmp", "-config", ""],
    }
    script = blocks(SECTIONS[profile], "sh")[0].replace("$CMP", '"$@"')
    environment = {
        **openssl.clean_environment(),
        "URL": server.url,
        "REFERENCE": server.reference.decode(),
        "SECRET": server.secret.decode(),
        "ROOT": "root",
        "ISSUER": "issuer",
        "SERVER": "server",
        "ISSUER_NAME": "".join(
            f"/{part.rfc4514_attribute_name}={part.value!s}" for part in server.ca.issuer.subject
        ),
        "VENDOR": str(vendor.cert_file),
        "VENDOR_KEY": str(vendor.key_file),
        "VENDOR_CHAIN": str(vendor.chain_file),
    }
    done = subprocess.run(
        ["sh", "-ec", script, "sh", *programs[command]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    certificate = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    assert server.ca.record(certificate) is not None


def test_the_guide(server: CMPServer) -> None:
    """docs/testing.md: its block runs, and it names each setting."""
    guide = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Habits of servers\n")[2].partition("\n## ")[0]
    (code,) = blocks(section, "python")
    exec(compile(code, "docs/testing.md, habits", "exec"), {"cmp_server": server})
    assert [field.name for field in fields(Quirks) if f"`{field.name}`" not in section] == []


# -- the settings -------------------------------------------------------------------------------------------


def test_signed_although_the_request_had_a_mac(server: CMPServer) -> None:
    """By the issuing CA itself, with its name; a client that trusts nobody refuses."""
    server.quirks(sign_always=True, signer_is_issuer=True)
    client(server, trusted=server.root, ignore_key_usage=True).ir(make_key(), subject="CN=me")
    header = server.responses[0].header
    assert header.sender == x509.DirectoryName(server.ca.issuer.subject)
    assert header.pbm is None
    with pytest.raises(osslcmp.ProtectionError):
        client(server).ir(make_key(), subject="CN=me")


def test_who_says_what_another_signs(server: CMPServer) -> None:
    """Sender and senderKID of others: refused by whom looks the signer up, taken by who has its certificate."""
    server.quirks("issuer-as-sender")
    with pytest.raises(osslcmp.ProtectionError):
        client(server, trusted=server.root).ir(make_key(), subject="CN=me")
    header = server.responses[-1].header
    assert header.sender == x509.DirectoryName(server.ca.issuer.subject)
    key_id = server.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert header.sender_kid == key_id


def test_what_a_request_has_comes_back(server: CMPServer, pki: PKI) -> None:
    """The senderKID of the request in a signed answer: refused unless the signer is pinned, and the text says why."""
    server.quirks("reflecting")
    me = pki.client
    mine: dict[str, Any] = {
        "certificate": me.certificate,
        "key": me.key,
        "chain": me.chain,
        "ignore_key_usage": True,
    }
    with pytest.raises(osslcmp.ProtectionError, match="its senderKID is the one of the request"):
        Client(server.url, trusted=server.root, **mine).ir(make_key(), subject="CN=me")
    first = server.requests[0].header, server.responses[0].header
    assert first[0].sender_kid == first[1].sender_kid
    Client(server.url, server_certificate=server.ca.issuer, **mine).ir(make_key(), subject="CN=me")


def test_errors_of_the_first_version(server: CMPServer) -> None:
    """Not read by OpenSSL: which it is, and what it says, is told."""
    server.quirks(errors_pvno_1=True)
    server.script(reject("badRequest", "not so"))
    with pytest.raises(osslcmp.ResponseError, match=r"not so\) \(it has pvno 1\): unexpected pvno"):
        client(server).genm()
    client(server).ir(make_key(), subject="CN=me")


@pytest.mark.parametrize("protection", [{}, {"sign_always": True}], ids=["mac", "signature"])
def test_no_name_and_certificates_from_above(protection: dict[str, Any], server: CMPServer) -> None:
    """Taken, for who has the signer's certificate: a sender without a name, extraCerts that begin at the top."""
    server.quirks(empty_sender=True, reversed_extra_certs=True, root_in_extra_certs=True, **protection)
    pinned = {"server_certificate": server.signer, "expected_sender": x509.Name([])} if protection else {}
    found = client(server, **pinned).ir(make_key(), subject="CN=me")
    assert server.responses[0].header.sender == x509.DirectoryName(x509.Name([]))
    assert server.responses[0].extra_certs[0] == server.root
    assert found.chain[0] == server.ca.issuer


def test_a_csr_is_answered_as_number_0(server: CMPServer, new: Identity) -> None:
    """Under a MAC, and its confirmation with that number is taken."""
    server.quirks(p10cr_request_id_0=True)
    client(server).p10cr(new.csr())
    assert [message.type for message in server.responses] == [BodyType.CP, BodyType.PKICONF]
    body = server.responses[0].body
    assert isinstance(body, osslcmp.message.CertRepMessage)
    assert body.responses[0].request_id == 0


def test_errors_that_belong_to_nobody(server: CMPServer) -> None:
    """Neither transactionID nor protection; what they say is in the exception."""
    server.quirks(errors_without_transaction_id=True)
    stranger = Client(server.url, reference="nobody", secret="x", unprotected_errors=True)
    with pytest.raises(osslcmp.OpenSSLError, match="badMessageCheck"):
        stranger.genm()
    header = server.responses[0].header
    assert (header.transaction_id, header.recip_nonce, header.protection_alg) == (None, None, None)


def test_confirmed_without_being_asked(server: CMPServer) -> None:
    """The client sends no certConf."""
    server.quirks(implicit_confirm=True)
    client(server).ir(make_key(), subject="CN=me")
    assert [message.type for message in server.requests] == [BodyType.IR]


def test_no_confirmation(server: CMPServer) -> None:
    """A certConf is an error, and the certificate is not lost."""
    server.quirks(no_confirmation=True)
    with pytest.raises(osslcmp.ConfirmError, match="no confirmation is expected") as caught:
        client(server).ir(make_key(), subject="CN=me")
    assert server.ca.record(caught.value.enrollment.certificate) is not None


@pytest.mark.parametrize("protection", [{}, {"sign_always": True}], ids=["mac", "signature"])
def test_certificates_that_come_along(protection: dict[str, Any], server: CMPServer) -> None:
    """The root in the first answer, nothing in the last; with a signature also no senderKID there."""
    server.quirks(root_in_extra_certs=True, bare_pkiconf=True, **protection)
    client(server, trusted=server.root).ir(make_key(), subject="CN=me")
    first, last = server.responses
    assert server.root in first.extra_certs
    assert last.extra_certs == ()
    assert (last.header.sender_kid is None) is bool(protection)


def test_a_token_and_nothing_else(server: CMPServer) -> None:
    """Unprotected requests are taken, by their token."""
    server.quirks(registration_token="once")
    stranger = Client(server.url, unprotected_requests=True, trusted=server.root)
    stranger.ir(make_key(), subject="CN=me", registration_token="once")
    for wrong in (None, "twice"):
        with pytest.raises(osslcmp.RejectedError, match="registration token"):
            stranger.ir(make_key(), subject="CN=me", registration_token=wrong)


def test_they_end(server: CMPServer) -> None:
    """With the next call, and when the server is cleared."""
    server.quirks("ejbca-hmac")
    server.clear()
    client(server).ir(make_key(), subject="CN=me")
    assert server.responses[0].header.pbm is not None


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (("ejbca",), {}, "no profile 'ejbca'"),
        ((), {"bare_pkiconfs": True}, "did you mean 'bare_pkiconf'"),
    ],
)
def test_what_there_is_not(arguments: Any, settings: Any, told: str, server: CMPServer) -> None:
    """A misspelt name is a ValueError with the name that was meant."""
    with pytest.raises(ValueError, match=told):
        server.quirks(*arguments, **settings)
