"""Floods do not stop a good client: garbage, silent and dripping connections, abandoned transactions, forged messages.

Each flood goes on from several sides while our client and the installed ``openssl cmp`` enrol.
"""

from __future__ import annotations

import contextlib
import datetime
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support import openssl_cmp
from support.forge import GENM, Forger, read
from support.malloc import allocated
from support.pki import PKI, Identity, key_pem, make_key, make_name

import osslcmp
from osslcmp import FailureInfo
from osslcmp.server import EmbeddedCA, RunningServer, waiting

FLOODERS = 6
REFERENCE, SECRET = "good", "good secret"

Attack = Callable[[RunningServer, random.Random], None]


def connect(running: RunningServer, seconds: float = 5) -> socket.socket:
    return socket.create_connection((running.host, running.port), timeout=seconds)


def post(running: RunningServer, body: bytes, length: int | None = None, wait: bool = True) -> bytes:
    """Send a request on a connection of its own; what comes back."""
    size = len(body) if length is None else length
    kind = "Host: x\r\nContent-Type: application/pkixcmp"
    head = f"POST /.well-known/cmp HTTP/1.1\r\n{kind}\r\nContent-Length: {size}\r\n\r\n"
    with connect(running) as client:
        client.sendall(head.encode() + body)
        return client.recv(65536) if wait else b""


def noise(running: RunningServer, chance: random.Random) -> None:
    """Bytes that are no HTTP."""
    with connect(running) as client:
        client.sendall(chance.randbytes(chance.randrange(1, 2000)) + b"\r\n\r\n")
        client.recv(1000)


def no_cmp(running: RunningServer, chance: random.Random) -> None:
    """HTTP with a body that is no CMP."""
    assert b" 400 " in post(running, chance.randbytes(chance.randrange(1, 5000)))


def damaged(running: RunningServer, chance: random.Random) -> None:
    """A CMP message with a few octets changed."""
    message = bytearray(Forger(reference=b"good", secret=b"wrong").request())
    for _ in range(3):
        message[chance.randrange(len(message))] ^= 1 << chance.randrange(8)
    post(running, bytes(message))


def forged(running: RunningServer, _: random.Random) -> None:
    """Well-formed messages of somebody who knows the reference and not the secret."""
    post(running, Forger(reference=b"good", secret=b"wrong").request())


def too_large(running: RunningServer, _: random.Random) -> None:
    """Announces a gigabyte."""
    with contextlib.suppress(OSError):
        post(running, bytes(100_000), 1 << 30)


def silent(running: RunningServer, _: random.Random) -> None:
    """Thirty connections that say nothing, or stop in the middle of a header or a body."""
    begun = (b"", b"POST / HTTP/1.1\r\nContent-", b"POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\nabc")
    with contextlib.ExitStack() as stack:
        for number in range(30):
            client = stack.enter_context(connect(running))
            with contextlib.suppress(OSError):
                client.sendall(begun[number % 3])
        with contextlib.suppress(OSError):
            client.recv(1)  # at most until the server or the patience is over


def gone(running: RunningServer, _: random.Random) -> None:
    """Asks and does not wait for the answer."""
    post(running, Forger(reference=b"bad", secret=b"bad secret").request(), wait=False)


def abandoned(running: RunningServer, _: random.Random) -> None:
    """Gets a certificate, or the word to wait, and never comes back."""
    assert b" 200 " in post(running, Forger(reference=b"bad", secret=b"bad secret").request())


def questions(running: RunningServer, _: random.Random) -> None:
    """General messages that are valid, without end."""
    assert b" 200 " in post(running, Forger(reference=b"bad", secret=b"bad secret").genm())


ATTACKS: dict[str, Attack] = {
    f.__name__: f for f in (noise, no_cmp, damaged, forged, too_large, silent, gone, abandoned, questions)
}


@contextlib.contextmanager
def flood(attack: Attack, running: RunningServer) -> Iterator[list[int]]:
    """Attack from several sides until the block ends; how often it was done."""
    over = threading.Event()
    done = [0] * FLOODERS

    def work(number: int) -> None:
        chance = random.Random(number)
        while not over.is_set():
            # The server may cut short whoever misbehaves.
            with contextlib.suppress(OSError):
                attack(running, chance)
            done[number] += 1
            over.wait(0.005)  # client and server share the interpreter here

    with ThreadPoolExecutor(FLOODERS) as threads:
        flooding = threads.map(work, range(FLOODERS))
        try:
            yield done
        finally:
            over.set()
    list(flooding)  # raises what one of them has raised


def wait_for(done: list[int], times: int) -> None:
    while sum(done) < times:
        threading.Event().wait(0.01)


@pytest.fixture
def ca() -> EmbeddedCA:
    return EmbeddedCA({REFERENCE: SECRET, "bad": "bad secret"})


def enroll(running: RunningServer, count: int, **options: Any) -> None:
    """A client that does everything right."""
    mine = osslcmp.Client(running.url, reference=REFERENCE, secret=SECRET, message_timeout=60, **options)
    for number in range(count):
        name = make_name(f"good {number}")
        assert mine.ir(make_key(), subject=name).certificate.subject == name


@pytest.fixture
def good(tmp_path: Path) -> Callable[[RunningServer], None]:
    """Such clients, ours and OpenSSL's: four certificates."""
    (tmp_path / "key.pem").write_bytes(key_pem(make_key()))

    def work(running: RunningServer) -> None:
        enroll(running, 3)
        options: dict[str, Any] = {"ref": REFERENCE, "secret": SECRET.encode(), "msg_timeout": 60}
        openssl_cmp.cmp(
            "ir", running.url, cwd=tmp_path, newkey="key.pem", subject="/CN=x", certout="cert.pem", **options
        ).must()

    return work


@pytest.mark.peer
@pytest.mark.parametrize("name", ATTACKS)
def test_flood(name: str, ca: EmbeddedCA, good: Callable[[RunningServer], None]) -> None:
    """The good clients get their certificates meanwhile, and afterwards the server is as it was."""
    with ca.server().serve(threads=8, timeout=2, request_time=4) as running:
        with flood(ATTACKS[name], running) as done:
            wait_for(done, 2 if name == "silent" else 20)
            good(running)
        enroll(running, 1)
    mine = [record for record in ca.records if record.reference == REFERENCE.encode()]
    assert len(mine) == 5
    assert all(record.confirmed for record in mine)


@pytest.mark.peer
def test_flood_of_waiting_transactions(ca: EmbeddedCA, good: Callable[[RunningServer], None]) -> None:
    """More than there may be, that are told to wait and never come. One client cannot have them all, so good ones go
    on; and after some time the others are forgotten."""
    server = ca.server(max_transactions=40, transaction_timeout=30)
    let_wait = waiting(100, check_after=0)
    ca.policy = lambda request: let_wait(request) if request.reference == b"bad" else None
    with server.serve() as running:
        with flood(abandoned, running) as done:
            wait_for(done, 60)
            assert server.open_transactions == 30
            good(running)
        answer = read(server.process(Forger(reference=b"bad", secret=b"bad secret").request()))
        assert FailureInfo(answer.failure) == FailureInfo.systemUnavail
        table = server.transactions.table
        for transaction in filter(None, map(table.get, table.ids())):
            transaction.deadline = 0.0
        while server.open_transactions:  # the running server itself tidies up
            threading.Event().wait(0.05)
        good(running)


@pytest.mark.peer
def test_flood_over_tls(
    ca: EmbeddedCA, good: Callable[[RunningServer], None], pki: PKI, web: Identity
) -> None:
    """Half a handshake, or none."""
    from osslcmp.server import ServerTLS

    tls = ServerTLS(certificate=web.full_chain_file, key=web.key_file)

    def half(running: RunningServer, chance: random.Random) -> None:
        with connect(running) as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01" + chance.randbytes(50) * chance.randrange(2))
            client.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                client.recv(10)

    trust = osslcmp.TLS(trusted=pki.root.certificate)
    with ca.server().serve(threads=4, timeout=2, tls=tls) as running, flood(half, running) as done:
        wait_for(done, 8)
        enroll(running, 3, tls=trust)


def test_memory_of_a_flood(ca: EmbeddedCA) -> None:
    """What forged and abandoned messages leave behind is bounded."""
    server = ca.server(max_transactions=20)
    for _ in range(200):
        server.process(Forger(reference=b"good", secret=b"wrong").request())
        server.process(Forger(reference=b"bad", secret=b"bad secret").message(GENM, b"\x30\x00"))
    for _ in range(40):
        server.process(Forger(reference=b"bad", secret=b"bad secret").request())
    assert server.open_transactions == 15
    assert len(ca.records) == 15


def test_many_ask_for_a_large_crl() -> None:
    """It is encoded once, and kept once for all who do not read it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    large = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(3_000_000))
    builder = x509.CertificateRevocationListBuilder(
        make_name("CA"), now, now, [x509.Extension(large.oid, False, large)]
    )
    key = make_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    crl = builder.sign(key, hashes.SHA256())

    class Revoking(EmbeddedCA):
        def crl(self) -> x509.CertificateRevocationList:
            return crl

    with Revoking().server(downloads=True).serve(threads=4) as running, contextlib.ExitStack() as clients:
        before = allocated()
        for _ in range(40):
            client = clients.enter_context(connect(running))
            client.sendall(b"GET /crl.pem HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(10)
        after = allocated()
    if before is not None and after is not None:
        assert after - before < 40_000_000
