"""HTTPS: with and without client certificates, and clients that are slow or silent."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed448
from support import openssl, openssl_cmp, tls_certificates, work
from support.forge import IMPLICIT_CONFIRM, Forger, read
from support.https import server_context
from support.pki import PKI, Identity, cert_pem, key_pem, make_key

import osslcmp
from osslcmp import PKIStatus
from osslcmp.server import EmbeddedCA, RunningServer, Server, ServerTLS
from osslcmp.server.http.handshake import Handshake
from osslcmp.server.http.workers import Workers

DAY = datetime.timedelta(days=1)
TYPE = {"Content-Type": "application/pkixcmp"}


def settings(pki: PKI, **changes: Any) -> ServerTLS:
    """The tests' server certificate, for HTTPS."""
    mine: dict[str, Any] = {
        "certificate": pki.server.certificate,
        "key": pki.server.key,
        "chain": pki.issuing.certificate,
    }
    return ServerTLS(**mine | changes)


def client_context(pki: PKI, *, certificate: bool = False) -> ssl.SSLContext:
    """A client that trusts the tests' root."""
    context = ssl.create_default_context(cafile=str(pki.root.cert_file))
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(pki.client.full_chain_file, pki.client.key_file)
    return context


def ask(running: RunningServer, context: ssl.SSLContext, times: int = 1) -> PKIStatus | None:
    """Enrol over HTTPS, so often on one connection."""
    connection = http.client.HTTPSConnection(running.host, running.port, timeout=20, context=context)
    try:
        for _ in range(times):
            connection.request("POST", "/", Forger(info=(IMPLICIT_CONFIRM,)).request(), TYPE)
            response = connection.getresponse()
            assert response.status == 200
            status = read(response.read()).status
        return None if status is None else PKIStatus(status)
    finally:
        connection.close()


def test_objects(server: Server, pki: PKI) -> None:
    with server.serve(tls=settings(pki)) as running:
        assert running.url == f"https://127.0.0.1:{running.port}/.well-known/cmp"
        assert ask(running, client_context(pki), 3) == PKIStatus.accepted


def test_files(server: Server, pki: PKI) -> None:
    tls = settings(pki, certificate=pki.server.full_chain_file, key=pki.server.key_file, chain=None)
    with server.serve(tls=tls) as running:
        assert ask(running, client_context(pki)) == PKIStatus.accepted


def test_context(server: Server, pki: PKI) -> None:
    with server.serve(tls=server_context(pki.server)) as running:
        assert ask(running, client_context(pki)) == PKIStatus.accepted


def test_client_certificate(server: Server, pki: PKI) -> None:
    required = settings(pki, trusted=pki.root.certificate, client="required")
    with server.serve(tls=required) as running:
        assert ask(running, client_context(pki, certificate=True), 2) == PKIStatus.accepted
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(running, client_context(pki))
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
    with server.serve(tls=settings(pki, trusted=pki.root.certificate)) as running:
        assert ask(running, client_context(pki)) == PKIStatus.accepted
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted


def test_untrusted_client_certificate(server: Server, pki: PKI) -> None:
    tls = settings(pki, trusted=pki.other_root.certificate)
    with server.serve(tls=tls) as running, pytest.raises((OSError, http.client.HTTPException)):
        ask(running, client_context(pki, certificate=True))
    osslcmp.lib.ERR_clear_error()  # where Python's ssl uses the same libcrypto, the error is its


@pytest.mark.parametrize(
    "changes",
    [
        {"client": "required"},
        {"client": "maybe"},
        {"client": "none", "trusted": b"x"},
        {"key": "pkcs11:object=x"},
        {"key": b"no key"},
        {"certificate": b"no certificate"},
    ],
)
def test_wrong_settings(server: Server, pki: PKI, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"client|trusted|key|certificate"):
        server.serve(tls=settings(pki, **changes))


def test_key_of_another_certificate(server: Server, pki: PKI) -> None:
    for key in (pki.client.key, make_key("rsa"), make_key("ed25519")):
        with pytest.raises(ValueError, match="certificate, key: the private key does not match"):
            server.serve(tls=settings(pki, key=key))


def test_not_tls_settings(server: Server) -> None:
    with pytest.raises(TypeError, match="ServerTLS"):
        server.serve(tls=True)  # type: ignore[arg-type]


def test_key_is_not_left_on_disk(pki: PKI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from osslcmp.server.http import tls

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tls.context(settings(pki))
    assert list(tmp_path.iterdir()) == []


# -- clients that do not get on ------------------------------------------------------------------------------


def mutual(pki: PKI) -> ServerTLS:
    """Settings under which clients need a certificate."""
    return settings(pki, trusted=pki.root.certificate, client="required")


@pytest.mark.parametrize("make", [settings, mutual])
def test_silent_clients(make: Callable[[PKI], ServerTLS], server: Server, pki: PKI) -> None:
    """Neither who only connects nor who stops in the middle of the handshake is in the way of others."""
    with server.serve(tls=make(pki), threads=4) as running:
        address = (running.host, running.port)
        idle = [socket.create_connection(address) for _ in range(20)]
        try:
            for client in idle[:3]:
                client.sendall(b"\x16\x03\x01\x02\x00\x01")
            assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
        finally:
            for client in idle:
                client.close()


@pytest.mark.parametrize("make", [settings, mutual])
@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_handshake_has_its_time(
    make: Callable[[PKI], ServerTLS], start: bytes, server: Server, pki: PKI
) -> None:
    """Who does not come to its end is sent away."""
    with server.serve(tls=make(pki), timeout=0.5) as running:
        with socket.create_connection((running.host, running.port), timeout=20) as client:
            client.sendall(start)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(1000):
                    pass
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted


@pytest.mark.parametrize("threads_are_busy", [False, True])
def test_handshake_that_is_given_up(threads_are_busy: bool, pki: PKI) -> None:
    """Its connection is closed at once, also while it waits for a thread: no such connections pile up."""
    workers, over = Workers(1), threading.Event()
    ended: list[bool] = []

    def busy() -> None:
        over.wait(20)

    async def give_up() -> None:
        mine, theirs = socket.socketpair()
        mine.setblocking(False)
        with theirs:
            if threads_are_busy:
                assert workers.submit(busy, lambda _: None) is not None
            wrapped = server_context(pki.server).wrap_socket(
                mine, server_side=True, do_handshake_on_connect=False
            )
            handshake = Handshake(wrapped, workers, 20, ended.append)
            theirs.sendall(b"\x16\x03\x01\x02\x00\x01")
            await asyncio.sleep(0.2)
            handshake.close()
            assert wrapped.fileno() == -1
            with contextlib.suppress(ConnectionResetError):
                assert theirs.recv(100) == b""

    try:
        asyncio.run(give_up())
    finally:
        over.set()
        workers.close(20)
    assert ended == [False]


def test_certificates_that_keep_libssl_busy(server: Server, pki: PKI) -> None:
    """Whoever shows them is alone with that: others are answered, and the server ends."""
    chain = [work.with_key(work.own_curve(), number) for number in range(1, 13)]
    alert = threading.Event()

    def attack() -> None:
        with socket.create_connection((running.host, running.port), timeout=120) as client:
            tls_certificates.show_as_client(client, chain, shown)
            alert.set()

    shown = threading.Event()
    with server.serve(tls=mutual(pki)) as running:
        thread = threading.Thread(target=attack)
        thread.start()
        assert shown.wait(20)
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
        assert not alert.is_set()
    thread.join(120)
    assert not thread.is_alive()


def hello(name: bytes) -> bytes:
    """A ClientHello with this name of the server (SNI), of no more than 63 octets."""
    context = ssl.create_default_context()
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="a" * len(name))
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read().replace(b"a" * len(name), name)


@pytest.mark.parametrize("make", [settings, mutual])
@pytest.mark.parametrize(
    "name", [b"\0" * 60, b"x\0y.example", b"\xff" * 60, b"\x1b[2Jx", b"." * 63], ids=repr
)
def test_odd_server_names(
    make: Callable[[PKI], ServerTLS],
    name: bytes,
    server: Server,
    pki: PKI,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are taken for any, or refused."""
    with caplog.at_level("INFO", "osslcmp.server"), server.serve(tls=make(pki)) as running:
        with socket.create_connection((running.host, running.port), timeout=20) as client:
            client.sendall(hello(name))
            kind = client.recv(1)
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
    assert kind == (b"\x15" if b"\0" in name else b"\x16")
    lines = [record.getMessage() for record in caplog.records if "TLS" in record.getMessage()]
    assert len(lines) <= 1
    assert all(line.isprintable() for line in lines)


def with_extensions(*sizes: int) -> list[x509.ExtensionType]:
    return [
        x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.3.{number}"), bytes(size))
        for number, size in enumerate(sizes)
    ]


ODD_IDENTITIES: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"starts": -9 * DAY, "ends": -DAY}, "expired"),
    "not yet valid": ({"starts": DAY}, "not yet valid"),
    "for servers": ({"purposes": ["1.3.6.1.5.5.7.3.1"]}, "purpose"),
    "many extensions": ({"more": with_extensions(*[0] * 1_000)}, ""),
    "large": ({"more": with_extensions(60_000)}, ""),
    "too large": ({"more": with_extensions(200_000)}, "excessive message size"),
    "Ed448": ({"key": ed448.Ed448PrivateKey.generate()}, ""),
}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("name", ODD_IDENTITIES)
def test_odd_client_certificates(
    name: str, version: str, server: Server, pki: PKI, caplog: pytest.LogCaptureFixture
) -> None:
    """They are taken or refused; why, stands in one line of the log."""
    made, told = ODD_IDENTITIES[name]
    mine = pki.issue(f"{name} {version}", pki.issuing, **made)
    context = client_context(pki)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.load_cert_chain(mine.full_chain_file, mine.key_file)
    with caplog.at_level("INFO", "osslcmp.server"), server.serve(tls=mutual(pki)) as running:
        if told:
            with pytest.raises(OSError):  # noqa: PT011 - an alert, or a reset before it is read
                ask(running, context)
        else:
            assert ask(running, context) == PKIStatus.accepted
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
    lines = [record.getMessage() for record in caplog.records if "TLS handshake" in record.getMessage()]
    assert len(lines) == bool(told)
    assert not told or (
        lines[0].startswith("TLS handshake with 127.0.0.1: ") and told in lines[0].replace("_", " ")
    )


@pytest.mark.parametrize(
    "der", [b"", b"0\3\2\1\1", bytes(90_000), work.with_key(bytes.fromhex("300b3006060429030405030100"), 3)]
)
def test_client_certificates_that_are_none(
    der: bytes, server: Server, pki: PKI, caplog: pytest.LogCaptureFixture
) -> None:
    """Among them one for a key of an unknown kind."""
    with caplog.at_level("INFO", "osslcmp.server"), server.serve(tls=mutual(pki)) as running:
        with socket.create_connection((running.host, running.port), timeout=20) as client:
            assert tls_certificates.show_as_client(client, [der])[:1] == b"\2"
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted
    assert len([one for one in caplog.records if "TLS handshake" in one.getMessage()]) == 1


@pytest.mark.peer
@pytest.mark.parametrize("make", [settings, mutual])
def test_renegotiation_is_refused(make: Callable[[PKI], ServerTLS], server: Server, pki: PKI) -> None:
    """As a client asks for it."""
    with server.serve(tls=make(pki)) as running:
        identity: list[str | Path] = [
            "-cert",
            pki.client.cert_file,
            "-key",
            pki.client.key_file,
            "-cert_chain",
            pki.client.chain_file,
        ]
        where = ["-connect", f"127.0.0.1:{running.port}", "-tls1_2"]
        run = openssl.run(["s_client", *where, *identity], data=b"R\nR\nR\n")
        assert "RENEGOTIATING" in run.out + run.err
        assert "no renegotiation" in run.err
        assert ask(running, client_context(pki, certificate=True)) == PKIStatus.accepted


def test_no_tls_on_the_tls_port(server: Server, pki: PKI) -> None:
    with server.serve(tls=settings(pki)) as running:
        with socket.create_connection((running.host, running.port), timeout=20) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP/" not in client.recv(100)
        assert ask(running, client_context(pki)) == PKIStatus.accepted


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\nContent-Length: 5000\r\n"


@pytest.mark.parametrize("start", [b"P", HEAD, HEAD + b"\r\n"], ids=["line", "header", "body"])
def test_dripping_clients(server: Server, start: bytes) -> None:
    """More of them than threads: each loses its thread when its time is up, though it never pauses for long."""
    with server.serve(threads=2, timeout=20, request_time=0.5) as running:
        over = threading.Event()

        def drip() -> None:
            with socket.create_connection((running.host, running.port), timeout=20) as client:
                client.sendall(start)
                try:
                    while not over.wait(0.05):
                        client.sendall(b"a")
                except OSError:
                    return

        with ThreadPoolExecutor(4) as threads:
            for _ in range(4):
                threads.submit(drip)
            time.sleep(0.2)
            try:
                connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
                connection.request("POST", "/", Forger().request(), TYPE)
                assert connection.getresponse().status == 200
                connection.close()
            finally:
                over.set()


@pytest.mark.parametrize(
    ("timeout", "request_time", "start"), [(2, 60, b""), (2, 60, b"P"), (600, 0.5, HEAD + b"\r\na")]
)
def test_time_begins_anew_with_each_request(
    timeout: float, request_time: float, start: bytes, server: Server
) -> None:
    with server.serve(timeout=timeout, request_time=request_time) as running:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
        connection.connect()
        client = connection.sock
        for _ in range(4):
            connection.request("POST", "/", Forger().request(), TYPE)
            answer = connection.getresponse()
            assert (answer.status, answer.read()[:1], connection.sock) == (200, b"0", client)
            time.sleep(0.8)
        client.sendall(start)
        assert client.recv(1) == b""
        connection.close()


def test_slow_authority_is_not_a_slow_client() -> None:
    ca = EmbeddedCA({"ref": "secret"})
    ca.policy = lambda _: time.sleep(0.6)
    with ca.server().serve(request_time=0.3) as running:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=20)
        connection.request("POST", "/", Forger().request(), TYPE)
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize("option", [{"request_time": 0}, {"timeout": 0}, {"threads": 0}])
def test_limits(server: Server, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="positive"):
        server.serve(**option)


# -- OpenSSL's client ----------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("client", [None, "required"])
def test_openssl(server: Server, pki: PKI, web: Identity, tmp_path: Path, client: Any) -> None:
    asks: dict[str, Any] = {"certificate": web.certificate, "key": web.key}
    asks |= {} if client is None else {"client": client, "trusted": pki.root.certificate}
    shown: dict[str, Any] = {}
    if client is not None:
        shown = {"tls_cert": pki.client.full_chain_file, "tls_key": pki.client.key_file}
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))
    (tmp_path / "root.pem").write_bytes(cert_pem(pki.root.certificate))
    with server.serve(tls=settings(pki, **asks)) as running:
        openssl_cmp.cmp(
            "ir",
            running.url,
            cwd=tmp_path,
            ref="ref",
            secret=b"secret",
            newkey="key.pem",
            subject="/CN=over TLS",
            certout="new.pem",
            tls_used=True,
            tls_trusted="root.pem",
            msg_timeout=20,
            **shown,
        ).must()
    issued = x509.load_pem_x509_certificate((tmp_path / "new.pem").read_bytes())
    assert issued.subject.rfc4514_string() == "CN=over TLS"
