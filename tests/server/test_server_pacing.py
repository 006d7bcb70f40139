"""A request in small pieces is read the more seldom, the more pieces there are, and whole in the end."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from cryptography import x509
from support.forge import Forger
from support.pki import PKI

from osslcmp.server import EmbeddedCA, RunningServer, ServerTLS
from osslcmp.server.http.pacing import PacedStream

MESSAGE = Forger(reference=b"r", secret=b"s").request()
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\nConnection: close\r\n"


@pytest.fixture(params=["http", "https"])
def running(request: pytest.FixtureRequest, pki: PKI) -> Iterator[RunningServer]:
    tls = None
    if request.param == "https":
        mine = pki.issue("paced", pki.issuing, sans=[x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
        tls = ServerTLS(certificate=mine.full_chain_file, key=mine.key_file)
    with EmbeddedCA({"r": "s"}).server().serve(tls=tls) as running:
        yield running


def ask(running: RunningServer, pki: PKI, pieces: list[bytes], pause: float) -> bytes:
    """The answer to a request that comes so."""
    client = socket.create_connection((running.host, running.port), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if running.url.startswith("https"):
        client = ssl.create_default_context(cafile=str(pki.root.cert_file)).wrap_socket(
            client, server_hostname="127.0.0.1"
        )
    answer = b""
    with client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(pause)
        while more := client.recv(65536):
            answer += more
    return answer


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_body_in_many_pieces(running: RunningServer, pki: PKI) -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(MESSAGE)
    assert ask(running, pki, [head, *cut(MESSAGE, 20)], 0.01).startswith(b"HTTP/1.1 200 ")


def test_header_in_many_pieces(running: RunningServer, pki: PKI) -> None:
    head = HEAD + b"X-Y: z\r\n" * 20 + b"Content-Length: %d\r\n\r\n" % len(MESSAGE)
    assert ask(running, pki, [*cut(head, 12), MESSAGE], 0.01).startswith(b"HTTP/1.1 200 ")


def test_tiny_chunks(running: RunningServer, pki: PKI) -> None:
    """All at once: they have come, and nobody needs to wait."""
    body = b"".join(b"1\r\n%c\r\n" % octet for octet in MESSAGE) + b"0\r\n\r\n"
    whole = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body
    assert ask(running, pki, [whole], 0).startswith(b"HTTP/1.1 200 ")


def test_large_chunks(running: RunningServer, pki: PKI) -> None:
    """As others send them, of a body that is too long to come at once."""
    chunk = b"2000\r\n" + bytes(0x2000) + b"\r\n"
    whole = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 30 + b"0\r\n\r\n"
    begun = time.monotonic()
    assert ask(running, pki, cut(whole, 3000), 0).startswith(b"HTTP/1.1 400 ")  # it is no message
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(("piece", "chunked"), [(b"x", None), (b"x", False), (b"1\r\nx\r\n" * 20, True)])
def test_arrivals(piece: bytes, chunked: bool | None) -> None:
    """Of 150 only some are looked at one by one."""
    reads = []

    class Counted(PacedStream):
        def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
            size = super().read_from_fd(buf)
            if size:
                reads.append(size)
            return size

    async def serve() -> None:
        ours, theirs = socket.socketpair()
        stream = Counted(ours, read_chunk_size=65536)
        stream.begin()
        if chunked is not None:
            stream.expect(chunked=chunked)
        reading = asyncio.ensure_future(stream.read_until(b"the end"))
        with theirs:
            for _ in range(150):
                theirs.send(piece)
                await asyncio.sleep(0.002)
            stream.begin()  # and no pause is left over
            theirs.send(b"the end")
            data = await asyncio.wait_for(reading, 60)
        assert data == piece * 150 + b"the end"
        stream.close()

    asyncio.run(serve())
    assert len(reads) < 60
