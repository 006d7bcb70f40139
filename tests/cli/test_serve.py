"""``osslcmp serve`` as a process: what a client sees of it, over restarts."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.openssl_cmp import cmp as openssl_cmp
from support.persistent import opened
from support.pki import PKI, make_key, make_name
from support.raw_server import free_port
from support.serving import Serving, client, get, post

import osslcmp
from osslcmp import FailureInfo, RejectedError, TransferError
from osslcmp.cli import main

#: What is said of a PostgreSQL server that is not there, or of its driver that is not.
NO_DATABASE = "--database: " if find_spec("psycopg") else "pip install 'osslcmp[postgresql]'"
CONFIG = """
directory = "{directory}"
port = 0
check-after = 0
no-implicit-confirm = true

[secrets]
file-ref = "{secret}"

[profiles.default]
validity = "2d"

[profiles.tls-server]
validity = "90d"
max_validity = "100d"
key_usage = ["digitalSignature"]
extended_key_usage = ["serverAuth"]
keys = ["P-256", "RSA"]
subject = "CN=[a-z]+"
crl_url = "http://127.0.0.1/crl"
[profiles.tls-server.sans]
dns = ['[a-z]+\\.example']
"""


@pytest.fixture
def secret(serve: Serving) -> Path:
    return serve.secret


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "ca"


def test_from_an_empty_directory(serve: Serving, directory: Path) -> None:
    served = serve("--strictness", "rfc9810")
    assert served.root == directory / "root.pem"
    root = x509.load_pem_x509_certificate(served.root.read_bytes())
    result = client(served.url).ir(make_key(), subject=make_name("x"))
    assert list(result.ca_pubs) == [root]
    assert get(f"{served.base}/root.pem") == served.root.read_bytes()
    issuer = x509.load_der_x509_certificate(get(f"{served.base}/issuer"))
    result.certificate.verify_directly_issued_by(issuer)
    client(f"{served.base}/any/other/path").rr(result.certificate)
    crl = x509.load_der_x509_crl(get(f"{served.base}/crl"))
    assert crl.get_revoked_certificate_by_serial_number(result.certificate.serial_number)
    assert served.end() == 0


def test_the_command_openssl_cmp(serve: Serving, pki: PKI, tmp_path: Path) -> None:
    served = serve()
    run = openssl_cmp(
        "ir",
        served.url,
        ref="ref",
        secret=b"pass word",
        newkey=pki.enrolled.key_file,
        subject="/CN=x",
        certout=tmp_path / "new.pem",
    )
    assert run.code == 0, run.err
    with opened(served.root.parent) as ca:
        (record,) = ca.records
        assert record.certificate == x509.load_pem_x509_certificate((tmp_path / "new.pem").read_bytes())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_told(serve: Serving, number: int) -> None:
    served = serve()
    assert served.end(number) == 0
    with pytest.raises(TransferError):
        client(served.url).ir(make_key(), subject=make_name("x"))


def test_killed_and_started_again(serve: Serving) -> None:
    """The client polls and confirms where it was."""
    port = free_port()
    served = serve("--polls", "2", "--check-after", "0", port=port)
    transaction = client(served.url).begin("ir", key=make_key(), subject=make_name("x"))
    assert not transaction.done
    assert served.end(signal.SIGKILL) == -signal.SIGKILL
    serve("--polls", "2", "--check-after", "0", port=port)
    while not transaction.done:
        transaction.poll()
    with opened(served.root.parent) as ca:
        (record,) = ca.records
        assert record.certificate == transaction.result.certificate
        assert record.confirmed


def test_two_servers(serve: Serving) -> None:
    """Each message goes to the other one of two processes."""
    urls = [serve("--polls", "2", "--check-after", "0").url for _ in range(2)]
    turn = [0]

    def transport(message: bytes) -> bytes:
        turn[0] += 1
        return post(urls[turn[0] % 2], message)

    cmp = osslcmp.Client(transport=transport, reference="ref", secret="pass word")
    for _ in range(3):
        assert cmp.ir(make_key(), subject=make_name("x")).certificate
    assert turn[0] == 12


def test_config_file(directory: Path, secret: Path, tmp_path: Path, serve: Serving) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.format(directory=directory, secret=secret))
    served = serve("--config", str(tmp_path / "config.toml"))
    for reference in ("ref", "file-ref"):
        cmp = client(served.url, reference=reference)
        name = make_name(f"x {reference}")
        certificate = cmp.ir(make_key(), subject=name, sans=[f"free.choice.{reference}"]).certificate
        assert 0 < (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days < 4

    wanted: dict[str, Any] = {"subject": "CN=x", "sans": ["a.example"]}
    by_header = {"url": served.url, "profile": "tls-server"}
    by_path = {"url": f"{served.url}/p/tls-server", "profile": None}
    by_operation = {"url": f"{served.url}/p/tls-server/initialization", "profile": None}
    for how in (by_header, by_path, by_operation):
        url, profile = how["url"], how["profile"]
        assert url is not None
        certificate = client(url).ir(make_key(), profile=profile, **wanted).certificate
        get_one = certificate.extensions.get_extension_for_class
        assert list(get_one(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
        assert get_one(x509.CRLDistributionPoints).value
        assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 90
    for refused in ({"subject": "CN=X1"}, {"sans": ["other.test"]}):
        with pytest.raises(RejectedError) as caught:
            client(served.url).ir(make_key(), profile="tls-server", **{**wanted, **refused})
        assert caught.value.failure_info == FailureInfo.badCertTemplate
    with pytest.raises(RejectedError) as caught:
        client(f"{served.url}/p/unknown").ir(make_key(), **wanted)
    assert caught.value.failure_info == FailureInfo.unacceptedPolicy


def test_client_trust(serve: Serving, pki: PKI) -> None:
    served = serve("--client-trust", str(pki.root.cert_file))
    root = x509.load_pem_x509_certificate(served.root.read_bytes())
    me = osslcmp.Client(
        served.url,
        certificate=pki.client.certificate,
        key=pki.client.key,
        chain=[pki.issuing.certificate],
        trusted=[root],
        message_timeout=20,
    )
    assert me.cr(make_key(), subject=pki.client.subject).certificate


def test_new_root(serve: Serving) -> None:
    old = serve()
    before = old.root.read_bytes()
    assert old.end() == 0
    new = serve("--new-root")
    assert new.root.read_bytes() != before
    assert client(new.url).ir(make_key(), subject=make_name("x")).certificate


def test_tls(serve: Serving, pki: PKI) -> None:
    served = serve("--tls-cert", str(pki.server.cert_file), "--tls-key", str(pki.server.key_file))
    assert served.url.startswith("https://")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--help", "-help", "-h"):
        assert main(["serve", option]) == 0
        told = capsys.readouterr().out
    for word in (
        "--port",
        "--directory",
        "--secret-file",
        "--database",
        "root.pem",
        "SIGTERM",
        "[profiles.default]",
    ):
        assert word in told


ONE_SECRET = ["--directory", "DIR", "--reference", "x", "--secret-file", __file__]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, "--directory is needed"),
        (["--directory", "DIR", "--reference", "x"], 2, "each --reference needs a --secret-file"),
        (["--directory", "DIR", "--tls-cert", "x"], 2, "go together"),
        (["--directory", "DIR", "--tls-trust", "x"], 2, "needs --tls-cert"),
        (["--directory", "DIR", "--frobnicate"], 2, "unrecognized"),
        (["--directory", "DIR", "--port", "http"], 2, "--port"),
        (["--directory", "DIR", "--issuer-cert", "x"], 2, "go together"),
        (
            ["--directory", "DIR", "--issuer-cert=x", "--issuer-key=x", "--root-cert=x", "--new-root"],
            2,
            "not for --root-cert",
        ),
        (
            ["--directory", "DIR", "--issuer-cert=x", "--issuer-key=x", "--root-cert=x"],
            1,
            "--root-cert: No such file",
        ),
        (["--directory", "DIR", "--database", "no url"], 2, "no SQLAlchemy URL"),
        (["--directory", "DIR", "--key-size", "RSA"], 2, "--key-size: 'RSA' is no size"),
        (["--directory", "DIR", "--database", "postgresql://127.0.0.1:1/x"], 1, NO_DATABASE),
        (["--directory", "DIR", "--database", "sqlite:////nowhere/x"], 1, "unable to open"),
        (["--directory", "DIR", "--threads", "0"], 2, "--threads: 1 to"),
        (["--directory", "DIR", "--port", "80000"], 2, "--port: 0 to 65535"),
        (["--directory", "DIR", "--timeout", "nan"], 2, "--timeout: a positive"),
        (["--directory", "DIR", "--clock-tolerance", "-1"], 2, "--clock-tolerance: a positive"),
        (["--directory", "DIR", "--max-transactions", "0"], 2, "--max-transactions: 1 to"),
        (["--directory", "DIR", "--check-after", str(2**31)], 2, "--check-after: 0 to"),
        (["--directory", "DIR", "--crl-grace", "1 day"], 2, "--crl-grace"),
        (["--directory", "DIR", "--names", "x"], 2, "one after each --reference"),
        (["--directory", "DIR", "--uses", "1"], 2, "--uses: one after each --reference"),
        ([*ONE_SECRET, "--uses", "1", "--uses", "2"], 2, "--uses: one after each --reference"),
        ([*ONE_SECRET, "--uses", "0"], 2, "secret of x: uses: 1 to"),
        ([*ONE_SECRET, "--uses", "many"], 2, "no number: 'many'"),
        ([*ONE_SECRET, "--expires", "soon"], 2, "expires: 2027-01-31T12:00Z or 2027-01-31, not 'soon'"),
        (["--directory", "DIR", "--client-crl", "x"], 2, "below --client-trust"),
        ([*ONE_SECRET, "--names", "("], 2, "--names: '(' is no regular expression"),
        (["--directory", __file__, "--reference", "x", "--secret-file", __file__], 1, "is no directory"),
        ([*ONE_SECRET, "--host", "no-such-host.invalid"], 1, "host 'no-such-host.invalid': "),
        (
            [
                "--directory=DIR",
                "--issuer-cert=x",
                "--issuer-key=x",
                "--root-cert=x",
                "--provider=x",
                "--processes=2",
            ],
            2,
            "used by one process",
        ),
        (["--directory", "DIR", "--provider", "tpm2"], 2, "for an --issuer-key in a token"),
        (["--directory", "DIR", "--pin-file", "x"], 2, "for an --issuer-key in a token"),
        (["--directory", "DIR", "--host", "192.0.2.1"], 1, "192.0.2.1"),
        (["--directory", "DIR", "--validity", "soon"], 2, "no duration"),
        (["--directory", "DIR", "--reference", "x", "--secret-file", "/nowhere"], 1, "/nowhere"),
        (["--directory", "DIR", "--reference", "x", "--secret-file", os.devnull], 1, "empty"),
        (["--directory", "DIR", "--database", "sqlite://"], 1, "file"),
        (["--config", "/nowhere"], 1, "/nowhere"),
    ],
)
def test_wrong_options(
    arguments: list[str], status: int, told: str, directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = [str(directory) if word == "DIR" else word for word in arguments]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert main(["serve", *found]) == status
    assert told in capfd.readouterr().err
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = ", "Invalid value"),
        ("frobnicate = 1", "unrecognized"),
        ("secrets = 1", "must be a table"),
        ("[profiles]\nx = 1", "must be a table"),
        ("[secrets]\nx = 1", "must be a table of files"),
        ("new-root = true", "for the command line"),
        ('speed = "x"', "unrecognized"),
        ("port = 'x'", "config.toml: argument --port"),
        ('config = "x"', "for the command line"),
        ('directory = "DIR"\n[profiles.x]\nvalidity = 3', "no duration"),
        ('directory = "DIR"\n[profiles.x]\nkey_usage = ["signing"]', "unknown: signing"),
        ('directory = "DIR"\n[profiles.x]\nsubject = "("', "no regular expression"),
        ('directory = "DIR"\n[profiles.x]\nextended_key_usage = ["x"]', "dotted OID"),
        ('directory = "DIR"\n[profiles.x]\nspeed = 3', "unknown setting"),
        ('directory = "DIR"\n[profiles.x]\nrsa_bits = "x"', "rsa_bits: int"),
        ('directory = "DIR"\n[profiles.x]\nsans = ["x"]', "a table"),
        ('directory = "DIR"\n[profiles.x]\nsans.dn = ["x"]', "unknown: dn"),
        ('directory = "DIR"\n[profiles.x]\nnames = "other"', "'own' or 'any'"),
        ('directory = "DIR"\n[profiles.x]\npolicies = ["x"]', "no dotted OID"),
        ('names = ["x"]', "for the command line"),
        ("[clients]\nx = 1", "must be a table of tables"),
        ("[clients.x]\nsecret = 'y'", "unknown setting 'secret'; known: secret-file"),
        ("[clients.x]\nsecret-file = 1", "secret-file must be a text"),
        ("[clients.x]\nsubject = 'y'", "secret-file is needed"),
        ("[clients.x]\nsecret-file = 'y'\nuses = '1'", "uses must be a number"),
        ("[clients.x]\nsecret-file = 'y'\nuses = true", "uses must be a number"),
        ("[clients.x]\nsecret-file = 'y'\nexpires = 1", "expires must be a date or a moment"),
        (
            'directory = "DIR"\n[clients.x]\nsecret-file = "y"\nexpires = "1"',
            "secret of x: expires: 2027-01-31T12:00Z or",
        ),
        ("[secrets]\nx = 'y'\n[clients.x]\nsecret-file = 'y'", "x is in [secrets] and in [clients]"),
        ('directory = "DIR"\n[clients.x]\nsecret-file = "y"\nprofile = "z"', "there is no profile 'z'"),
    ],
)
def test_wrong_config(
    text: str, told: str, tmp_path: Path, directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(text.replace("DIR", str(directory)))
    assert main(["serve", "--config", str(tmp_path / "config.toml")]) == 2
    assert told in capfd.readouterr().err
