"""The threaded HTTP server (cheroot) as CMP needs it: nobody who is slow, silent or gone keeps a thread for long."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from cheroot import server as cheroot_server
from cheroot import wsgi
from cheroot.makefile import StreamReader, StreamWriter
from cheroot.ssl.builtin import BuiltinSSLAdapter

__all__ = ["make"]

MAX_HEADER_SIZE = 16 * 1024
MAX_IDLE_CONNECTIONS = 500
SPARE_CONNECTIONS = 200

logger = logging.getLogger("osslcmp.server")


class _Timer:
    """How long one side may take; shared by both directions of a connection."""

    def __init__(self, sock: Any, pause: float, total: float) -> None:
        self._socket = sock
        self._pause = pause
        self._total = total
        self._until = 0.0
        self._writing = False

    def begin(self) -> None:
        """A request begins."""
        self._until = time.monotonic() + self._total
        self._writing = False

    def limit(self, *, writing: bool) -> None:
        """Before the socket is read or written: bound it by the pause and by what is left of the total."""
        if writing and not self._writing:  # the time that the answer took is not the client's fault
            self._until = time.monotonic() + self._total
            self._writing = True
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(min(left, self._pause))


class _TimedIO(socket.SocketIO):
    """A socket as a file, under a timer."""

    def __init__(self, sock: Any, mode: Any, timer: _Timer) -> None:
        super().__init__(sock, mode)
        self._timer = timer

    def readinto(self, buffer: Any) -> int | None:
        self._timer.limit(writing=False)
        return super().readinto(buffer)

    def write(self, data: Any) -> int | None:
        self._timer.limit(writing=True)
        return super().write(data)


class _Reader(StreamReader):  # type: ignore[misc,unused-ignore]
    def __init__(self, raw: _TimedIO, size: int) -> None:
        super(StreamReader, self).__init__(raw, size)
        self.bytes_read = 0


class _Writer(StreamWriter):  # type: ignore[misc,unused-ignore]
    def __init__(self, raw: _TimedIO, size: int) -> None:
        super(StreamWriter, self).__init__(raw, size)
        self.bytes_written = 0


class _HeaderReader(cheroot_server.HeaderReader):  # type: ignore[misc,unused-ignore]
    """Cheroot keeps an HTTP/1.0 connection only for ``Keep-Alive``; OpenSSL's client writes ``keep-alive``."""

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        found = super().__call__(rfile, hdict)
        value = found.get(b"Connection", b"").lower()
        if value in (b"keep-alive", b"close"):
            found[b"Connection"] = {b"keep-alive": b"Keep-Alive"}.get(value, value)
        return found


class _Request(cheroot_server.HTTPRequest):  # type: ignore[misc,unused-ignore]
    header_reader = _HeaderReader()


class _Connection(cheroot_server.HTTPConnection):  # type: ignore[misc,unused-ignore]
    RequestHandlerClass = _Request

    def __init__(self, server: Any, sock: Any, _makefile: Any = None) -> None:
        super().__init__(server, sock, self._file)
        self._shaken = not isinstance(sock, ssl.SSLSocket)

    def _file(self, sock: Any, mode: str, size: int) -> Any:
        if "r" in mode:
            self._timer = _Timer(sock, self.server.timeout, self.server.request_time)
            return _Reader(_TimedIO(sock, "r", self._timer), size)
        return _Writer(_TimedIO(sock, "w", self._timer), size)

    def communicate(self) -> Any:
        self._timer.begin()
        if not self._shaken:
            # Here and not where connections are accepted: a client who is silent must not stop the others.
            self.socket.settimeout(self.server.timeout)
            try:
                self.socket.do_handshake()
            except (OSError, ValueError) as error:
                logger.info("no TLS with a client: %s", error)
                return False
            self._shaken = True
            self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)
            self._timer.begin()
        return super().communicate()  # type: ignore[no-untyped-call,unused-ignore]

    def close(self) -> None:
        # What could not be written before the client went away would be tried again by the garbage
        # collector, which complains on stderr.
        with suppress(OSError, ValueError):
            self.wfile.close()
        super().close()


class _TLS(BuiltinSSLAdapter):  # type: ignore[misc,unused-ignore]
    """Takes a context as it is, and leaves the handshake to the thread that works on the connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._server_env: dict[str, str] = {}

    def wrap(self, sock: Any) -> tuple[Any, dict[str, Any]]:
        return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}


class _Server(wsgi.Server):
    ConnectionClass = _Connection
    request_time: float = 60.0
    _connections: Any

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()  # cheroot leaves that to the garbage collector
            raise
        return socket_

    def prepare(self) -> None:
        super().prepare()  # type: ignore[no-untyped-call,unused-ignore]
        expire = self._connections._expire

        def expire_and_make_room(threshold: float) -> None:
            expire(threshold)
            idle = [c for _, c in self._connections._selector.connections if c is not self]
            if len(idle) > MAX_IDLE_CONNECTIONS:
                idle.sort(key=lambda c: c.last_used)
                # Who has been idle for longest goes first; expire() closes what is older than its argument.
                expire(idle[len(idle) - MAX_IDLE_CONNECTIONS].last_used)

        self._connections._expire = expire_and_make_room

    def process_conn(self, conn: Any) -> None:
        # A new connection waits with the idle ones until its client has said something. Cheroot would
        # give it a thread at once, so that a few clients who only connect could stop all others.
        if conn.last_used is None:
            if len(self._connections._selector) > MAX_IDLE_CONNECTIONS + SPARE_CONNECTIONS:
                conn.close()  # before the process runs out of file descriptors
                return
            self.put_conn(conn)
        else:
            super().process_conn(conn)


def make(
    app: Callable[..., Iterable[bytes]],
    host: str,
    port: int,
    *,
    limit: int,
    threads: int,
    timeout: float,
    request_time: float,
    tls: ssl.SSLContext | None,
    reuse_port: bool,
) -> Any:
    """The server, not started. The arguments are those of ``http.serve``."""
    server = _Server(
        (host, port),
        app,
        numthreads=threads,
        server_name="osslcmp",
        request_queue_size=128,
        timeout=timeout,  # type: ignore[arg-type]  # seconds for settimeout(), any fraction
        shutdown_timeout=5,
        reuse_port=reuse_port,
    )
    server.request_time = request_time
    server.max_request_header_size = MAX_HEADER_SIZE
    # A body far too large is not read; one a little too large gets the answer of the application, 413.
    server.max_request_body_size = 2 * limit
    server.keep_alive_conn_limit = MAX_IDLE_CONNECTIONS
    server.expiration_interval = 0.1
    server.error_log = _log  # type: ignore[method-assign]
    if tls is not None:
        server.ssl_adapter = _TLS(tls)
    return server


def _log(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    """Cheroot's log, into ours."""
    logger.log(level, "%s", msg, exc_info=traceback)
