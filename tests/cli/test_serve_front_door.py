"""The promises of docs/serve.md about hostile clients, against a real ``osslcmp serve`` over HTTP and HTTPS."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support import openssl_cmp
from support.attacks import attacks
from support.flood import Flood
from support.forge import Forger
from support.framings import framings
from support.pki import PKI, Identity, key_pem, make_key, make_name
from support.serving import MAC, REFERENCE, SECRET, Served, Serving, client

import osslcmp

CONNECTIONS = 600
TICK = 0.5
MESSAGE = Forger(reference=REFERENCE.encode(), secret=SECRET).request()
ROWS = framings(MESSAGE)
ATTACKS = attacks(MESSAGE)


@pytest.fixture(scope="module", autouse=True)
def descriptors() -> Iterator[None]:
    """Enough of them for the attackers and the server, which inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS + 400
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            pytest.skip(f"a process may have {hard} files open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module", params=["http", "https"])
def front(
    request: pytest.FixtureRequest, web: Identity, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server that has little: who ties up a thread, or is not sent away, keeps it for longer than good clients wait."""
    path = tmp_path_factory.mktemp("front")
    tls = ("--tls-cert", web.full_chain_file, "--tls-key", web.key_file)
    with Serving(path) as serving:
        served = serving(*PATIENT, *(tls if request.param == "https" else ()), log=path / "log")
        yield served
        assert served.end() == 0
        assert (path / "log").read_text() == ""


PATIENT = ("--threads", "2", "--timeout", "150", "--request-time", "150")
HALVES = {
    "no handshake": b"",
    "half a handshake": b"\x16\x03\x01\x02\x00\x01",
    "half a hello": b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + bytes(20),
}
HOLDING = {"silent", "slow header", "slow body", "endless chunks", *HALVES}
"""Nobody is sent away meanwhile."""
DROPPED = {"tiny chunks", "pipelined", "wrong framings"}
"""All are, or many."""


def good_clients(served: Served, path: Path, pki: PKI) -> None:
    """Ours and OpenSSL's enrol over new connections, and are served within a second: of the server's work, since it may
    have to wait for a processor. Were it to wait for the flood, the clients would give up long before that does."""
    secure = served.url.startswith("https")
    trust = {"tls": osslcmp.TLS(trusted=pki.root.certificate)} if secure else {}
    before, enrolments = served.work(), 3
    for number in range(enrolments):
        mine = client(served.url, message_timeout=60, **trust)
        assert mine.ir(make_key(), subject=make_name(f"good {number}")).certificate
    worked = (served.work() - before) / enrolments
    print(f"{worked:.2f} s of a processor for an enrolment")
    assert worked < 1
    key = path / "good.pem"
    key.write_bytes(key_pem(make_key()))
    (path / "roots.pem").write_bytes(pki.root.cert_file.read_bytes())
    tls: dict[str, Any] = {"tls_used": True, "tls_trusted": "roots.pem"} if secure else {}
    openssl_cmp.cmp(
        "ir", served.url, cwd=path, newkey=key, subject="/CN=x", certout="x.pem", msg_timeout=60, **MAC, **tls
    ).must()


@pytest.mark.peer
@pytest.mark.parametrize("name", ATTACKS)
def test_flood(name: str, front: Served, pki: PKI, tmp_path: Path) -> None:
    """600 connections that never become requests, though they never pause for long, keep no thread busy."""
    tls = pki.root.cert_file if front.url.startswith("https") else None
    # Who is sent away at once comes again: 600 new connections are work, too, TLS handshakes a second of it.
    tick = 6 * TICK if name in DROPPED else TICK
    with Flood(front.url, *ATTACKS[name], connections=CONNECTIONS, tick=tick, tls=tls) as flood:
        good_clients(front, tmp_path, pki)
    assert flood.dropped == 0 or name not in HOLDING


@pytest.mark.peer
@pytest.mark.parametrize("name", HALVES)
def test_flood_of_handshakes(name: str, front: Served, pki: PKI, tmp_path: Path) -> None:
    """Over HTTP it is a request that is not whole, or none."""
    with Flood(front.url, [HALVES[name]], b"", connections=CONNECTIONS) as flood:
        good_clients(front, tmp_path, pki)
    assert flood.dropped == 0


@pytest.mark.peer
def test_after_the_floods(front: Served, pki: PKI, tmp_path: Path) -> None:
    """The server is as it was, and has said nothing."""
    good_clients(front, tmp_path, pki)


@pytest.mark.peer
def test_more_connections_than_descriptors(pki: PKI, tmp_path: Path) -> None:
    """The server has 256 files, and 200 come for half of them: who has waited for longest makes room."""
    log = tmp_path / "log"
    with Serving(tmp_path) as serving:
        served = serving(*PATIENT, log=log)
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        with Flood(served.url, *ATTACKS["silent"], connections=200) as flood:
            good_clients(served, tmp_path, pki)
        assert flood.dropped > 0
        assert served.end() == 0
    assert log.read_text() == ""


# -- framings --------------------------------------------------------------------------------------------------


@dataclass
class Framed:
    """What a server that was sent all framings at once has answered to each, and the statuses in that."""

    served: Served
    answers: dict[str, list[int]]
    log: str


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framed]:
    path = tmp_path_factory.mktemp("framings")
    with Serving(path) as serving:
        log = path / "log"
        served = serving("--timeout", "2", "--request-time", "2", "--verbose", log=log)
        with ThreadPoolExecutor(len(ROWS)) as threads:
            answers = dict(
                zip(ROWS, threads.map(lambda row: statuses(served, row[0]), ROWS.values()), strict=True)
            )
        yield Framed(served, answers, log.read_text())


def connect(served: Served) -> socket.socket:
    where = urlsplit(served.url)
    return socket.create_connection((where.hostname or "", where.port or 0), timeout=60)


def statuses(served: Served, sent: bytes) -> list[int]:
    """Of all that comes until the server closes the connection, because of what was sent or because its time is up."""
    data = b""
    with connect(served) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                data += piece
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]


@pytest.mark.parametrize("name", ROWS)
def test_framing(name: str, framed: Framed) -> None:
    """It is answered as one request or refused, at once or when its time is up, and never makes two of one."""
    found = framed.answers[name]
    assert (found or [0])[0] in ROWS[name][1]
    assert len(found) <= (2 if found[:1] != [200] and found[:1] in ([405], [411], [415]) else 1)


def test_there_are_many(framed: Framed) -> None:
    """And the server is as it was, and has said little of each."""
    assert len(ROWS) >= 40
    lines = framed.log.splitlines()
    assert "Traceback" not in framed.log
    assert len(lines) <= 2 * len(ROWS)
    assert all(line.isprintable() for line in lines)
    assert client(framed.served.url).ir(make_key(), subject=make_name("x")).certificate


def test_slow_ones_are_closed(framed: Framed) -> None:
    """When their time is up, though they go on sending."""

    def closed(attack: tuple[list[bytes], bytes]) -> bool:
        (first, *_), more = attack
        until = time.monotonic() + 60
        with connect(framed.served) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(first)
            connection.settimeout(0.05)
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    connection.sendall(more)
                    if connection.recv(4096) == b"":
                        return True
            return False
        return True

    with ThreadPoolExecutor(len(ATTACKS)) as threads:
        assert all(threads.map(closed, ATTACKS.values()))
