"""A function on DER over HTTP: quick to start and to stop, keeps connections, takes many at once."""

from __future__ import annotations

import contextlib
import http.server
import socket
import time
from collections.abc import Callable
from typing import Any, final

import osslcmp

from .https import Background


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # with less it never keeps a connection
    server: _HTTPServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(body)
        keep = self.headers.get("Connection", "").lower() == "keep-alive"
        self.close_connection = not keep
        self.send_response(200)
        self.send_header("Content-Type", "application/pkixcmp")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "keep-alive" if keep else "close")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


class _HTTPServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[[bytes], bytes]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections: list[socket.socket] = []
        self.open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.open.discard(request)

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


@final
class Served(Background):
    """``with Served(peer) as server``: the function answers at ``server.port`` until the block ends."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._http = _HTTPServer()
        self._http.answer = answer
        super().__init__(self._http)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/pkix/"

    @property
    def connections(self) -> int:
        """How many it has taken so far."""
        return len(self._http.connections)

    def gone(self, within: float = 10.0) -> bool:
        """Whether all clients have closed their connections, or do so in that many seconds."""
        deadline = time.monotonic() + within
        while self._http.open and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self._http.open

    def point(self, context: osslcmp.Context) -> osslcmp.Context:
        """Make this the server of ``context``. Returns the context."""
        context.set_server("127.0.0.1")
        context.set_server_port(self.port)
        context.set_server_path("pkix/")
        context.set_no_proxy("*")
        return context

    def __exit__(self, *_: object) -> None:
        for connection in self._http.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().__exit__()
