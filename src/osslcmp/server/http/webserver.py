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

from ..._text import get_logger
from .arriving import Arriving

__all__ = ["make"]

MAX_HEADER_SIZE = 16 * 1024
MAX_IDLE_CONNECTIONS = 500
SPARE_CONNECTIONS = 200
MAX_WAITING_CONNECTIONS = 500
_PIECE = 64 * 1024

logger = get_logger("osslcmp.server")


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
    """A socket as a file, under a timer. What has arrived before is read first."""

    def __init__(self, sock: Any, mode: Any, timer: _Timer) -> None:
        super().__init__(sock, mode)
        self._timer = timer
        self.arrived = memoryview(b"")

    def readinto(self, buffer: Any) -> int | None:
        size = min(len(buffer), len(self.arrived))
        if size:
            buffer[:size] = self.arrived[:size]
            self.arrived = self.arrived[size:]
            return size
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

    def respond(self) -> None:
        # Without reading the body first, as cheroot would do before it sent the application's answer.
        if (
            not self.chunked_read
            and int(self.inheaders.get(b"Content-Length", 0)) > self.server.message_limit
        ):
            self.simple_response("413 Request Entity Too Large", "the message is too large\n")
            return
        super().respond()

    def send_headers(self) -> None:
        # Cheroot answers HTTP/1.0 clients with a status line of 1.1, which OpenSSL's takes for a connection that stays.
        self.close_connection = self.close_connection or not self.server.can_add_keepalive_connection
        if self.close_connection and not any(name.lower() == b"connection" for name, _ in self.outheaders):
            self.outheaders.append((b"Connection", b"close"))
        super().send_headers()


class _Connection(cheroot_server.HTTPConnection):  # type: ignore[misc,unused-ignore]
    """A thread takes what has arrived, and works only on requests that are there whole; else the connection goes back
    to the idle ones until more comes. So slow clients cost no thread, however many they are."""

    RequestHandlerClass = _Request

    def __init__(self, server: Any, sock: Any, _makefile: Any = None) -> None:
        super().__init__(server, sock, self._file)
        self._shaken = not isinstance(sock, ssl.SSLSocket)
        self._arriving = Arriving(server.max_request_header_size, server.message_limit)
        self.begun: float | None = None
        """When the request that is arriving has begun, in seconds of the monotonic clock."""

    def _file(self, sock: Any, mode: str, size: int) -> Any:
        if "r" in mode:
            self._timer = _Timer(sock, self.server.timeout, self.server.request_time)
            self._raw = _TimedIO(sock, "r", self._timer)
            return _Reader(self._raw, size)
        return _Writer(_TimedIO(sock, "w", self._timer), size)

    def communicate(self) -> Any:
        if self.begun is None:
            self.begun = time.monotonic()
        if self.rfile.has_data():  # of a next request, behind one that could not be taken as a whole
            self._arriving.data += self.rfile.read1(_PIECE)
        try:
            if not self._shaken and not self._shake_hands():
                return True
            open_ = self._gather()
        except (OSError, ValueError) as error:
            logger.info("a connection is lost: %s", error)
            return False
        if not open_:
            # Nobody waits for an answer any more: a flood of those who ask and go is not worth any work.
            return False
        while request := self._arriving.take():
            self._raw.arrived = memoryview(request)
            self._timer.begin()
            if not super().communicate():  # type: ignore[no-untyped-call,unused-ignore]
                return False
            self.begun = time.monotonic()
        if not self._arriving.data:
            self.begun = None
        return True

    def _shake_hands(self) -> bool:
        """Go on with the handshake of TLS; whether it is done."""
        # Here and not where connections are accepted: a client who is silent must not stop the others.
        self.socket.settimeout(0)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLWantWriteError:
            self.socket.settimeout(self.server.timeout)
            self.socket.do_handshake()
        self._shaken = True
        self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)
        return True

    def _gather(self) -> bool:
        """Take what has arrived, without waiting; whether more may come."""
        self.socket.settimeout(0)
        while not self._arriving.full:
            try:
                data = self.socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            if not data:
                return False
            self._arriving.data += data
        if self._arriving.continue_wanted():
            self.socket.settimeout(self.server.timeout)
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

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
    message_limit: int = 0
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
            self._end_slow_requests()
            self._make_room()

        self._connections._expire = expire_and_make_room

    def _idle(self) -> list[tuple[int, Any]]:
        """The connections that wait for their clients, with the numbers of their sockets."""
        return [(number, c) for number, c in self._connections._selector.connections if c is not self]

    def _close(self, number: int, conn: Any) -> None:
        self._connections._selector.unregister(number)
        conn.close()

    def _make_room(self) -> None:
        """Who has been idle for longest goes first."""
        idle = self._idle()
        if len(idle) > MAX_IDLE_CONNECTIONS:
            idle.sort(key=lambda found: found[1].last_used)
            for number, conn in idle[:-MAX_IDLE_CONNECTIONS]:
                self._close(number, conn)

    def _end_slow_requests(self) -> None:
        """Close connections whose request takes too long to arrive, though its client never pauses for long."""
        late = time.monotonic() - self.request_time
        for number, conn in self._idle():
            if conn.begun is not None and conn.begun < late:
                self._close(number, conn)

    def process_conn(self, conn: Any) -> None:
        # A new connection waits with the idle ones until its client has said something. Cheroot would
        # give it a thread at once, so that a few clients who only connect could stop all others.
        if conn.last_used is None:
            if len(self._connections._selector) > MAX_IDLE_CONNECTIONS + SPARE_CONNECTIONS:
                self._make_room()  # before the process runs out of file descriptors
            self.put_conn(conn)
        elif self.requests.qsize > MAX_WAITING_CONNECTIONS:
            conn.close()
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
    server.message_limit = limit
    server.max_request_body_size = 2 * limit  # of chunked ones, which the application looks at
    server.keep_alive_conn_limit = None  # type: ignore[assignment]  # room is made at the cost of who has been idle for longest
    server.expiration_interval = 0.1
    server.error_log = _log  # type: ignore[method-assign]
    if tls is not None:
        server.ssl_adapter = _TLS(tls)
    return server


def _log(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    """Cheroot's log, into ours."""
    logger.log(level, "%s", msg, exc_info=traceback)
