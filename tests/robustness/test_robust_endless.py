"""A peer that always has something to say: timeouts, cancellation and signals count all the same.

Each handler goes on until the client has gone. Nothing here measures time but that it ends.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import pytest
from support.alarm import AlarmError, alarm
from support.clients import secret_context
from support.pki import PKI, make_key
from support.raw_server import Handler, RawServer, read_request

import osslcmp
from osslcmp import Option, transport

TIMEOUT = 2
#: Seconds after which a call counts as one that does not end: what it needs on a busy machine besides its timeout.
HANG = 20


def endless(data: bytes, pause: float = 0.0, head: bytes = b"") -> Handler:
    """``head``, and then ``data`` again and again."""

    def handle(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(data)
            time.sleep(pause)

    return handle


#: What a client of TLS 1.2 and before may ignore at any time: 16 KiB of them in a record.
HELLO_REQUESTS = (b"\x16\x03\x03\x40\x00" + bytes(0x4000)) * 4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\n"
ANSWER = HEAD + b"Content-Length: 90000\r\n\r\n" + b"\x30\x83\x01\x5f\x8b"

ENDLESS: dict[str, tuple[str, Callable[[], Handler]]] = {
    "interim answers": ("http", lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)),
    "large interim answers": (
        "http",
        lambda: endless(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 30000 + b"\r\n\r\n"),
    ),
    "interim answers, slowly": ("http", lambda: endless(b"HTTP/1.1 102 Processing\r\n\r\n", 0.05)),
    "header lines, slowly": ("http", lambda: endless(b"X: y\r\n", 0.01, HEAD)),
    "a header, octet by octet": ("http", lambda: endless(b"x", 0.01, HEAD)),
    "a body, octet by octet": ("http", lambda: endless(b"\x04", 0.01, ANSWER)),
    "empty chunks": (
        "http",
        lambda: endless(b"0\r\n\r\n", 0.01, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    ),
    "HelloRequests": ("https", lambda: endless(HELLO_REQUESTS)),
    "HelloRequests, slowly": ("https", lambda: endless(b"\x16\x03\x03\x00\x04" + bytes(4), 0.01)),
    "a TLS record, octet by octet": ("https", lambda: endless(b"\x00", 0.01, b"\x16\x03\x03\x40\x00")),
}


CASES = [(name, False) for name in ENDLESS] + [
    (name, True) for name, (scheme, _) in ENDLESS.items() if scheme == "http" and "body" not in name
]


@pytest.mark.parametrize(("name", "proxy"), CASES)
def test_timeout(name: str, proxy: bool, pki: PKI) -> None:
    """No peer keeps a call for longer than its timeout, a proxy that is asked for a tunnel no more than a server."""
    scheme, handler = ENDLESS[name]
    with RawServer(handler(), read=scheme == "http") as server:
        url = server.url.replace("http", scheme, 1)
        options: dict[str, object] = {"tls": pki.root.certificate} if scheme == "https" else {}
        if proxy:
            url, options = "https://cmp.invalid/", {"proxy": f"127.0.0.1:{server.port}"}
        client = osslcmp.Client(url, reference=b"r", secret=b"s", message_timeout=TIMEOUT, **options)  # type: ignore[arg-type]
        begun = time.monotonic()
        with pytest.raises(osslcmp.TransferError):
            client.ir(make_key(), subject="CN=x")
        assert time.monotonic() - begun < HANG


@pytest.fixture
def context(pki: PKI) -> osslcmp.Context:
    """A context without any timeout."""
    context = secret_context()
    context.set_server("127.0.0.1")
    context.set_subject_name("CN=x")
    context.set_new_pkey(make_key())
    context.set_option(Option.MSG_TIMEOUT, 0)
    context.set_option(Option.TOTAL_TIMEOUT, 0)
    return context


@pytest.mark.parametrize("name", ["HelloRequests", "header lines, slowly", "a body, octet by octet"])
def test_cancelled(name: str, context: osslcmp.Context, pki: PKI) -> None:
    """From another thread, while there is always something to read."""
    scheme, handler = ENDLESS[name]
    with RawServer(handler(), read=scheme == "http") as server:
        context.set_server_port(server.port)
        if scheme == "https":
            context.set_tls(osslcmp.TLS(trusted=pki.root.certificate))
        timer = threading.Timer(0.5, context.cancel)
        timer.start()
        with pytest.raises(osslcmp.TransferError, match="cancelled"):
            context.exec_ir_ses()
        timer.join()


@pytest.mark.parametrize("name", ["HelloRequests", "a body, octet by octet"])
def test_signal(name: str, context: osslcmp.Context, pki: PKI) -> None:
    """A handler that raises ends the call."""
    scheme, handler = ENDLESS[name]
    with RawServer(handler(), read=scheme == "http") as server:
        context.set_server_port(server.port)
        if scheme == "https":
            context.set_tls(osslcmp.TLS(trusted=pki.root.certificate))
        with alarm(0.5), pytest.raises(AlarmError):
            context.exec_ir_ses()


LIBRARIES = [
    "interim answers",
    "large interim answers",
    "interim answers, slowly",
    "a header, octet by octet",
    "a body, octet by octet",
]


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("library", ["httpx", "urllib3"])
@pytest.mark.parametrize("kept", [False, True])
def test_http_libraries(name: str, library: str, kept: bool) -> None:
    """Their own timeouts count anew with each octet; ours do not, on a connection that was kept, too."""
    _, handler = ENDLESS[name]
    make = {"httpx": transport.HttpxTransport, "urllib3": transport.Urllib3Transport}[library]
    pytest.importorskip(library)
    first = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nContent-Length: 2\r\n\r\n\x30\x00"

    def twice(connection: socket.socket, request: bytes) -> None:
        if kept:
            connection.sendall(first)
            read_request(connection)
        handler()(connection, request)

    with RawServer(twice) as server, make(server.url, timeout=TIMEOUT) as carry:
        if kept:
            assert carry(b"\x30\x00") == b"\x30\x00"
        begun = time.monotonic()
        with pytest.raises(osslcmp.TransferError):
            carry(b"\x30\x00")
        assert time.monotonic() - begun < HANG


@pytest.mark.parametrize("name", LIBRARIES)
def test_async_library(name: str) -> None:
    """The same with asyncio."""
    pytest.importorskip("httpx")

    async def ask(url: str) -> None:
        async with transport.AsyncHttpxTransport(url, timeout=TIMEOUT) as carry:
            await carry(b"\x30\x00")

    with RawServer(ENDLESS[name][1]()) as server:
        begun = time.monotonic()
        with pytest.raises(osslcmp.TransferError):
            asyncio.run(ask(server.url))
        assert time.monotonic() - begun < HANG
