"""A request in small pieces is read the more seldom, the more pieces there are, and whole in the end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from support.forge import Forger
from support.pki import PKI, Identity

from osslcmp.server import EmbeddedCA, RunningServer, ServerTLS
from osslcmp.server.http.pacing import PacedStream

MESSAGE = Forger(reference=b"r", secret=b"s").request()
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\nConnection: close\r\n"


@pytest.fixture(params=["http", "https"])
def running(request: pytest.FixtureRequest, web: Identity) -> Iterator[RunningServer]:
    tls = None
    if request.param == "https":
        tls = ServerTLS(certificate=web.full_chain_file, key=web.key_file)
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


def chunked(chunks: list[bytes]) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def test_small_chunks(running: RunningServer, pki: PKI) -> None:
    """As many as are needed to send a message that is not long, whether they come at once or one by one."""
    whole = chunked(cut(MESSAGE, 16))
    assert ask(running, pki, [whole], 0).startswith(b"HTTP/1.1 200 ")
    assert ask(running, pki, cut(whole, 40), 0.005).startswith(b"HTTP/1.1 200 ")


def test_tiny_chunks(running: RunningServer, pki: PKI) -> None:
    """Each costs as much as a large one, however many come at once: they are refused."""
    assert ask(running, pki, [chunked(cut(MESSAGE, 1))], 0).startswith(b"HTTP/1.1 400 ")


def test_large_chunks(running: RunningServer, pki: PKI) -> None:
    """As others send them, of a body that is too long to come at once."""
    whole = chunked([bytes(0x2000)] * 20 + [bytes(256)] * 300)
    answer = ask(running, pki, cut(whole, 3000), 0)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: text/plain" in answer  # whole, and no message


def test_pipelined(running: RunningServer, pki: PKI) -> None:
    """A few requests may come at once; many are cut short, and the rest of what has come is not even looked at."""
    length = b"Content-Length: %d\r\n\r\n" % len(MESSAGE)
    kept = HEAD.replace(b"Connection: close\r\n", b"") + length + MESSAGE
    few = ask(running, pki, [kept * 3 + HEAD + length + MESSAGE], 0)
    assert few.count(b"HTTP/1.1 200 ") == 4
    asking = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
    many = ask(running, pki, [asking * 500], 0)
    assert many.count(b"HTTP/1.1 405 ") in range(4, 50)
    assert many.count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize("pause", [0, 0.5])
def test_large_after_another(pause: float, running: RunningServer, pki: PKI) -> None:
    """More than is read ahead, whether it comes with the request before or when that has been answered."""
    length, large = b"Content-Length: %d\r\n\r\n", MESSAGE + bytes(200_000)
    kept = HEAD.replace(b"Connection: close\r\n", b"") + length % len(MESSAGE) + MESSAGE
    answer = ask(running, pki, [kept, HEAD + length % len(large) + large], pause)
    assert (answer.count(b"HTTP/1.1 200 "), answer.count(b"HTTP/1.1 400 ")) == (1, 1)
    assert b"Content-Type: text/plain" in answer  # whole, and no message


@pytest.mark.parametrize("body", [False, True])
def test_arrivals(body: bool) -> None:
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
        if body:
            stream.expect_body()
        reading = asyncio.ensure_future(stream.read_until(b"the end"))
        with theirs:
            for _ in range(150):
                theirs.send(b"x")
                await asyncio.sleep(0.002)
            stream.begin()  # and no pause is left over
            theirs.send(b"the end")
            data = await asyncio.wait_for(reading, 60)
        assert data == b"x" * 150 + b"the end"
        stream.close()

    asyncio.run(serve())
    assert len(reads) < 60
