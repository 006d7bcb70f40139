"""What each option of ``osslcmp serve`` does, seen by its clients; and that the documents know them all."""

from __future__ import annotations

import datetime
import http.client
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl
from support.command import osslcmp as command
from support.forge import Forger, read
from support.https import has_ipv6
from support.openssl import clean_environment
from support.persistent import opened
from support.pki import PKI, Identity, make_key, make_name
from support.raw_server import free_port
from support.serving import REFERENCE, SECRET, Served, Serving, client, get, load, post, signing

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, RejectedError, RevocationReason
from osslcmp.cli import main, serve_options
from osslcmp.cli._common import UsageError, option_names

ROOT = Path(__file__).parents[2]
MINE = Forger(reference=REFERENCE.encode(), secret=SECRET)


def enroll(served: Served, **options: object) -> x509.Certificate:
    name = make_name(f"x of {options.get('reference', REFERENCE)}")
    return client(served.url, **options).ir(make_key(), subject=name).certificate


def fresh() -> Forger:
    return Forger(reference=MINE.reference, secret=MINE.secret)


def long_options() -> set[str]:
    """Of the parser."""
    names = option_names(serve_options.parser())
    return {option for option in names if option.startswith("--")} - {"--help"}


def test_all_are_documented() -> None:
    """In the operator's guide, each with its default."""
    guide = (ROOT / "docs/serve.md").read_text()
    table = set(re.findall(r"^\| `(--[a-z-]+)", guide, re.MULTILINE))
    assert table == long_options()


def test_limits_of_secrets(serve: Serving, tmp_path: Path) -> None:
    """They hold over a restart; a higher one lets the client go on."""
    config = tmp_path / "serve.toml"
    (tmp_path / "other").write_text("another secret")
    config.write_text(
        f'[clients.once]\nsecret-file = "{tmp_path}/other"\nuses = 1\nexpires = 2999-01-31\n'
        f'[clients.gone]\nsecret-file = "{tmp_path}/other"\nexpires = 2020-01-31T12:00:00Z\n'
    )
    own: dict[str, str] = {}
    once = {"reference": "once", "secret": "another secret"}
    for uses, granted in (("1", [own, once]), ("1", []), ("2", [own])):
        served = serve("--expires", "2999-01-31T00:00Z", "--uses", uses, "--config", config)
        for who in granted:
            enroll(served, **who)
        for who in (own, once):
            with pytest.raises(RejectedError, match="used up"):
                enroll(served, **who)
        with pytest.raises(RejectedError, match="expired"):
            enroll(served, **once | {"reference": "gone"})
        served.end()


def test_settings_of_an_editor(tmp_path: Path) -> None:
    """A byte order mark before the settings does not count; a table by another name is named."""
    config = tmp_path / "serve.toml"
    config.write_text('\ufeffport = 8081\ndirectory = "ca"\n', encoding="utf-8")
    assert serve_options.read(["--config", str(config)])["port"] == 8081
    config.write_text('directory = "ca"\n[secret]\nme = "file"\n')
    with pytest.raises(
        UsageError, match=r"serve.toml: unknown table \[secret\]; known: secrets, clients, profiles"
    ):
        serve_options.read(["--config", str(config)])


def test_what_the_help_tells_to_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The quick start, word for word but for the port."""
    with pytest.raises(SystemExit):
        serve_options.read(["--help"])
    told = capsys.readouterr().out
    text = told[told.index("Quick start:") : told.index("State:")].replace("8080", str(free_port()))
    printf, serve, key, cmp = re.split(r"(?<!\\)\n", text.strip())[1:]
    environment = {**clean_environment(), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    def run(line: str) -> None:
        command = line.replace("openssl ", shlex.join(openssl.command()) + " ")
        subprocess.run(command, shell=True, check=True, cwd=tmp_path, env=environment, timeout=60)

    run(printf)
    server = subprocess.Popen(
        shlex.split(serve), cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert "trust anchor ca/root.pem" in server.stdout.readline()
        run(key)
        run(cmp)
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert server.returncode == 0
    assert (tmp_path / "root.pem").read_bytes() == (tmp_path / "ca/root.pem").read_bytes()
    assert load(tmp_path / "cert.pem").subject.rfc4514_string() == "CN=device-1"


def test_certificates(serve: Serving) -> None:
    served = serve(
        "--name", "Acme", "--validity", "2d", "--no-ca-pubs", "--sign-always", "--no-implicit-confirm"
    )
    assert served.anchor.subject.rfc4514_string() == "CN=Acme root CA"
    mine = client(served.url, trusted=served.anchor)
    got = mine.ir(make_key(), subject=make_name("x"), implicit_confirm=True)
    assert list(got.ca_pubs) == []
    # Begins a little earlier than now, for clients whose clocks are slow.
    assert (got.certificate.not_valid_after_utc - got.certificate.not_valid_before_utc).days == 2
    answer = read(post(served.url, fresh().request()))
    assert not answer.raw.header.uses_mac
    assert not answer.raw.header.implicit_confirm
    with opened(serve.directory) as ca:
        assert [record.confirmed for record in ca.records] == [True, False]


@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_strictness(serve: Serving, strictness: str) -> None:
    served = serve("--strictness", strictness, "--clock-tolerance", "20")
    late = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=60)
    answer = read(post(served.url, fresh().but(time=late).request()))
    if strictness == "strict":
        assert FailureInfo(answer.failure) == FailureInfo.badTime
    else:
        assert answer.status == PKIStatus.accepted


def test_proof_of_possession_by_an_ra(serve: Serving, pki: PKI) -> None:
    """That has to be one: its certificate says so."""
    key = make_key().public_key()
    ra = pki.issue("ra", pki.issuing, purposes=["1.3.6.1.5.5.7.3.28"])

    def ask(served: Served, signer: Identity | None) -> x509.Certificate:
        mine = client(served.url)
        if signer is not None:
            mine = osslcmp.Client(
                served.url,
                certificate=signer.certificate,
                key=signer.key,
                chain=signer.chain,
                trusted=served.anchor,
                message_timeout=20,
            )
        name = pki.client.subject if signer is pki.client else make_name("x")
        return mine.ir(key, subject=name, popo=osslcmp.POPOMethod.RAVERIFIED).certificate

    trust = ("--client-trust", pki.root.cert_file)
    strict, served = serve(*trust), serve("--accept-raverified", *trust)
    with pytest.raises(RejectedError) as caught:
        ask(strict, ra)
    assert caught.value.failure_info
    for nobody in (None, pki.client):
        with pytest.raises(RejectedError) as caught:
            ask(served, nobody)
        assert caught.value.failure_info == FailureInfo.notAuthorized
    assert ask(served, ra).public_key() == key


def test_limits(serve: Serving) -> None:
    limits = ["--max-message", "5000", "--max-transactions", "1", "--threads", "2", "--timeout", "0.5"]
    served = serve(*limits, "--request-time", "1", "--polls", "5", "--check-after", "9")
    with pytest.raises(osslcmp.TransferError, match="413"):
        client(served.url).ir(make_key(), subject="CN=x", sans=["y" * 60] * 90)
    host, port = served.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\n")
        while slow.recv(1000):  # an answer that it took too long, or none; then the end
            pass
    assert read(post(served.url, fresh().request())).status == PKIStatus.waiting
    deadline = time.monotonic() + 20
    while (answer := read(post(served.url, fresh().request()))).status == PKIStatus.waiting:
        assert time.monotonic() < deadline  # how many are open is counted once a second
    assert FailureInfo(answer.failure) == FailureInfo.systemUnavail


@pytest.mark.parametrize("what", ["revoke", "keep"])
def test_unconfirmed(serve: Serving, what: str) -> None:
    served = serve("--unconfirmed", what, "--confirm-within", "0.5")
    certificate = read(post(served.url, fresh().request())).certificate
    assert certificate is not None
    deadline = time.monotonic() + 20
    while True:
        crl = x509.load_der_x509_crl(get(f"{served.base}/crl"))
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        with opened(serve.directory) as ca:
            over = ca.store.open_transactions(time.time()) == 0
        if entry is not None or (what == "keep" and over):
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (entry is None) == (what == "keep")


def test_references_come_and_go(serve: Serving, tmp_path: Path) -> None:
    """A secret stays in the database until it is removed or changed."""
    (tmp_path / "two").write_bytes(b"secret of two\r\n")
    served = serve("--reference", "two", "--secret-file", tmp_path / "two")
    enroll(served)
    enroll(served, reference="two", secret="secret of two")
    served.end()
    (tmp_path / "secret").write_bytes(b"changed")
    served = serve()
    enroll(served, secret="changed")
    enroll(served, reference="two", secret="secret of two")
    served.end()
    served = serve("--remove-reference", "two")
    with pytest.raises(osslcmp.CMPError):
        enroll(served, reference="two", secret="secret of two", trusted=served.anchor)


def test_no_secret_in_plain_text(serve: Serving, tmp_path: Path) -> None:
    """On the disk, while it runs and after a kill -9, the database's log included; keys are for the owner alone."""
    served = serve(log=tmp_path / "log")
    enroll(served)
    with pytest.raises(osslcmp.CMPError):
        enroll(served, secret="wrong")

    def check() -> None:
        files = [path for path in serve.directory.rglob("*") if path.is_file()]
        assert {"ca.db", "seal.key", "root.pem", "server.pem"} <= {path.name for path in files}
        for path in files:
            assert SECRET not in path.read_bytes(), path
            if path.suffix in (".key", ".db") or path.name == "server.pem":
                assert path.stat().st_mode & 0o77 == 0, path

    check()
    served.end(signal.SIGKILL)
    check()
    assert SECRET not in (tmp_path / "log").read_bytes()


@pytest.mark.parametrize("scheme", ["", "file:", "FILE:"])
def test_own_authority(scheme: str, serve: Serving, pki: PKI) -> None:
    """A CA that somebody has already: ``--issuer-cert`` issues, its root is the trust anchor, also after a restart. Its key
    may be anywhere where OSSL_STORE finds it."""
    own: list[str | Path] = ["--issuer-cert", pki.issuing.cert_file]
    own += ["--issuer-key", f"{scheme}{pki.issuing.key_file}", "--root-cert", pki.root.cert_file]
    for _ in range(2):
        served = serve(*own)
        assert served.anchor == pki.root.certificate
        certificate = enroll(served)
        certificate.verify_directly_issued_by(pki.issuing.certificate)
        assert x509.load_der_x509_crl(get(f"{served.base}/crl")).issuer == pki.issuing.subject
        served.end()
    assert not list(serve.directory.glob("ca-*"))


@pytest.mark.parametrize(
    ("key", "words", "told"),
    [
        ("handle:0x81000001", [], "no private key found behind the handle: URI"),
        ("handle:0x81000001", ["--provider", "nothing"], "--provider: loading provider 'nothing'"),
        ("file:{root}", [], "--issuer-key does not belong to --issuer-cert"),
        ("file:{issuing}", ["--pin-file", "/nowhere"], "--pin-file: "),
    ],
)
def test_issuing_key_not_there(
    key: str, words: list[str], told: str, pki: PKI, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = ["--issuer-cert", str(pki.issuing.cert_file), "--root-cert", str(pki.root.cert_file)]
    uri = key.format(root=pki.root.key_file, issuing=pki.issuing.key_file)
    assert main(["serve", "--directory", str(tmp_path), *own, "--issuer-key", uri, *words]) == 1
    assert told in capfd.readouterr().err


def test_new_root(serve: Serving) -> None:
    """Clients that trust the old one ask for the new one; from 3.2 with all that proves it."""
    old = serve()
    before, key = old.anchor, make_key()
    mine = client(old.url).ir(key, subject=make_name("x"))
    old.end()
    new = serve("--new-root")
    assert new.anchor != before
    # Who knows only the old root goes on as before: the link is in extraCerts.
    owner = signing(new.url, mine, key, before)
    assert owner.cr(make_key(), subject=make_name("x")).certificate
    if osslcmp.features["root_ca_update"]:
        update = owner.root_ca_update(before, accept=lambda _: True)
        assert update is not None
        assert update.new_with_new == new.anchor
    else:
        with pytest.raises(osslcmp.UnsupportedError):
            owner.root_ca_update(before, accept=lambda _: True)


def test_shared_port(serve: Serving) -> None:
    """Two processes, one port: when one goes, the other answers."""
    port = free_port()
    first, second = (serve("--reuse-port", port=port) for _ in range(2))
    assert first.url == second.url
    enroll(first)
    first.end(signal.SIGKILL)
    for _ in range(4):
        enroll(second)
    with opened(serve.directory) as ca:
        assert all(record.confirmed for record in ca.records)


def test_verbose(serve: Serving, tmp_path: Path) -> None:
    """Each message is logged when asked for; else nothing is without a cause."""
    for number, option in enumerate(([], ["--verbose"])):
        served = serve(*option, log=tmp_path / f"log{number}")
        enroll(served)
        answer = read(post(served.url, fresh().but(nonce=b"short").request()))
        assert answer.kind == BodyType.ERROR
        served.end()
    assert (tmp_path / "log0").read_text() == ""
    told = (tmp_path / "log1").read_text()
    assert re.search(
        r"INFO 127.0.0.1 'ref' IR \(CN=x[^,]*,O=osslcmp tests.*\) in [0-9a-f]{32}: IP \(.*accepted.*\)", told
    )
    assert re.search(r"'ref' CERTCONF .*: PKICONF", told)
    assert re.search(r"'ref' IR .*: ERROR .*badSenderNonce.*senderNonce is shorter", told)
    assert SECRET.decode() not in told


@pytest.mark.parametrize(
    ("host", "shown", "clients"),
    [
        ("127.0.0.2", "127.0.0.2", ["127.0.0.2"]),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1", "127.0.0.2"]),
        ("localhost", "", ["localhost"]),
        ("[::1]", "[::1]", ["::1"]),
        ("::", "[::]", ["::1", "127.0.0.1"]),
    ],
)
def test_host(serve: Serving, host: str, shown: str, clients: list[str]) -> None:
    """The URL that it prints is one to use, whatever the address; ``::`` is for both families."""
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    served = serve("--host", host)
    assert f"http://{shown}" in served.url
    assert enroll(served)
    for address in clients:
        connection = http.client.HTTPConnection(address, int(served.base.rsplit(":", 1)[1]), timeout=20)
        connection.request("POST", "/", fresh().request(), {"Content-Type": "application/pkixcmp"})
        assert read(connection.getresponse().read()).status == PKIStatus.accepted
        connection.close()


def test_files(serve: Serving) -> None:
    """As many as its connections need, if the system lets it: not the 1,024 that a process usually begins with."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        served = serve()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    soft, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
    assert soft == (4096 if hard == resource.RLIM_INFINITY else min(hard, 4096))


def test_reason_of_what_was_refused_is_kept(serve: Serving) -> None:
    """A client that does not want its certificate has it revoked."""
    served = serve()
    with pytest.raises(osslcmp.ConfirmError):
        client(served.url).ir(make_key(), subject=make_name("x"), confirm=lambda *_: "not what I wanted")
    with opened(serve.directory) as ca:
        (record,) = ca.records
        assert record.revoked is RevocationReason.cessationOfOperation


@pytest.mark.parametrize(
    "data", [b"a secret", b"a secret\n", b"a secret\r\n", b"a secret\nand more\n", b"a secret\r\nmore"]
)
def test_one_secret_in_a_file(data: bytes, serve: Serving, tmp_path: Path) -> None:
    """The server and the client's command take the same for it: the first line, without its end."""
    secret = tmp_path / "same"
    secret.write_bytes(data)
    served = serve("--reference", "same", "--secret-file", secret, log=tmp_path / "log")
    words = ["-cmd", "genm", "-server", served.url, "-ref", "same", "-recipient", "/CN=x"]
    command("cmp", "-config", "", *words, "-secret", f"file:{secret}")
    command("cmp", "-config", "", *words, "-secret", "pass:a secret")
    served.end()
    assert ("only the first line" in (tmp_path / "log").read_text()) == (b"more" in data)
