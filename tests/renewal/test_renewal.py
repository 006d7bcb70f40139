"""Certificates that are renewed in files: what is asked for, what is replaced, and what goes wrong."""

from __future__ import annotations

import datetime
import grp
import json
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from support import openssl
from support.command import osslcmp as command
from support.odd import NAME, odd_identity
from support.pki import PKI, cert_pem, key_pem, make_key, make_name

import osslcmp
from osslcmp import FailureInfo
from osslcmp._files import pem_block
from osslcmp.renewal import Outcome, Renewal, load, renew, renew_all
from osslcmp.server import EmbeddedCA, Rejected, waiting

NOW = datetime.datetime.now(datetime.timezone.utc)


class Site:
    """A CA over HTTP, and a certificate with its key in files."""

    def __init__(self, path: Path, url: str, ca: EmbeddedCA) -> None:
        self.path, self.ca, self.url = path, ca, url
        (path / "root.pem").write_bytes(cert_pem([ca.root]))
        (path / "secret").write_text("secret\n")
        self.certificate, self.key = path / "cert.pem", path / "private" / "key.pem"
        self.key.parent.mkdir()
        self.renewal = Renewal(
            name="x",
            server=url,
            state=path / "state" / "x",
            certificate=self.certificate,
            key=self.key,
            trusted=(path / "root.pem",),
        )
        self.eager = replace(self.renewal, renew_at=0.0)

    def enroll(self, key: Any = None, **options: Any) -> x509.Certificate:
        """Put a certificate and its key there."""
        key = key or make_key()
        client = osslcmp.Client(self.url, reference="ref", secret="secret")
        found = client.ir(key, subject="CN=x", sans=["x.example"], **options)
        self.key.write_bytes(key_pem(key))
        self.key.chmod(0o640)
        self.certificate.write_bytes(cert_pem([found.certificate]))
        return found.certificate

    def expired(self) -> x509.Certificate:
        """One whose time has just passed."""
        found = self.enroll(
            not_after=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        )
        while datetime.datetime.now(datetime.timezone.utc) <= found.not_valid_after_utc:
            time.sleep(0.05)
        return found

    def loaded(self, file: Path | None = None) -> x509.Certificate:
        return x509.load_pem_x509_certificate((file or self.certificate).read_bytes())

    def matches(self, password: bytes | None = None) -> bool:
        """Whether key and certificate belong together."""
        key = load_pem_private_key(self.key.read_bytes(), password)
        return key.public_key() == self.loaded().public_key()

    def record(self) -> Any:
        """What the CA knows of the certificate that is there."""
        return self.ca.record(self.loaded())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server().serve() as running:
        yield Site(tmp_path, running.url, ca)


def test_due_by_fraction(site: Site) -> None:
    """What is not due stays as it is; what is due gets a new key and keeps its names; then it is not due."""
    site.enroll()
    before = site.certificate.read_bytes(), site.key.read_bytes()
    assert renew(site.renewal).action == "current"
    assert (site.certificate.read_bytes(), site.key.read_bytes()) == before
    old = site.loaded()
    outcome = renew(site.eager)
    assert (outcome.action, outcome.request, outcome.error) == ("renewed", "kur", None)
    new = site.loaded()
    assert new.serial_number != old.serial_number
    assert f"{new.serial_number:x}" == outcome.serial
    assert new.subject == old.subject
    assert new.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert new.public_key() != old.public_key()
    assert site.matches()
    assert site.record().confirmed
    assert renew(site.renewal).action == "current"
    assert renew(site.renewal, force=True).action == "renewed"


def test_moment(site: Site) -> None:
    """It lies within the jitter, is always the same for a certificate, and another one for another."""
    moments = set()
    for _ in range(5):
        certificate = site.enroll()
        outcome = renew(site.renewal, dry_run=True)
        assert outcome.renew_after == renew(site.renewal, dry_run=True).renew_after
        length = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        part = (outcome.renew_after - certificate.not_valid_before_utc) / length  # type: ignore[operator]
        assert 2 / 3 - 0.05 <= part <= 2 / 3
        moments.add(part)
    assert len(moments) == 5


def test_owner_and_mode(site: Site) -> None:
    """They stay, over every renewal; new files of keys are for their owner alone."""
    site.enroll()
    group = next(g.gr_gid for g in grp.getgrall() if g.gr_gid != os.getegid())
    if os.geteuid() == 0:
        os.chown(site.key, 65534, group)
    site.certificate.chmod(0o604)
    before = [path.stat() for path in (site.key, site.certificate)]
    everything = replace(
        site.renewal,
        fullchain=site.path / "full.pem",
        chain=site.path / "chain.pem",
        combined=site.path / "all.pem",
    )
    for _ in range(2):
        assert renew(everything, force=True).error is None
        after = [path.stat() for path in (site.key, site.certificate)]
        for one, two in zip(before, after, strict=True):
            assert (one.st_uid, one.st_gid, one.st_mode) == (two.st_uid, two.st_gid, two.st_mode)
    assert stat.S_IMODE((site.path / "all.pem").stat().st_mode) == 0o600
    issuer = cert_pem([site.ca.issuer])
    assert (site.path / "chain.pem").read_bytes() == issuer
    full = site.certificate.read_bytes() + issuer
    assert (site.path / "full.pem").read_bytes() == full
    assert (site.path / "all.pem").read_bytes() == site.key.read_bytes() + full
    openssl.verify(site.certificate, trusted=site.path / "root.pem", untrusted=site.path / "full.pem").must()


def test_same_key(site: Site) -> None:
    """The key's file keeps its contents."""
    site.enroll()
    key = site.key.read_bytes()
    assert renew(replace(site.eager, new_key=False)).action == "renewed"
    assert site.key.read_bytes() == key
    assert site.matches()


@pytest.mark.parametrize(
    ("key", "kind", "cls"),
    [
        (make_key("rsa"), None, rsa.RSAPrivateKey),
        (make_key(), "Ed25519", ed25519.Ed25519PrivateKey),
    ],
)
def test_kind_of_key(site: Site, key: Any, kind: str | None, cls: type) -> None:
    """That of the old one, or as configured; asked for under the secret, which any kind can do."""
    site.enroll(key=key)
    renewal = replace(
        site.eager, key_type=kind, request="ir", reference="ref", secret_file=site.path / "secret"
    )
    for _ in range(2):
        assert renew(renewal).error is None
        assert isinstance(load_pem_private_key(site.key.read_bytes(), None), cls)
        assert site.matches()


@pytest.mark.parametrize("request_type", ["kur", "cr"])
@pytest.mark.parametrize("kind", ["Ed25519", "Ed448"])
def test_kind_of_key_that_signs_no_request(kind: str, request_type: str, site: Site) -> None:
    """It is refused before a certificate is got that could not be renewed: OpenSSL 3.0. Else it is renewed again."""
    site.enroll()
    for _ in range(2):
        done = renew(replace(site.eager, key_type=kind, request=request_type))
        if osslcmp.openssl_version >= (3, 1):
            assert (done.action, done.error) == ("renewed", None)
        else:
            assert done.action == "failed"
            assert f"key-type: the next request could not be signed with an {kind} key" in str(done.error)
            assert "unsupported key type" in str(done.error)
            assert "request = 'ir' with a secret-file" in str(done.error)
            assert not (site.path / "state" / "x" / "pending").exists()
            assert site.matches()


def test_encrypted_key(site: Site) -> None:
    """It is read and written with the password from the file."""
    site.enroll()
    password = site.path / "password"
    password.write_text("geheim\n")
    run: list[str | Path] = [
        "pkey",
        "-in",
        site.key,
        "-aes256",
        "-passout",
        "pass:geheim",
        "-out",
        site.path / "encrypted.pem",
    ]
    openssl.run(run).must()
    site.key.write_bytes((site.path / "encrypted.pem").read_bytes())
    for _ in range(2):
        assert renew(replace(site.renewal, key_password_file=password), force=True).error is None
        assert site.matches(b"geheim")
    outcome = renew(site.renewal, force=True)
    assert outcome.action == "failed"
    assert "password" in (outcome.error or "")


def test_expired(site: Site) -> None:
    """Under the secret if that is configured, by the names of the old one; else it is an error."""
    site.expired()
    outcome = renew(site.renewal)
    assert outcome.action == "failed"
    assert "has expired" in (outcome.error or "")
    by_secret = replace(site.renewal, expired="ir", reference="ref", secret_file=site.path / "secret")
    outcome = renew(by_secret)
    assert (outcome.action, outcome.request) == ("renewed", "ir")
    assert site.loaded().subject.rfc4514_string() == "CN=x"
    assert site.loaded().extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert site.matches()
    assert renew(by_secret).action == "current"


def test_secret_is_taken_as_it_is(site: Site) -> None:
    """Its first line octet by octet, as for all commands: what could be an editor's byte order mark belongs to it."""
    secret = b"\xef\xbb\xbfsecret"
    site.ca.add_secret(b"marked", secret)
    (site.path / "secret").write_bytes(secret + b"\r\nbelow\n")
    given = replace(
        site.renewal, expired="ir", reference="marked", secret_file=site.path / "secret", subject="CN=x"
    )
    assert renew(given).error is None
    (site.path / "secret").write_bytes(b"\nbelow\n")
    assert "secret-file: " in (renew(replace(given, request="ir"), force=True).error or "")


def test_first_certificate(site: Site) -> None:
    """There is none: the same way, with a subject."""
    first = replace(site.renewal, expired="ir", reference="ref", secret_file=site.path / "secret")
    assert "subject" in (renew(first).error or "")
    outcome = renew(replace(first, subject="CN=first", sans=("a.example",)))
    assert (outcome.action, outcome.error) == ("renewed", None)
    assert site.loaded().subject.rfc4514_string() == "CN=first"
    assert stat.S_IMODE(site.key.stat().st_mode) == 0o600
    assert renew(first, force=True).request == "kur"


def test_refused(site: Site) -> None:
    """The files stay; the next time goes well."""
    site.enroll()
    before = site.certificate.read_bytes(), site.key.read_bytes()
    site.ca.policy = lambda _: Rejected(FailureInfo.badCertTemplate, "not\x1b[31m you")
    outcome = renew(site.eager)
    assert outcome.action == "failed"
    assert "not\\x1b[31m you" in (outcome.error or "")
    assert (site.certificate.read_bytes(), site.key.read_bytes()) == before
    site.ca.policy = None
    assert renew(site.eager).action == "renewed"


def test_who_the_server_is(site: Site) -> None:
    """CRLs are asked, and a trust anchor that is no root is one only if that is said."""
    issuer, own, other = site.path / "issuer.pem", site.path / "own.crl", site.path / "other.crl"
    issuer.write_bytes(cert_pem([site.ca.issuer]))
    own.write_bytes(site.ca.crl().public_bytes(Encoding.PEM))
    other.write_bytes(EmbeddedCA({}).crl().public_bytes(Encoding.PEM))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"crls": (own,)}, ""),
        ({"crls": (other,)}, "CRL"),
        ({"trusted": (issuer,), "partial_chain": True}, ""),
        ({"trusted": (issuer,)}, "issuer"),
    ]
    for number, (given, told) in enumerate(cases):
        site.enroll()
        outcome = renew(replace(site.eager, state=site.path / str(number), **given))
        assert outcome.action == ("failed" if told else "renewed")
        assert told in (outcome.error or "")
    with pytest.raises(ValueError, match=r"^trusted: is needed"):
        replace(site.eager, trusted=(), server_certificate=issuer, crls=(issuer,))


def test_waits(site: Site) -> None:
    """A request that the server lets wait goes on in the next process, with the key that was made for it."""
    site.enroll()
    before = site.certificate.read_bytes()
    site.ca.policy = waiting(3, 2)
    impatient = replace(site.eager, wait=1)
    outcome = renew(impatient)
    assert (outcome.action, outcome.request) == ("waiting", "kur")
    assert site.certificate.read_bytes() == before
    pending = impatient.state / "pending"
    assert stat.S_IMODE(pending.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in pending.iterdir()} == {0o600}
    assert renew(impatient, dry_run=True).action == "due"
    site.ca.policy = None
    key = (pending / "key.pem").read_bytes()
    assert renew(replace(impatient, wait=30)).action == "renewed"
    assert site.key.read_bytes() == key
    assert site.matches()
    assert len(site.ca.records) == 2
    assert not pending.exists()


@pytest.mark.parametrize("file", ["transaction", "request"])
def test_a_state_that_is_of_no_use(site: Site, file: str) -> None:
    """It is given up, and another request sent."""
    site.enroll()
    site.ca.policy = waiting(3, 2)
    impatient = replace(site.eager, wait=1)
    assert renew(impatient).action == "waiting"
    (impatient.state / "pending" / file).write_bytes(b"damaged\xff")
    site.ca.policy = None
    assert renew(impatient).action == "renewed"
    assert site.matches()


def test_two_at_once(site: Site) -> None:
    """The second one leaves it alone."""
    from osslcmp.renewal.store import Store

    site.enroll()
    with Store(site.eager.state, site.eager.files).locked():
        assert renew(site.eager).action == "busy"
    assert renew(site.eager).action == "renewed"


def test_key_of_another_certificate(site: Site) -> None:
    """Nothing is sent or replaced."""
    site.enroll()
    site.key.write_bytes(key_pem(make_key()))
    outcome = renew(site.renewal)
    assert outcome.action == "failed"
    assert "does not match" in (outcome.error or "")
    assert not site.certificate.is_symlink()


def test_somebody_puts_other_files_there(site: Site) -> None:
    """They are taken over, and renewed from then on."""
    site.enroll()
    renew(site.eager)
    for path in (site.certificate, site.key):
        path.unlink()
    other = site.enroll()
    assert renew(site.eager).action == "renewed"
    assert site.ca.record(other) is not None
    assert site.matches()


def test_certificate_that_only_openssl_reads(site: Site, pki: PKI) -> None:
    """It is looked at like others, and stays as it is."""
    me = pki.issue("renewed_odd", pki.issuing, subject=make_name(NAME))
    site.key.write_bytes(key_pem(me.key))
    site.certificate.write_bytes(pem_block(odd_identity("t61", me, pki.issuing)))
    before = site.certificate.read_bytes()
    outcome = renew(site.renewal)
    assert (outcome.action, outcome.error) == ("current", None)
    assert outcome.serial == f"{me.certificate.serial_number:x}"
    assert site.certificate.read_bytes() == before


def test_reload(site: Site) -> None:
    """Once for all who have the same command, only if files were replaced, and again the next time if it fails."""
    site.enroll()
    log, broken = site.path / "log", site.path / "broken"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x'); "
    script += "sys.exit('it \\x1b is broken' if pathlib.Path(sys.argv[2]).exists() else 0)"
    with_command = replace(site.eager, reload_command=(sys.executable, "-c", script, str(log), str(broken)))
    second = replace(
        with_command,
        name="y",
        certificate=site.path / "y.pem",
        key=site.path / "y.key",
        state=site.path / "state" / "y",
    )
    second.certificate.write_bytes(site.certificate.read_bytes())  # type: ignore[union-attr]
    (site.path / "y.key").write_bytes(site.key.read_bytes())
    broken.touch()
    outcomes = renew_all([with_command, replace(second, request="cr")])
    assert [one.action for one in outcomes] == [
        "renewed",
        "failed",
    ]  # what was updated is good for nothing more
    assert "reload-command" in (outcomes[0].error or "")
    assert "it \\x1b is broken" in (outcomes[0].error or "")
    assert log.read_text() == "x"
    broken.unlink()
    outcome = renew(replace(with_command, renew_at=1.0))
    assert (outcome.action, outcome.error) == ("current", None)
    assert log.read_text() == "xx"
    renew(replace(with_command, renew_at=1.0))
    assert log.read_text() == "xx"
    missing = replace(with_command, reload_command=("/nowhere/x",))
    assert "/nowhere/x: No such file" in (renew(missing, force=True).error or "")
    slow = replace(with_command, reload_command=("sleep", "60"), reload_timeout=1)
    assert "not done after 1 seconds" in (renew(slow, force=True).error or "")


@pytest.mark.parametrize("kind", ["certificate", "key", "chain", "fullchain", "combined"])
@pytest.mark.parametrize("place", ["absent/x", "root.pem/x", "private", "pipe", "link"])
def test_no_place_for_the_first_certificate(kind: str, place: str, site: Site) -> None:
    """Told before it is asked for. What is no file stays what it is, and is not read."""
    os.mkfifo(site.path / "pipe")
    (site.path / "link").symlink_to("pipe")
    paths: dict[str, Any] = {kind: site.path / place}
    first = replace(
        site.renewal, expired="ir", subject="CN=x", reference="ref", secret_file=site.path / "secret", **paths
    )
    outcome = renew(first)
    assert outcome.action == "failed"
    assert re.search("No such file|Not a directory|Is a directory|is a device or a pipe", outcome.error or "")
    assert not site.ca.records
    assert (site.path / "link").is_fifo()


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize(
    "field",
    [
        "secret_file",
        "key_password_file",
        "trusted",
        "untrusted",
        "server_certificate",
        "tls_trusted",
        "tls_key",
    ],
)
def test_files_that_are_not_needed_today(field: str, complete: bool, site: Site) -> None:
    """That one is missing shows in each run, and in one that only looks: not when the certificate is due, in months."""
    if complete:
        site.enroll()
    missing = site.path / "nowhere"
    with_secret = {
        "reference": "ref",
        "secret_file": site.path / "secret",
        "expired": "ir",
        "subject": "CN=x",
    }
    changed: dict[str, Any] = {**with_secret, field: missing}
    if field in ("trusted", "untrusted", "tls_trusted"):
        changed[field] = (missing,)
    if field.startswith("tls"):
        changed |= {"server": "https://127.0.0.1:1/"}
    if field == "tls_key":
        changed["tls_certificate"] = site.path / "root.pem"
    for dry_run in (True, False):
        outcome = renew(replace(site.renewal, **changed), dry_run=dry_run)
        assert outcome.action == "failed"
        assert "No such file" in (outcome.error or "")
    assert len(site.ca.records) == complete


@pytest.mark.parametrize("dry_run", [True, False])
def test_program_that_is_not_there(dry_run: bool, site: Site) -> None:
    """It is told before it has anything to do, and hinders nothing."""
    site.enroll()
    (site.path / "script").write_text("#!/bin/sh\n")
    for program in ("/nowhere/x", "no-such-program", str(site.path / "script"), str(site.path)):
        outcome = renew(replace(site.renewal, reload_command=(program,)), dry_run=dry_run)
        assert outcome.action == "current"
        assert outcome.error == f"reload-command: {program}: no program that can be run"
    (site.path / "script").chmod(0o700)
    assert renew(replace(site.renewal, reload_command=(str(site.path / "script"),))).error is None


def test_server_that_is_away(site: Site) -> None:
    """An error, and the files stay."""
    site.enroll()
    before = site.certificate.read_bytes()
    outcome = renew(replace(site.eager, server="http://127.0.0.1:1/"))
    assert (outcome.action, outcome.request) == ("failed", "kur")
    assert outcome.error
    assert site.certificate.read_bytes() == before


CONFIG = """
[defaults]
server = "{url}"
trusted = ["root.pem"]

[certificates.x]
key = "private/key.pem"
certificate = "cert.pem"
"""


@pytest.fixture
def config(site: Site) -> Path:
    path = site.path / "renew.toml"
    path.write_text(CONFIG.format(url=site.url))
    return path


def test_command(site: Site, config: Path) -> None:
    """What it says, as text and JSON, and its exit status."""
    site.enroll()
    done = command("renew", config, "--dry-run", "--force")
    assert done.stdout.startswith("x: due (kur), valid until 20")
    assert not site.certificate.is_symlink()
    (told,) = json.loads(command("renew", config, "--json", "--force").stdout)
    assert (told["name"], told["action"], told["request"], told["error"]) == ("x", "renewed", "kur", None)
    assert datetime.datetime.fromisoformat(told["not_after"]) == site.loaded().not_valid_after_utc
    assert command("renew", config.parent).stdout.startswith("x: current, valid until 20")
    site.ca.policy = waiting(9, 60)
    config.write_text(config.read_text() + "wait = 1\n")
    done = command("renew", config, "--force", "--name", "x", status=3)
    assert "asked again in 60 s" in done.stdout
    site.key.write_text("x")
    assert command("renew", config, status=1).stdout.startswith("x: failed")
    assert "--name z" in command("renew", config, "--name", "z", status=2).stderr
    assert "nowhere" in command("renew", site.path / "nowhere.toml", status=2).stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("x = ", "Invalid value"),
        ("certificate = 'a'\n", "Cannot overwrite"),
        ('chain = "a\\u0000b"', r"\[certificates.x\]: chain: a NUL is in no path, not a\\x00b"),
        ('speed = "\\u001b[31m"', r"unknown key speed; known: certificate, "),
        ('"\\u001b[31m" = 1', r"unknown key \\x1b\[31m; known"),
        ("renew-at = 2", "renew-at: a number from 0 to 1 is needed, not 2"),
        ("renew-at = nan", "renew-at: a number from 0 to 1 is needed, not nan"),
        ("wait = true", "wait: a number from 1"),
        ("days = 1.5", "days: a number from 0"),
        ("new-key = 1", "new-key: true or false is needed, not 1"),
        ("key-type = 'RSA-1'", "key-type: one of P-256,"),
        ("request = 'p10cr'", "request: one of kur, cr, ir is needed"),
        ("trusted = [1]", "trusted: a text is needed"),
        ("sans = 1", "sans: a list is needed"),
        ("subject = ''", "subject: a text is needed"),
        ("subject = 'x'", "subject: a name is needed: 'x', at character 1: expected type=value"),
        ("recipient = 'CN='", "recipient: a name is needed: 'CN=', .* is empty"),
        ("expected-sender = 'YY=1'", "expected-sender: a name is needed: 'YY=1', .* unknown attribute type"),
        ("sans = ['DNS:a b']", "sans: names are needed: 'DNS:a b': not a host name"),
        ("server = 'ftp://x'", "server: a URL is needed: 'ftp://x' is not of the form"),
        ("server = 'http://x:99999'", "server: a URL is needed: .*[Pp]ort"),
        ("proxy = 'https://u:hunter2@x'", "proxy: proxy: https:// is not supported"),
        ("proxy = 'ftp://x'", "proxy: proxy: not of the form"),
        ("reload-command = []", "reload-command: a program and its arguments are needed"),
        ("reload-command = 'a \"b'", "reload-command: No closing quotation"),
        ("reference = 'x'", "secret-file: is needed"),
        ("expired = 'ir'", "secret-file: is needed"),
        ("chain = 'cert.pem'", "two are the same file"),
        ("tls-key = 'x'", "tls-certificate: goes with tls-key"),
        ("[certificates.'a/b']\nkey = 'k'\ncertificate = 'c'", "name: letters, digits"),
        ("[certificates.y]\nkey = 'k'", "certificate: give certificate"),
        ("[certificates.y]\ncertificate = 'c'", "key: is needed"),
        ("[certificates.y]\nkey = 'pkcs11:x'\ncertificate = 'c'", "key: a URI goes with"),
        ("[certificates.y]\nkey = 'private/key.pem'\ncertificate = 'c'", "is of x and of y"),
        ("[certificates]\ny = 1", "must be|Cannot"),
        ("[other]\nx = 1", "unknown key other"),
    ],
)
def test_wrong_config(config: Path, more: str, told: str) -> None:
    """The message names file, table and key, and shows nothing raw."""
    config.write_text(config.read_text() + more)
    with pytest.raises(ValueError, match=told) as caught:
        load(config)
    assert str(config) in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_config_without_certificates(tmp_path: Path) -> None:
    """Is none."""
    for text in ("", "[defaults]\n", "certificates = 1", "defaults = 1", "state-directory = 1"):
        (tmp_path / "a.toml").write_text(text)
        with pytest.raises(ValueError, match=r"a\.toml|no certificate"):
            load(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"a\.toml"):
        load(tmp_path / "a.toml")


def test_every_field_is_a_key(config: Path) -> None:
    """And each value reaches it."""
    config.write_text(
        config.read_text()
        + 'reload-command = "systemctl reload nginx"\nsans = ["a", "b"]\ndays = 9\nrenew-at = 1\n'
    )
    (found,) = load(config)
    assert found.reload_command == ("systemctl", "reload", "nginx")
    assert (found.sans, found.days, found.renew_at) == (("a", "b"), 9, 1)
    assert found.trusted == (config.parent / "root.pem",)
    assert found.state == config.parent / "state" / "x"


def test_outcome_as_plain_data() -> None:
    """JSON takes it."""
    assert json.dumps(Outcome(name="x", action="current", not_after=NOW).as_dict())
