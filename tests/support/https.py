"""HTTP and HTTPS on loopback with Python's own ``ssl``: a CMP server, and a proxy.

Both run in background threads and write down what they saw.
"""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .pki import Identity

Process = Callable[[bytes], bytes]
_Self = TypeVar("_Self", bound="Background")


class Background:
    """A server that answers in a thread, within a ``with`` block."""

    def __init__(self, listener: socketserver.TCPServer) -> None:
        self.port: int = listener.server_address[1]
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self: _Self) -> _Self:  # noqa: PYI019 - Python 3.10 has no Self
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(10)


def server_context(identity: Identity, *, chain: bool = True, **settings: Any) -> ssl.SSLContext:
    """TLS for a server with this certificate; ``settings`` are attributes of the context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.full_chain_file if chain else identity.cert_file, identity.key_file)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def has_ipv6() -> bool:
    """Whether one can listen on ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def _linger(connection: ssl.SSLSocket) -> None:
    """Close such that the client gets our alert: not while there is something to read, that would be a reset."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_WR)
        connection.settimeout(5)
        while socket.socket.recv(connection, 4096):
            pass
    connection.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        owner = self.server.owner
        if owner.tls is not None:
            secured = owner.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
            try:
                secured.do_handshake()
            except OSError:
                _linger(secured)
                raise
            self.request = secured
        super().setup()
        with owner.lock:
            owner.connections += 1
        if isinstance(self.request, ssl.SSLSocket):
            owner.versions.append(self.request.version() or "")
            owner.ciphers.append((self.request.cipher() or ("",))[0])
            owner.peers.append(self.request.getpeercert(binary_form=True))

    def do_POST(self) -> None:
        owner = self.server.owner
        owner.requests.append(self.requestline)
        owner.headers.append(dict(self.headers.items()))
        body = owner.process(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(owner.status)
        self.send_header("Content-Type", "application/pkixcmp")
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get("Connection", "").lower() == "keep-alive":
            self.send_header("Connection", "keep-alive")
        elif self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            # Returns only if the client has said goodbye.
            with contextlib.suppress(OSError, ValueError):
                self.request.unwrap()
                self.server.owner.goodbyes += 1
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
    owner: WebServer

    def handle_error(self, *_: Any) -> None:
        """A client that goes away, or does not get through the handshake."""


class WebServer(Background):
    """Answers POST requests with ``process``, over TLS if there is a context for it."""

    def __init__(self, process: Process, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.process = process
        self.tls = tls
        self.status = 200
        self.lock = threading.Lock()
        self.connections = 0
        self.goodbyes = 0
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.versions: list[str] = []
        self.ciphers: list[str] = []
        self.names: list[str | None] = []
        self.peers: list[bytes | None] = []
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = type("Listener", (_Listener,), {"address_family": family})
        made: _Listener = listener((host, 0), _Handler)
        made.owner = self
        super().__init__(made)

    def url(self, host: str = "127.0.0.1", path: str = "/.well-known/cmp") -> str:
        """Where it answers, under this name."""
        return f"http{'s' if self.tls else ''}://{host}:{self.port}{path}"


class _ProxyHandler(socketserver.StreamRequestHandler):
    server: _ProxyListener

    def handle(self) -> None:
        owner = self.server.owner
        line = self.rfile.readline().decode("latin-1").strip()
        headers: list[str] = []
        while (header := self.rfile.readline().decode("latin-1").strip()) != "":
            headers.append(header)
        owner.requests.append(line)
        owner.headers.append(headers)
        if owner.silent:
            with contextlib.suppress(OSError):
                self.connection.recv(1)
            return
        wanted = f"proxy-authorization: basic {owner.credentials}".lower()
        if owner.credentials and wanted not in [header.lower() for header in headers]:
            self.wfile.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
                b"Content-Type: text/html\r\nContent-Length: 2\r\n\r\nno"
            )
            return
        if owner.answer is not None:
            self.wfile.write(owner.answer)
            return
        method, target, _ = line.split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            self._tunnel(host.strip("[]"), int(port), b"")
        else:
            self._forward(method, target, headers)

    def _forward(self, method: str, target: str, headers: list[str]) -> None:
        url = urlsplit(target)
        assert url.hostname is not None
        kept = [header for header in headers if not header.startswith("Proxy-")]
        head = "\r\n".join([f"{method} {url.path} HTTP/1.0", *kept, "", ""]).encode("latin-1")
        self._tunnel(url.hostname, url.port or 80, head)

    def _tunnel(self, host: str, port: int, head: bytes) -> None:
        with socket.create_connection((host, port), timeout=20) as onward:
            if head:
                onward.sendall(head + self.rfile.read1())
            else:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
            both = [self.connection, onward]
            while True:
                for ready in select.select(both, [], [], 20)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    both[1 - both.index(ready)].sendall(data)


class _ProxyListener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: Proxy

    def handle_error(self, *_: Any) -> None:
        """A client that goes away."""


class Proxy(Background):
    """An HTTP proxy: forwards one request with an absolute URI per connection, makes tunnels for CONNECT."""

    def __init__(
        self, *, credentials: str | None = None, answer: bytes | None = None, silent: bool = False
    ) -> None:
        self.credentials = credentials
        self.answer = answer
        self.silent = silent
        self.requests: list[str] = []
        self.headers: list[list[str]] = []
        made = _ProxyListener(("127.0.0.1", 0), _ProxyHandler)
        made.owner = self
        super().__init__(made)

    def url(self, user: str = "") -> str:
        """``http://[user@]127.0.0.1:port``."""
        return f"http://{user}{'@' if user else ''}127.0.0.1:{self.port}"
