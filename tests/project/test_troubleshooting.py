"""docs/troubleshooting.md: each failure on it is made, by ``Client`` and by the command, and says what the page says."""

from __future__ import annotations

import datetime
import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from support import openssl
from support.enrol import LOCAL
from support.https import Proxy, WebServer, server_context
from support.mock_server import mock_of
from support.pki import PKI, Identity, cert_pem, key_pem, make_key
from support.raw_server import RawServer, free_port, hang, response, say
from support.served import Served

import osslcmp
from osslcmp import FailureInfo
from osslcmp._asn1 import der
from osslcmp.cli import main
from osslcmp.context.hints import HINTS
from osslcmp.server import Confirmation, EmbeddedCA, waiting
from osslcmp.testing import (
    bad_protection,
    change,
    issue_other_key,
    no_extra_certs,
    reject,
    wrong_body,
    wrong_nonce,
    wrong_pvno,
)
from osslcmp.testing.rewriting import with_header
from osslcmp.testing.server import CMPServer

pytestmark = pytest.mark.peer

PAGE = (Path(__file__).resolve().parents[2] / "docs/troubleshooting.md").read_text(encoding="utf-8")
#: By the names of its sections, the lines that stand there.
SECTIONS = {
    name: lines.splitlines()
    for name, lines in re.findall(r"^### ([a-z-]+)\n+```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
DAY = datetime.timedelta(days=1)


@dataclass
class Attempt:
    """A request that fails. Its arguments are those of ``Client``, certificates and keys in files."""

    url: str | None = None
    kind: str = "ir"
    arguments: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    """Arguments of the method; by default a key and a subject."""
    command: bool = True
    """Whether the command can do it, too."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further options of the command."""


Make = Callable[[PKI, Path], Any]
CASES: dict[str, Make] = {}


def case(name: str) -> Callable[[Callable[[PKI, Path], Iterator[Attempt]]], None]:
    """Register what leads to the failure of that section."""

    def add(make: Callable[[PKI, Path], Iterator[Attempt]]) -> None:
        CASES[name] = contextmanager(make)

    return add


def mac(url: str | None, **more: Any) -> Attempt:
    """Under a shared secret."""
    arguments = {"reference": "ref", "secret": "secret", "message_timeout": 20, **more}
    return Attempt(url, arguments=arguments)


def signed(url: str, who: PKI | Identity, **more: Any) -> Attempt:
    """With a signature."""
    me = who.client if isinstance(who, PKI) else who
    arguments = {"certificate": me.cert_file, "key": me.key_file, "chain": me.chain_file, **more}
    return Attempt(url, arguments={"message_timeout": 20, **arguments})


def in_place_of_the_server(identity: Identity) -> dict[str, Any]:
    return {"srv_cert": identity.cert_file, "srv_key": identity.key_file}


# -- no connection -----------------------------------------------------------------------------------------


@case("no-such-host")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    yield mac("http://no-such-host.invalid/")


@case("connection-refused")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    yield mac(f"http://127.0.0.1:{free_port()}/")


@case("proxy-unreachable")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    yield mac("http://ca.example/cmp", proxy=f"http://127.0.0.1:{free_port()}")


@case("unreachable")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with socket.socket(socket.AF_INET6) as probe:
        probe.settimeout(10)
        if probe.connect_ex(("2001:db8::1", 80)) not in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            pytest.skip("this machine has a way to any IPv6 address")
    yield mac("http://[2001:db8::1]/")


@case("proxy-login")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with Proxy(credentials="user:password") as proxy:
        yield mac("http://ca.example/", proxy=proxy.url())


@case("proxy-refuses")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with Proxy(answer=b"HTTP/1.0 403 Forbidden\r\n\r\n") as proxy:
        yield mac("https://ca.example/", proxy=proxy.url(), tls={"trusted": pki.root.cert_file})


# -- TLS ---------------------------------------------------------------------------------------------------


@contextmanager
def web(
    pki: PKI, identity: Identity | None = None, *, chain: bool = True, clients: bool = False, **settings: Any
) -> Iterator[WebServer]:
    """A CMP server over HTTPS."""
    context = server_context(identity or pki.issue("web-local", pki.issuing, sans=LOCAL), chain=chain)
    for name, value in settings.items():
        setattr(context, name, value)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pki.root.cert_file)
    with WebServer(EmbeddedCA({"ref": "secret"}).server(), context) as server:
        yield server


def https(server: WebServer, pki: PKI, **tls: Any) -> Attempt:
    return mac(server.url(), tls={"trusted": pki.root.cert_file, **tls})


@case("https-wanted")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki) as server:
        yield mac(server.url().replace("https:", "http:"))


@case("http-wanted")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with WebServer(EmbeddedCA({"ref": "secret"}).server()) as server:
        yield mac(server.url().replace("http:", "https:"), tls={"trusted": pki.root.cert_file})


@case("tls-name")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki, pki.issue("web-other", pki.issuing, sans=[x509.DNSName("a.example")])) as server:
        yield https(server, pki)


@case("tls-time")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    late = pki.issue("web-late", pki.issuing, sans=LOCAL, starts=-9 * DAY, ends=-DAY)
    with web(pki, late) as server:
        yield https(server, pki)


@case("tls-issuer")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki) as server:
        yield https(server, pki, trusted=pki.other_root.cert_file)


@case("tls-certificate")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    client = [ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string]
    with web(pki, pki.issue("web-client", pki.issuing, sans=LOCAL, purposes=client)) as server:
        yield https(server, pki)


@case("tls-client-unknown")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki, clients=True) as server:
        yield https(server, pki, certificate=pki.client.cert_file, key=pki.client.key_file)


@case("tls-client-time")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    late = pki.expired_client
    with web(pki, clients=True) as server:
        yield https(server, pki, certificate=late.cert_file, key=late.key_file, chain=late.chain_file)


@case("tls-client-needed")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki, clients=True) as server:
        yield https(server, pki)


@case("tls-version")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with web(pki, maximum_version=ssl.TLSVersion.TLSv1_2) as server:
        attempt = https(server, pki, minimum_version="TLSv1.3")
        attempt.command = False
        yield attempt


# -- HTTP --------------------------------------------------------------------------------------------------


def answering(name: str, data: bytes, **more: Any) -> None:
    """A server that says just this."""

    @case(name)
    def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
        with RawServer(say(data)) as server:
            yield mac(server.url, **more)


def page(status: str, headers: str = "") -> bytes:
    return response(b"<html>", status=status, content_type="text/html", headers=headers)


answering("redirect", page("301 Moved Permanently", "Location: https://ca.example/cmp\r\n"))
answering("not-found", page("404 Not Found"))
answering("http-login", page("401 Unauthorized", "WWW-Authenticate: Basic\r\n"))
answering("too-large", page("413 Content Too Large"))
answering("busy", page("503 Service Unavailable"))
answering("content-type", page("200 OK"))
answering("compressed", response(b"\x1f\x8b", headers="Content-Encoding: gzip\r\n"))
answering("bad-http", response(b"0", length=-1, headers="Content-Length: 1, 1\r\n"))
answering("coding", response(b"\x0b", headers="Content-Encoding: br\r\n"))
answering("chunked", response(b"1\r\n0\r\n0\r\n\r\n", length=-1, headers="Transfer-Encoding: chunked\r\n"))
answering("closed", response(b"", length=9))
answering("too-long", response(bytes(500_000)))


@case("timeout")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with RawServer(hang) as server:
        yield mac(server.url, message_timeout=1)


@case("still-waiting")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with EmbeddedCA({"ref": "secret"}, policy=waiting(9, check_after=60)).server().serve() as running:
        yield mac(running.url, message_timeout=1, total_timeout=2)


# -- who has answered --------------------------------------------------------------------------------------


@contextmanager
def issuing(**options: Any) -> Iterator[Any]:
    """Our own server, which takes only what RFC 9483 allows."""
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server(**options).serve() as running:
        yield running


@case("wrong-secret")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing() as running:
        yield mac(running.url, secret="secret ")


@case("signature-refused")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing() as running:
        yield signed(running.url, pki, trusted=pki.root.cert_file)


@case("own-certificate-time")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    late = pki.expired_client
    with issuing(trusted=[pki.root.certificate]) as running:
        yield signed(running.url, late, trusted=pki.root.cert_file)


@case("mac-refused")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing(mac_policy="strict") as running:
        yield mac(running.url)


@case("unproven-refusal")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with CMPServer(sign_always=True) as server:
        server.script(*[reject("badRequest", "not so")] * 2)
        yield mac(server.url, reference=server.reference, secret=server.secret)


@case("wants-protection")
def _(_pki: PKI, path: Path) -> Iterator[Attempt]:
    with CMPServer() as server:
        root = path / "root.pem"
        root.write_bytes(cert_pem(server.root))
        yield Attempt(server.url, arguments={"unprotected_requests": True, "trusted": root})


@case("own-certificate-usage")
def _(pki: PKI, path: Path) -> Iterator[Attempt]:
    with CMPServer(trusted=pki.root.certificate) as server:
        root = path / "root.pem"
        root.write_bytes(cert_pem(server.root))
        yield signed(server.url, pki.unusable_server, trusted=root)


@case("missing-trust-anchor")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        yield signed(server.url, pki)


@case("missing-secret")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki, srv_cert=None, srv_key=None, srv_untrusted=None) as server:
        yield signed(server.url, pki, trusted=pki.root.cert_file)


@case("missing-protection")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki, send_unprotected=True) as server:
        yield mac(server.url)


@case("sender-kind")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    mail = der.encode(0x81, b"cmp@ca.example")
    with CMPServer() as server:
        named = change(with_header, first={1: mail})
        server.script(named, named)
        yield mac(server.url, reference=server.reference, secret=server.secret, expected_sender="/CN=ca")


@case("unexpected-sender")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        name = "/CN=server/O=osslcmp tests"
        yield signed(server.url, pki, trusted=pki.root.cert_file, expected_sender=name)


@case("pinned-certificate")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        yield signed(server.url, pki, server_certificate=pki.other_server.cert_file)


@case("signer-purpose")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        attempt = signed(server.url, pki, trusted=pki.root.cert_file, server_usage="cmcCA")
        attempt.command = False
        yield attempt


def signed_by(name: str, who: str) -> None:
    """A server with that certificate."""

    @case(name)
    def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
        with mock_of(pki, **in_place_of_the_server(getattr(pki, who))) as server:
            yield signed(server.url, pki, trusted=pki.root.cert_file)


signed_by("signer-key-usage", "unusable_server")


@case("signer-time")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    ca = pki.issue("late-ca", pki.root, ca=True, starts=-9 * DAY, ends=-DAY)
    late = pki.issue("server-below", ca)
    with mock_of(pki, **in_place_of_the_server(late), srv_untrusted=late.chain_file) as server:
        yield signed(server.url, pki, trusted=pki.root.cert_file)


@case("signer-revoked")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        check = osslcmp.CertificateCheck(trusted=pki.root.certificate, crl_check="leaf")
        attempt = signed(server.url, pki, trusted=check)
        attempt.command = False
        yield attempt


@case("signer-unknown")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki) as server:
        yield signed(server.url, pki, trusted=pki.other_root.cert_file)


def enrolled(server: CMPServer, folder: Path, **more: Any) -> Attempt:
    """At a server of the pytest plugin, with a certificate that it has issued and its answers signed."""
    key = folder / "me.key"
    key.write_bytes(key_pem(make_key()))
    mine = osslcmp.Client(server.url, reference=server.reference, secret=server.secret).ir(
        key, subject="CN=me"
    )
    files = {"certificate": folder / "me.pem", "trusted": folder / "root.pem"}
    files["certificate"].write_bytes(cert_pem(mine.certificate))
    files["trusted"].write_bytes(cert_pem(server.root))
    return Attempt(server.url, arguments={**files, "key": key, **more})


@case("sender-differs")
def _(_pki: PKI, path: Path) -> Iterator[Attempt]:
    with CMPServer() as server:
        attempt = enrolled(server, path)
        server.script(no_extra_certs(), no_extra_certs())
        yield attempt


@case("sender-kid-differs")
def _(pki: PKI, path: Path) -> Iterator[Attempt]:
    with CMPServer() as server:
        signer = server.server.certificate
        assert signer is not None
        old = pki.issue("old", subject=signer.subject)
        attempt = enrolled(server, path, untrusted=old.cert_file)
        server.script(no_extra_certs(), no_extra_certs())
        yield attempt


@case("damaged")
def _(_pki: PKI, path: Path) -> Iterator[Attempt]:
    with CMPServer() as server:
        attempt = enrolled(server, path)
        server.script(bad_protection(), bad_protection())
        yield attempt


@case("no-signer")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    server = EmbeddedCA().server(trusted=[pki.root.certificate])
    with Served(lambda request: server.process(request).replace(_ECDSA, _UNKNOWN, 1)) as served:
        yield signed(served.url, pki, trusted=pki.root.cert_file)


# -- what the answer is, and what the server says ----------------------------------------------------------

#: ecdsa-with-SHA256, and an algorithm that nobody knows.
_ECDSA, _UNKNOWN = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d04037f")


def scripted(
    name: str, *, request: dict[str, Any] | None = None, more: dict[str, Any] | None = None, **faults: Any
) -> None:
    """The server of the pytest plugin, with a fault."""

    @case(name)
    def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
        with CMPServer() as server:
            server.script(**{kind: [fault] * 2 for kind, fault in faults.items()})
            attempt = mac(server.url, reference=server.reference, secret=server.secret)
            attempt.request, attempt.more = request or {}, more or {}
            yield attempt


scripted("not-to-this-request", ir=wrong_nonce())
scripted("other-version", ir=wrong_pvno(1))
scripted("unexpected-answer", ir=wrong_body())
scripted("other-key", ir=issue_other_key())


class _Forgetful(EmbeddedCA):
    def confirm(self, confirmation: Confirmation) -> None:
        raise RuntimeError("where is it?")


@case("not-confirmed")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with _Forgetful({"ref": "secret"}).server().serve() as running:
        yield mac(running.url)


@case("limit")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing() as running:
        attempt = mac(running.url, limits=osslcmp.Limits(certificates=1))
        attempt.command = False
        yield attempt


@case("not-accepted")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    other = pki.other_root.cert_file
    with issuing() as running:
        attempt = mac(running.url)
        attempt.request = {"key": pki.enrolled.key_file, "subject": "CN=device", "confirm_trusted": other}
        attempt.more = {"out_trusted": other}
        yield attempt


@case("wants-signature")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing() as running:
        attempt = mac(running.url)
        attempt.kind, attempt.request = "rr", {"certificate": pki.client.cert_file}
        attempt.more = {"oldcert": pki.client.cert_file, "newkey": None, "subject": None, "certout": None}
        yield attempt


@case("missing-subject")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with issuing() as running:
        attempt = mac(running.url)
        attempt.request, attempt.more = {"key": pki.enrolled.key_file}, {"subject": None}
        yield attempt


@case("signer-refused")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    with mock_of(pki, srv_trusted=pki.other_root.cert_file) as server:
        yield signed(server.url, pki, trusted=pki.root.cert_file)


def refusing(name: str, text: str, flag: FailureInfo | None = None) -> None:
    """OpenSSL's mock server, which refuses with these words."""

    @case(name)
    def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
        bits = {} if flag is None else {"failurebits": int(flag)}
        with mock_of(pki, pkistatus=2, statusstring=text, **bits) as server:
            yield mac(server.url)


refusing("secret-refused", "wrong MAC", FailureInfo.badMessageCheck)
refusing("bad-time", "not so late", FailureInfo.badTime)
refusing("bad-popo", "no proof", FailureInfo.badPOP)
refusing("bad-algorithm", "not SHA-1", FailureInfo.badAlg)
refusing("bad-template", "no such department", FailureInfo.badCertTemplate)
refusing("not-authorized", "not for you", FailureInfo.notAuthorized)
refusing("unknown-certificate", "never issued", FailureInfo.badCertId)
refusing("try-later", "too many requests", FailureInfo.systemUnavail)
refusing("refused", "because")


# -- the request -------------------------------------------------------------------------------------------


@case("request-algorithm")
def _(_pki: PKI, path: Path) -> Iterator[Attempt]:
    key = path / "x25519.key"
    key.write_bytes(key_pem(x25519.X25519PrivateKey.generate()))  # type: ignore[arg-type]
    with issuing() as running:
        attempt = mac(running.url)
        attempt.request, attempt.more = {"key": key, "subject": "CN=device"}, {"newkey": key}
        yield attempt


@case("key-of-another-certificate")
def _(pki: PKI, _path: Path) -> Iterator[Attempt]:
    yield signed("http://127.0.0.1/", pki, key=pki.server.key_file)


def _encrypted(pki: PKI, path: Path) -> Path:
    file = path / "encrypted.pem"
    file.write_bytes(
        pki.client.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right"))
    )
    return file


@case("password-missing")
def _(pki: PKI, path: Path) -> Iterator[Attempt]:
    attempt = signed("http://127.0.0.1/", pki, key=_encrypted(pki, path))
    attempt.command = False  # it asks for the password
    yield attempt


@case("password-wrong")
def _(pki: PKI, path: Path) -> Iterator[Attempt]:
    attempt = signed("http://127.0.0.1/", pki, key=_encrypted(pki, path), key_password="wrong")
    yield attempt


@case("no-credentials")
def _(_pki: PKI, _path: Path) -> Iterator[Attempt]:
    yield Attempt("http://127.0.0.1/")


# -- running them ------------------------------------------------------------------------------------------

_OPTIONS = {
    "reference": "ref",
    "certificate": "cert",
    "chain": "untrusted",
    "server_certificate": "srvcert",
    "expected_sender": "expect_sender",
    "message_timeout": "msg_timeout",
    "key_password": "keypass",
}


def send(attempt: Attempt, key: Path) -> None:
    """Try it with ``Client``."""
    arguments = dict(attempt.arguments)
    if "tls" in arguments:
        arguments["tls"] = osslcmp.TLS(**arguments["tls"])
    client = osslcmp.Client(attempt.url, **arguments)
    getattr(client, attempt.kind)(**attempt.request or {"key": key, "subject": "CN=device"})


def by_client(attempt: Attempt, key: Path) -> str:
    """What the exception says."""
    with pytest.raises((osslcmp.CMPError, ValueError)) as caught:
        send(attempt, key)
    told = str(caught.value)
    assert told.isprintable()
    if isinstance(caught.value, osslcmp.CMPError):
        assert caught.value.hint
        assert told.endswith(f". {caught.value.hint}")
    return f"{type(caught.value).__name__}: {told}"


def by_command(attempt: Attempt, key: Path, told: pytest.CaptureFixture[str]) -> str:
    """The last line on stderr that says why."""
    options: dict[str, Any] = {"config": "", "batch": True, "cmd": attempt.kind, "server": attempt.url}
    options |= {"newkey": key, "subject": "/CN=device", "certout": key.with_name("new.pem")}
    for name, value in attempt.arguments.items():
        if name == "tls":
            options |= {"tls_used": True}
            options |= {
                f"tls_{ {'certificate': 'cert', 'chain': 'extra'}.get(n, n) }": v for n, v in value.items()
            }
        else:
            secret = name in ("secret", "key_password")
            text = value.decode() if isinstance(value, bytes) else value
            options[_OPTIONS.get(name, name)] = text.encode() if secret else text
    told.readouterr()
    assert main(["cmp", *openssl.arguments({**options, **attempt.more})]) == 1
    *_, last = (
        line for line in told.readouterr().err.splitlines() if "cannot set up CMP context" not in line
    )
    return last


def fits(line: str, told: str) -> bool:
    """Whether a line of the page, where ``…`` stands for anything, is what was told."""
    return re.fullmatch(".*".join(map(re.escape, line.split("…"))), told) is not None


@pytest.mark.parametrize("name", CASES)
def test_failure(
    name: str, pki: PKI, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """The exception and the command say what the page says, to the end."""
    key = pki.enrolled.key_file
    with CASES[name](pki, tmp_path) as attempt:
        found = [by_client(attempt, key)]
        if attempt.command:
            found.append(by_command(attempt, key, capsys))
    lines = SECTIONS.get(name, [])
    assert len(lines) == len(found), "\n".join(found)
    for line, told in zip(lines, found, strict=True):
        assert fits(line, told), f"\n{line}\n{told}"


def test_every_hint_is_on_the_page() -> None:
    """Sections, hints and cases are the same."""
    names = [hint.name for hint in HINTS]
    assert len(names) == len(set(names))
    assert set(names) <= set(SECTIONS)
    assert set(SECTIONS) == set(CASES)
    assert PAGE.count("\n### ") == len(SECTIONS)
