"""What an enrolment is saved as, read by the installed openssl; and the end of a client."""

from __future__ import annotations

import base64
import inspect
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from support import openssl
from support.odd import NAME, odd_identity
from support.pki import PKI, cert_pem, make_key, make_name

import osslcmp
from osslcmp import Enrollment, FailureInfo, PKIStatus
from osslcmp.server import EmbeddedCA, Server

KEY = make_key()


@pytest.fixture(scope="module")
def enrollment() -> Enrollment:
    return client(EmbeddedCA({"ref": "secret"}).server()).ir(KEY, subject="CN=x")


def client(server: Server) -> osslcmp.Client:
    return osslcmp.Client(transport=server, reference="ref", secret="secret")


def made_of(certificate: bytes, key: Any = None) -> Enrollment:
    return Enrollment(certificate, [], [], [], PKIStatus.accepted, FailureInfo(0), "", key)


@pytest.mark.peer
@pytest.mark.parametrize("password", [None, "pass wörd", b"\xff"])
def test_saved(enrollment: Enrollment, tmp_path: Path, password: str | bytes | None) -> None:
    """Key, certificate and chain as PEM; the key for its owner alone."""
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        enrollment.save(folder, KEY, password=password)
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        "cert.pem",
        "chain.pem",
        "fullchain.pem",
        "privkey.pem",
    ]
    assert (folder / "cert.pem").read_bytes() == cert_pem([enrollment.certificate])
    assert (folder / "chain.pem").read_bytes() == cert_pem(enrollment.chain)
    assert (
        (folder / "fullchain.pem").read_bytes()
        == enrollment.fullchain_pem
        == cert_pem([enrollment.certificate, *enrollment.chain])
    )
    key = folder / "privkey.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    octets = password.encode() if isinstance(password, str) else password
    loaded = load_pem_private_key(key.read_bytes(), octets)
    assert loaded.public_key() == KEY.public_key()
    assert (b"ENCRYPTED" in key.read_bytes()) == (password is not None)
    told = openssl.run(["x509", "-in", folder / "cert.pem", "-noout", "-pubkey"]).must().out
    assert told.encode() == KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_saved_without_a_key(enrollment: Enrollment, tmp_path: Path) -> None:
    """A key that is not given is not touched."""
    (tmp_path / "privkey.pem").write_text("mine")
    enrollment.save(str(tmp_path))
    assert (tmp_path / "privkey.pem").read_text() == "mine"


def test_the_key_of_the_ca(enrollment: Enrollment, tmp_path: Path) -> None:
    """One that came with the certificate is saved by itself."""
    made_of(enrollment.certificate_der, KEY).save(tmp_path)
    assert (tmp_path / "privkey.pem").exists()
    assert made_of(enrollment.certificate_der, KEY).pkcs12("x")


def test_a_certificate_that_cryptography_does_not_read(tmp_path: Path, pki: PKI) -> None:
    """It is saved as it came, and its key with it."""
    who = pki.issue("odd-saved", pki.issuing, subject=make_name(NAME), key=KEY)
    der = odd_identity("printable", who, pki.issuing)
    made_of(der).save(tmp_path, KEY)
    (block,) = (tmp_path / "cert.pem").read_text().split("-----")[2:3]
    assert base64.b64decode(block) == der
    openssl.run(["x509", "-in", tmp_path / "cert.pem", "-noout", "-subject"]).must()


@pytest.mark.peer
def test_pkcs12(enrollment: Enrollment, tmp_path: Path) -> None:
    """openssl pkcs12 finds key, certificate, chain and name in it."""
    file = tmp_path / "me.p12"
    file.write_bytes(enrollment.pkcs12("pass word", KEY, name="mine"))
    told = openssl.run(["pkcs12", "-in", file, "-passin", "pass:pass word", "-noenc"]).must().out
    assert told.count("BEGIN CERTIFICATE") == 1 + len(enrollment.chain)
    assert "BEGIN PRIVATE KEY" in told
    assert "friendlyName: mine" in told
    key, _, _ = pkcs12.load_key_and_certificates(enrollment.pkcs12(None, KEY), None)
    assert key is not None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda e, p: e.save(p, make_key()), ValueError, "not that of the certificate"),
        (lambda e, p: e.save(p, KEY.public_key()), TypeError, "a private key object"),
        (lambda e, p: e.save(p, "key.pem"), TypeError, "a private key object"),
        (lambda e, p: e.save(p, KEY, password=""), ValueError, "password"),
        (lambda e, _: e.pkcs12("x"), ValueError, "give the private key"),
        (lambda e, _: e.pkcs12("x", make_key()), ValueError, "not that of the certificate"),
        (lambda e, _: e.pkcs12("", KEY), ValueError, "password"),
    ],
)
def test_wrong(enrollment: Enrollment, tmp_path: Path, call: Any, error: type, text: str) -> None:
    """Told before anything is written."""
    with pytest.raises(error, match=text):
        call(enrollment, tmp_path)
    assert not list(tmp_path.iterdir())


def test_end_of_a_client() -> None:
    """With its block: what was begun goes on, nothing else is."""
    ca = EmbeddedCA({"ref": "secret"}, policy=osslcmp.server.waiting(2, 0))
    with client(ca.server()) as cmp:
        pending = cmp.begin("ir", key=KEY, subject="CN=x")
    with pytest.raises(RuntimeError, match="the client is closed"):
        cmp.ir(KEY, subject="CN=x")
    cmp.close()
    assert isinstance(pending.wait(20).certificate, x509.Certificate)
    assert "secret" not in repr(vars(cmp))


@pytest.mark.parametrize("owner", [osslcmp.Client, osslcmp.AsyncClient])
@pytest.mark.parametrize("method", ["ir", "cr", "kur", "p10cr", "begin"])
def test_signatures(owner: Any, method: str) -> None:
    """help() shows each argument once, with a short type and its default."""
    found = inspect.signature(getattr(owner, method)).parameters
    assert {"subject", "sans", "key", "csr", "confirm"} <= set(found)
    assert ("on_wait" in found) == (method != "begin")
    assert found["sans"].annotation == "Sans"
    assert found["days"].default == 0
    assert "request" not in found
