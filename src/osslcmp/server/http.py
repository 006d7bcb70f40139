"""CMP over HTTP (RFC 9811): a WSGI application, and a small threaded server for it."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .wire import MalformedMessageError, MessageTooLargeError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CONTENT_TYPE = "application/pkixcmp"
WELL_KNOWN_PATH = "/.well-known/cmp"
MAX_HEADER_SIZE = 16 * 1024

logger = logging.getLogger("osslcmp.server")

Process = Callable[[bytes], bytes]


class _RefusedError(Exception):
    """The HTTP request does not get as far as CMP."""

    def __init__(self, status: str, text: str, *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


def wsgi_app(
    process: Process, limit: int, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer one HTTP request; ``functools.partial`` with the first two arguments makes it a WSGI
    application.

    Args:
        process: takes a CMP message as DER and returns the answer.
        limit: the most bytes of a message.
    """
    headers: list[tuple[str, str]]
    try:
        answer = process(_read_request(environ, limit))
        status = "200 OK"
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-cache")]
    except _RefusedError as refusal:
        answer = f"{refusal}\n".encode()
        status = refusal.status
        headers = [("Content-Type", "text/plain; charset=utf-8"), *refusal.headers]
    except MalformedMessageError as error:
        answer = f"{error}\n".encode()
        status = "413 Content Too Large" if isinstance(error, MessageTooLargeError) else "400 Bad Request"
        headers = [("Content-Type", "text/plain; charset=utf-8")]
    except Exception:
        logger.exception("a CMP message could not be answered")
        answer = b"internal error\n"
        status = "500 Internal Server Error"
        headers = [("Content-Type", "text/plain; charset=utf-8")]
    headers.append(("Content-Length", str(len(answer))))
    start_response(status, headers)
    return [answer]


def _read_request(environ: WSGIEnvironment, limit: int) -> bytes:
    """The body of a request that has the form RFC 9811 asks for."""
    if environ["REQUEST_METHOD"] != "POST":
        raise _RefusedError("405 Method Not Allowed", "CMP messages come by POST", ("Allow", "POST"))
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise _RefusedError("415 Unsupported Media Type", f"the content type must be {CONTENT_TYPE}")
    source = environ["wsgi.input"]
    declared = environ.get("CONTENT_LENGTH", "")
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            raise _RefusedError("400 Bad Request", "malformed Content-Length")
        length = int(declared)
        if length > limit:
            raise _RefusedError("413 Content Too Large", f"at most {limit} bytes are accepted")
        body: bytes = source.read(length)
        if len(body) != length:
            raise _RefusedError("400 Bad Request", "the body is shorter than its Content-Length")
    elif environ.get("wsgi.input_terminated"):
        body = source.read(limit + 1)
    else:
        raise _RefusedError("411 Length Required", "a Content-Length is needed")
    if not body:
        raise _RefusedError("400 Bad Request", "the body is empty")
    return body


class RunningServer:
    """A server that answers over HTTP until it is stopped; a context manager."""

    def __init__(self, http_server: Any) -> None:
        self._http = http_server
        self._http.prepare()
        self._thread = threading.Thread(target=self._serve, name="osslcmp-server", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._http.serve()
        except BaseException:  # a worker's SystemExit arrives here too; the thread must not print it
            logger.exception("the HTTP server ended")

    @property
    def host(self) -> str:
        """The address it listens on."""
        return str(self._http.bind_addr[0])

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return int(self._http.bind_addr[1])

    @property
    def url(self) -> str:
        """Where CMP clients send their messages. Any other path works too."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{WELL_KNOWN_PATH}"

    def stop(self) -> None:
        """Take no more requests, let those in progress finish, and close. May be called twice."""
        self._http.stop()
        self._thread.join()

    def __enter__(self) -> RunningServer:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    app: Callable[..., Iterable[bytes]], host: str, port: int, *, limit: int, threads: int, timeout: float
) -> RunningServer:
    """Start a WSGI application on a threaded HTTP server (cheroot) and return at once.

    Args:
        app: the WSGI application.
        host: address to listen on.
        port: TCP port, 0 for a free one.
        limit: the most bytes of a body.
        threads: how many requests are worked on at once.
        timeout: seconds for a client to go on sending, or to send the next request on a kept connection.

    Raises:
        ImportError: cheroot is not installed.
        OSError: the address is not free.
    """
    try:
        from cheroot import server as cheroot_server
        from cheroot import wsgi
    except ImportError as error:
        raise ImportError("serving over HTTP needs cheroot: pip install 'osslcmp[server]'") from error

    class HeaderReader(cheroot_server.HeaderReader):  # type: ignore[misc,unused-ignore]
        """Cheroot keeps an HTTP/1.0 connection only for ``Keep-Alive``; OpenSSL's client writes
        ``keep-alive``."""

        def __call__(self, rfile: Any, hdict: Any = None) -> Any:
            found = super().__call__(rfile, hdict)
            value = found.get(b"Connection", b"").lower()
            if value in (b"keep-alive", b"close"):
                found[b"Connection"] = {b"keep-alive": b"Keep-Alive"}.get(value, value)
            return found

    class Request(cheroot_server.HTTPRequest):  # type: ignore[misc,unused-ignore]
        header_reader = HeaderReader()

    class Connection(cheroot_server.HTTPConnection):  # type: ignore[misc,unused-ignore]
        RequestHandlerClass = Request

        def close(self) -> None:
            # What could not be written before the client went away would be tried again by the garbage
            # collector, which complains on stderr.
            with suppress(OSError, ValueError):
                self.wfile.close()
            super().close()

    class Server(wsgi.Server):
        ConnectionClass = Connection

        @staticmethod
        def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
            try:
                socket_.bind(bind_addr)
            except OSError:
                socket_.close()  # cheroot leaves that to the garbage collector
                raise
            return socket_

        def process_conn(self, conn: Any) -> None:
            # A new connection waits with the idle ones until its client has said something. Cheroot would
            # give it a thread at once, so that a few clients who only connect could stop all others.
            if conn.last_used is None:
                self.put_conn(conn)
            else:
                super().process_conn(conn)

    http_server = Server(
        (host, port),
        app,
        numthreads=threads,
        server_name="osslcmp",
        request_queue_size=128,
        timeout=timeout,  # type: ignore[arg-type]  # seconds for settimeout(), any fraction
        shutdown_timeout=5,
    )
    http_server.max_request_header_size = MAX_HEADER_SIZE
    # A body far too large is not read; one a little too large gets the answer of the application, 413.
    http_server.max_request_body_size = 2 * limit
    http_server.keep_alive_conn_limit = 500
    http_server.expiration_interval = 0.1
    http_server.error_log = _log  # type: ignore[method-assign]
    return RunningServer(http_server)


def _log(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    """Cheroot's log, into ours."""
    logger.log(level, "%s", msg, exc_info=traceback)
