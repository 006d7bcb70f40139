"""The promises of docs/serve.md about hostile clients, against a real ``osslcmp serve`` over HTTP and HTTPS."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from support import openssl_cmp
from support.flood import Flood
from support.forge import Forger
from support.framings import framings
from support.pki import PKI, key_pem, make_key, make_name
from support.serving import MAC, REFERENCE, SECRET, Served, Serving, client

import osslcmp

CONNECTIONS = 600
TICK = 0.5
MESSAGE = Forger(reference=REFERENCE.encode(), secret=SECRET).request()
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def descriptors() -> Iterator[None]:
    """Enough of them for the attackers, who are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS + 400
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            pytest.skip(f"a process may have {hard} files open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def web_server(pki: PKI) -> Any:
    address = x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))
    return pki.issue("front door", pki.issuing, sans=[address])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path) as serving:
        yield serving


# Who ties up a thread, keeps it for longer than good clients wait.
PATIENT = ("--threads", "2", "--timeout", "150", "--request-time", "150")


def start(serve: Serving, scheme: str, web_server: Any, *options: str, log: Path | None = None) -> Served:
    tls = (
        ("--tls-cert", web_server.full_chain_file, "--tls-key", web_server.key_file)
        if scheme == "https"
        else ()
    )
    return serve(*options, *tls, log=log)


ROWS = framings(MESSAGE)
ATTACKS: dict[str, tuple[list[bytes], bytes]] = {
    "silent": ([b""], b""),
    "slow header": ([HEAD[:20]], b"a"),
    "slow body": ([HEAD + b"Content-Length: 5000\r\n\r\n"], b"a"),
    "endless header": ([HEAD], b"X-Y: z\r\n" * 40),
    "endless chunks": ([CHUNKED], b"64\r\n" + b"x" * 100 + b"\r\n"),
    "wrong framings": ([sent[:-1] for sent, _ in ROWS.values()], b""),
}
HALVES = {
    "no handshake": b"",
    "half a handshake": b"\x16\x03\x01\x02\x00\x01",
    "half a hello": b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + bytes(20),
}


def good_clients(served: Served, path: Path, pki: PKI) -> None:
    """Ours and OpenSSL's enrol over new connections, none of which waits for long."""
    secure = served.url.startswith("https")
    trust = {"tls": osslcmp.TLS(trusted=pki.root.certificate)} if secure else {}
    for number in range(5):
        mine = client(served.url, message_timeout=60, **trust)
        assert mine.ir(make_key(), subject=make_name(f"good {number}")).certificate
    key = path / "good.pem"
    key.write_bytes(key_pem(make_key()))
    (path / "roots.pem").write_bytes(pki.root.cert_file.read_bytes())
    tls: dict[str, Any] = {"tls_used": True, "tls_trusted": "roots.pem"} if secure else {}
    openssl_cmp.cmp(
        "ir", served.url, cwd=path, newkey=key, subject="/CN=x", certout="x.pem", msg_timeout=60, **MAC, **tls
    ).must()


@pytest.mark.peer
@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_flood(name: str, scheme: str, serve: Serving, pki: PKI, web_server: Any, tmp_path: Path) -> None:
    """600 connections that never become requests, though they never pause for long, keep no thread busy."""
    log = tmp_path / "log"
    served = start(serve, scheme, web_server, *PATIENT, log=log)
    tls = pki.root.cert_file if scheme == "https" else None
    with Flood(served.url, *ATTACKS[name], connections=CONNECTIONS, tick=TICK, tls=tls):
        good_clients(served, tmp_path, pki)
    good_clients(served, tmp_path, pki)
    assert served.end() == 0
    assert log.read_text() == ""


@pytest.mark.peer
@pytest.mark.parametrize("name", HALVES)
def test_flood_of_handshakes(name: str, serve: Serving, pki: PKI, web_server: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    served = start(serve, "https", web_server, *PATIENT, log=log)
    with Flood(served.url, [HALVES[name]], b"", connections=CONNECTIONS):
        good_clients(served, tmp_path, pki)
    assert served.end() == 0
    assert log.read_text() == ""


@pytest.mark.peer
def test_more_connections_than_descriptors(serve: Serving, pki: PKI, tmp_path: Path) -> None:
    """The server has 256 files, and 600 come: who has waited for longest makes room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256 if hard == resource.RLIM_INFINITY else hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    import subprocess

    log = tmp_path / "log"
    served = start(serve, "http", None, *PATIENT, log=log)
    subprocess.run(["prlimit", f"--pid={served.process.pid}", "--nofile=256:256"], check=True)
    with Flood(served.url, *ATTACKS["silent"], connections=CONNECTIONS):
        good_clients(served, tmp_path, pki)
    assert served.end() == 0
    assert "Traceback" not in log.read_text()


# -- framings --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    path = tmp_path_factory.mktemp("framings")
    with Serving(path) as serving:
        log = path / "log"
        served = serving("--timeout", "2", "--request-time", "2", "--verbose", log=log)
        yield served, log


def answers(served: Served, sent: bytes) -> list[int]:
    """The statuses of all that comes until the server closes the connection or says nothing more."""
    where = urlsplit(served.url)
    data = b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                data += piece
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]


@pytest.mark.parametrize("name", ROWS)
def test_framing(name: str, framed: tuple[Served, Path]) -> None:
    """It is answered as one request or refused, at once or when its time is up, and never makes two of one."""
    served, log = framed
    before = log.read_text().count("\n")
    sent, statuses = ROWS[name]
    found = answers(served, sent)
    assert (found or [0])[0] in statuses
    assert len(found) <= (2 if found[:1] != [200] and found[:1] in ([405], [411], [415]) else 1)
    told = log.read_text()
    assert "Traceback" not in told
    lines = told.splitlines()[before:]
    assert len(lines) <= 2
    assert all(line.isprintable() for line in lines)


def test_there_are_many(framed: tuple[Served, Path]) -> None:
    """And the server is as it was."""
    assert len(ROWS) >= 40
    assert client(framed[0].url).ir(make_key(), subject=make_name("x")).certificate


def test_slow_ones_are_closed(framed: tuple[Served, Path]) -> None:
    """When their time is up, though they go on sending."""
    served, _ = framed
    for firsts, more in ATTACKS.values():
        where = urlsplit(served.url)
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as connection:
            until = time.monotonic() + 30
            with contextlib.suppress(ConnectionError):
                connection.sendall(firsts[0])
                connection.settimeout(0.05)
                while True:
                    assert time.monotonic() < until
                    if more:
                        connection.sendall(more)
                    try:
                        if connection.recv(4096) == b"":
                            break
                    except TimeoutError:
                        continue
