"""``osslcmp ca``: looks after a CA while its servers run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support import openssl
from support.pki import cert_pem, make_key
from support.serving import Serving, client, get, signing

import osslcmp
from osslcmp.cli import main
from osslcmp.server import EmbeddedCA


class Command:
    """``osslcmp ca`` within this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path, status: int = 0) -> str:
        """What it prints; on stderr, if it is to fail."""
        self._capsys.readouterr()
        assert main(["ca", *map(str, words)]) == status, self._capsys.readouterr().err
        told = self._capsys.readouterr()
        return told.out if status == 0 else told.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


class Site:
    """A running server, its clients and its operator."""

    def __init__(self, command: Command, serve: Serving, database: list[str], *more: str | Path) -> None:
        self._command = command
        self.served = serve("--no-implicit-confirm", *database, *more)
        self.where = ["--directory", str(self.served.root.parent), *database]

    def ca(self, action: str, *words: str | Path, status: int = 0) -> str:
        return self._command(action, *self.where, *words, status=status)

    def listed(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ca("list", "--json", *words).splitlines()]


@pytest.fixture
def site(command: Command, serve: Serving, database: list[str]) -> Site:
    return Site(command, serve, database)


def test_certificates_are_held_released_and_revoked_under_a_running_server(
    site: Site, tmp_path: Path
) -> None:
    """The server refuses who is on hold or revoked with the next message, and its CRL is that of the command."""
    key = make_key()
    enrolled = client(site.served.url).ir(key, subject="CN=device-1", sans=["device-1.example"])
    client(site.served.url).ir(make_key(), subject="CN=device-2")
    serial = f"{enrolled.certificate.serial_number:x}"
    owner = signing(site.served.url, enrolled, key, site.served.anchor)

    first, second = site.listed()
    assert (first["serial"], first["state"], first["subject"]) == (serial, "valid", "CN=device-1")
    assert (first["reference"], second["subject"]) == ("ref", "CN=device-2")
    for name in ("CN=device-1", "DEVICE-1.example", "device-1"):
        assert site.listed("--name", name) == [first]
    assert site.listed("--reference", "nobody") == []

    assert site.ca("hold", serial) == f"{serial}  held  CN=device-1\n"
    with pytest.raises(osslcmp.RejectedError, match="on hold"):
        owner.genm([])
    assert "is already on hold" in site.ca("hold", serial, status=1)
    assert site.listed("--state", "held")[0]["reason"] == "certificateHold"
    site.ca("release", f"0x{serial.upper()}")
    assert "is not on hold" in site.ca("release", serial, status=1)
    owner.genm([])

    colons = ":".join(re.findall("..", serial.zfill(len(serial) + len(serial) % 2)))
    site.ca("revoke", "--reason", "keyCompromise", colons)
    with pytest.raises(osslcmp.RejectedError, match="revoked"):
        owner.genm([])
    assert "is already revoked" in site.ca("revoke", serial, status=1)
    assert site.listed("--state", "valid") == [second]
    told = site.ca("show", serial)
    assert "reason: keyCompromise\n" in told
    assert site.ca("show", "--pem", serial).encode() == cert_pem(enrolled.certificate)

    crl = x509.load_pem_x509_crl(site.ca("crl").encode())
    assert crl == x509.load_pem_x509_crl(get(f"{site.served.base}/crl.pem"))
    assert [entry.serial_number for entry in crl] == [enrolled.certificate.serial_number]
    file = tmp_path / "out.crl"
    site.ca("crl", "--out", file, "--der")
    text = openssl.run(["crl", "-in", file, "-inform", "DER", "-noout", "-text"]).must().out
    assert "Key Compromise" in text
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    site.ca("crl", "--out", pipe, "--der")
    assert os.read(reader, 1 << 16) == file.read_bytes()
    os.close(reader)
    assert pipe.is_fifo()
    link = tmp_path / "stdout"  # as /dev/stdout is
    link.symlink_to("/proc/self/fd/1")
    words = [sys.executable, "-m", "osslcmp", "ca", "crl", *site.where, "--out", str(link), "--der"]
    with (tmp_path / "redirected").open("wb") as redirected:
        subprocess.run(words, stdout=redirected, check=True)
    assert link.is_symlink()
    assert (tmp_path / "redirected").read_bytes() == file.read_bytes()


def test_secrets_are_added_bound_and_removed_under_a_running_server(site: Site, tmp_path: Path) -> None:
    """The next message under them is taken or refused; they are never shown."""
    secret = tmp_path / "new.secret"
    secret.write_text("another secret\n")
    site.ca(
        "secrets", "--add", "new", "--secret-file", secret, "--names", "CN=new-[0-9]", "--uses", "1",
        "--expires", "2999-01-01",
    )  # fmt: skip
    new = client(site.served.url, reference="new", secret="another secret", trusted=site.served.anchor)
    with pytest.raises(osslcmp.RejectedError, match="not for this name"):
        new.cr(make_key(), subject="CN=other")
    new.cr(make_key(), subject="CN=new-1")
    told = [json.loads(line) for line in site.ca("secrets", "--json").splitlines()]
    assert sorted(told, key=lambda one: one["reference"]) == [
        {
            "reference": "new",
            "used": 1,
            "names": "CN=new-[0-9]",
            "uses": 1,
            "expires": "2999-01-01T00:00:00+00:00",
        },
        {"reference": "ref", "used": 0},
    ]
    assert "another secret" not in site.ca("secrets")
    site.ca("secrets", "--remove", "new")
    with pytest.raises(osslcmp.RejectedError) as refused:
        new.cr(make_key(), subject="CN=new-2")
    assert refused.value.failure_info == osslcmp.FailureInfo.badMessageCheck


def test_configuration_of_the_server_names_the_authority(command: Command, tmp_path: Path) -> None:
    """With ``--config`` nothing else is needed, and the profiles in it are known; the secrets in it are left alone."""
    (tmp_path / "secret").write_text("secret\n")
    config = tmp_path / "serve.toml"
    config.write_text(
        f'directory = "{tmp_path}/ca"\n[secrets]\nref = "{tmp_path}/secret"\n[profiles.tls]\nvalidity = "1d"\n'
    )
    told = command("crl", "--config", config, status=1)
    assert "there is no CA in it" in told
    assert not (tmp_path / "ca").exists()
    EmbeddedCA.open(tmp_path / "ca").close()
    assert command("secrets", "--config", config) == ""
    assert "BEGIN X509 CRL" in command("crl", "--config", config)
    assert command("secrets", "--config", config) == ""
    words: list[str | Path] = [
        "secrets",
        "--config",
        config,
        "--add",
        "x",
        "--secret-file",
        tmp_path / "secret",
    ]
    words.append("--profile")
    assert "there is no profile 'other'" in command(*words, "other", status=2)
    command(*words, "tls")
    assert command("secrets", "--config", config) == "x  used=0  profile=tls\n"
    assert command("migrate", "--config", config).startswith("the database has schema ")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["list"], 2, "--directory, --database or --config is needed"),
        (["list", "--directory", "DIR/nowhere"], 1, "there is no database"),
        (["list", "--database", "sqlite:////nowhere/x"], 1, "unable to open"),
        (["list", "--database", "nonsense"], 2, "--database: no SQLAlchemy URL"),
        (["show", "--directory", "DIR", "xyz"], 2, "a serial number is hexadecimal"),
        (["show", "--directory", "DIR", "ff"], 1, "no certificate with serial number ff was issued"),
        (["revoke", "--directory", "DIR"], 2, "SERIAL"),
        (["crl", "--directory", "DIR", "--der"], 2, "--der is for --out"),
        (["crl", "--database", "sqlite:///DIR/ca.db"], 2, "needs the keys in --directory"),
        (["secrets", "--directory", "DIR", "--uses", "1"], 2, "need --add"),
        (["secrets", "--directory", "DIR", "--add", "x"], 2, "--add needs --secret-file"),
        (["frobnicate"], 2, "invalid choice"),
    ],
)
def test_wrong_options(words: list[str], status: int, told: str, command: Command, tmp_path: Path) -> None:
    """What is missing or makes no sense is said in a line."""
    EmbeddedCA.open(tmp_path / "ca").close()
    found = [word.replace("DIR", str(tmp_path / "ca")) for word in words]
    assert told in command(*found, status=status)


def test_keys_are_encrypted_at_rest(command: Command, serve: Serving, tmp_path: Path) -> None:
    """With a password all private keys are, those too that were there before; without it nothing starts."""
    site = Site(command, serve, [])
    site.served.end()
    directory = site.served.root.parent
    password = tmp_path / "password"
    password.write_text("pass phrase\n")
    files = [directory / name for name in ("ca-1/root.key", "ca-1/issuing.key", "server.pem")]
    assert not any(b"ENCRYPTED" in file.read_bytes() for file in files)
    with_password = Site(command, serve, [], "--key-password-file", password, "--new-root")
    with_password.served.end()
    for file in (*files, directory / "ca-2" / "root.key"):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
        openssl.run(["pkey", "-in", file, "-noout", "-passin", f"file:{password}"]).must()
    assert "the key is encrypted, and no key_password (--key-password-file)" in command(
        "crl", *site.where, status=1
    )
    wrong = tmp_path / "wrong"
    wrong.write_text("other\n")
    told = command("crl", *site.where, "--key-password-file", wrong, status=1)
    assert "root.key: a wrong password, or the key is damaged" in told
    assert "pass phrase" not in told
    again = Site(command, serve, [], "--key-password-file", password)
    client(again.served.url, trusted=again.served.anchor).ir(make_key(), subject="CN=x")
