"""``osslcmp cmp -port``: the mock server over HTTP."""

from __future__ import annotations

import itertools
import os
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ...errors import CMPError
from .console import Console, Failure
from .mock import MockServer

if TYPE_CHECKING:
    from .context import Run

_TYPE = "application/pkixcmp"
_LIMIT = 1 << 20
_IDLE = 60
#: What int() takes for sure: it refuses some of what str.isdigit() lets through, and thousands of digits.
_NUMBER = re.compile("[0-9]{1,18}")


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, mock: MockServer, console: Console, limit: int) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.mock = mock
        self.console = console
        self.limit = limit
        self.numbers = itertools.count(1)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that the connection can be kept; OpenSSL's client speaks 1.0
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE
    server: _Server

    def do_POST(self) -> None:
        """A CMP message."""
        length = self.headers.get("Content-Length", "")
        if not _NUMBER.fullmatch(length) or int(length) > _LIMIT:
            self._refuse(400, "Bad Request")
            return
        body = self.rfile.read(int(length))
        path = unquote(self.path).lstrip("/")
        if path.endswith("/"):
            path = path.rstrip("/") + "/"
        if path not in ("", "pkix/"):
            self.server.console.error(f"expecting empty path or 'pkix/' but got '{path}'")
            self._refuse(404, "Not Found")
            return
        number, limit = next(self.server.numbers), self.server.limit
        if 0 < limit < number:
            self._refuse(503, "Service Unavailable")
            return
        try:
            answer = self.server.mock.process(body)
        except (ValueError, CMPError, OSError) as error:
            self.server.console.error(str(error))
            bad = isinstance(error, ValueError)
            self._refuse(400 if bad else 500, "Bad Request" if bad else "Internal Server Error")
        else:
            self.send_response(200, "OK")
            if not self.close_connection:
                self.send_header("Connection", "keep-alive")
            self.send_header("Content-type", _TYPE)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
        if number == limit:
            threading.Thread(target=self.server.shutdown).start()

    def _refuse(self, code: int, reason: str) -> None:
        self.close_connection = True
        self.send_response(code, reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        self.server.console.debug(f"HTTP: {format % args}")


def _listen(where: str) -> socket.socket:
    """``port`` on all addresses, as the original, or ``address:port``. Raises Failure."""
    host, _, port = where.rpartition(":")
    if not _NUMBER.fullmatch(port) or int(port) > 0xFFFF:
        raise Failure(f"-port: '{where}' is no port and not of the form address:port")
    host = host.strip("[]")
    try:
        if host:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, int(port)), family=family)
        if socket.has_dualstack_ipv6():
            return socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", int(port)))
    except OSError as error:
        raise Failure(f"cannot listen on {where}: {error.strerror}") from error


def serve(run: Run) -> None:
    """Serve until interrupted, or until ``-max_msgs``. Raises Failure, CMPError."""
    mock = MockServer(run)
    listener = _listen(run.opt.text("port") or "")
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    print(f"ACCEPT {shown}:{port} PID={os.getpid()}", flush=True)
    with _Server(listener, mock, run.console, run.opt.number("max_msgs")) as server:
        server.serve_forever(poll_interval=0.1)
