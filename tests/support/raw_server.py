"""Servers that are none, or faulty ones: raw sockets that answer HTTP requests with whatever a test wants.

`RawServer` gives each connection to a handler in one background thread; ready-made handlers are below.
`recording` posts to a real server like HTTP does, as a client's ``transport``, and keeps what went over the
wire.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import final
from urllib.parse import urlsplit

Handler = Callable[[socket.socket, bytes], None]


def free_port() -> int:
    """A port on loopback where nobody listens (right now), for one server after the other."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def response(
    body: bytes,
    *,
    status: str = "200 OK",
    content_type: str | None = "application/pkixcmp",
    length: int | None = None,
    headers: str = "",
) -> bytes:
    """An HTTP/1.0 response; `length` is a Content-Length that need not be true, -1 leaves it out."""
    lines = [f"HTTP/1.0 {status}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return ("\r\n".join(lines) + "\r\n" + headers + "\r\n").encode() + body


def say(data: bytes) -> Handler:
    """Send `data` and close."""
    return lambda connection, _request: connection.sendall(data)


def reset(connection: socket.socket, _request: bytes) -> None:
    """Close with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(connection: socket.socket, _request: bytes) -> None:
    """Say nothing until the client goes."""
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def trickle(data: bytes, pause: float = 0.05) -> Handler:
    """Send `data` one byte at a time."""

    def handler(connection: socket.socket, _request: bytes) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return handler


def read_request(connection: socket.socket) -> bytes:
    """The whole HTTP request, header and body, or what came until the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    header, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            break
        body += chunk
    return header + b"\r\n\r\n" + body


@final
class RawServer:
    """Answers every connection with `handler`, one after the other. `requests` keeps what was read."""

    def __init__(self, handler: Handler, *, read: bool = True) -> None:
        self.handler = handler
        self.read = read
        self.requests: list[bytes] = []
        self._open: socket.socket | None = None
        self._stopping = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/pkix/"

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if (connection := self._open) is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _serve(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open = connection
            with connection, contextlib.suppress(OSError):
                request = read_request(connection) if self.read else b""
                self.requests.append(request)
                self.handler(connection, request)
            self._open = None


@dataclass
class Recording:
    """A client's transport that posts to a real server and keeps all messages (DER)."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    responses: list[bytes] = field(default_factory=list)
    change: Callable[[bytes], bytes] | None = None
    """What to do to a response before the client gets it."""

    def __call__(self, request: bytes) -> bytes:
        self.requests.append(request)
        where = urlsplit(self.url)
        assert where.hostname is not None
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        try:
            headers = {"Content-Type": "application/pkixcmp", "Connection": "close"}
            connection.request("POST", where.path, request, headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, f"HTTP {answer.status}: {body[:200]!r}"
        finally:
            connection.close()
        self.responses.append(body)
        return self.change(body) if self.change else body
