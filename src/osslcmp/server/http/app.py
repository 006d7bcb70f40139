"""CMP over HTTP (RFC 9811): a WSGI application, and a small threaded server for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..._text import get_logger
from ..wire import MalformedMessageError, MessageTooLargeError
from . import journal, paths
from .paths import WELL_KNOWN_PATH
from .tls import ServerTLSInput
from .tls import context as tls_context

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CONTENT_TYPE = "application/pkixcmp"
REQUEST_TIME = 60.0
_TEXT = ("Content-Type", "text/plain; charset=utf-8")

logger = get_logger("osslcmp.server")

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
    place = paths.current.set(paths.parse(environ.get("PATH_INFO", "")))
    try:
        request = _read_request(environ, limit)
        answer = process(request)
        journal.note(environ.get("REMOTE_ADDR", ""), request, answer)
        status = "200 OK"
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-cache")]
    except _RefusedError as refusal:
        answer = f"{refusal}\n".encode()
        status = refusal.status
        headers = [_TEXT, *refusal.headers]
    except MalformedMessageError as error:
        answer = f"{error}\n".encode()
        status = "413 Content Too Large" if isinstance(error, MessageTooLargeError) else "400 Bad Request"
        headers = [_TEXT]
    except Exception:
        logger.exception("a CMP message could not be answered")
        answer = b"internal error\n"
        status = "500 Internal Server Error"
        headers = [_TEXT]
    finally:
        paths.current.reset(place)
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
        # int() takes no more than some thousand digits.
        length = int(declared) if len(declared) < 20 else limit + 1
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

    def __init__(
        self, http_server: Any, *, secure: bool = False, tick: Callable[[], object] | None = None
    ) -> None:
        self._http = http_server
        self._secure = secure
        self._tick = tick
        self._tick_failed = False
        self._stopping = threading.Event()
        self._http.prepare()
        self._threads = [threading.Thread(target=self._serve, name="osslcmp-server", daemon=True)]
        if tick is not None:
            self._threads.append(threading.Thread(target=self._ticking, name="osslcmp-clock", daemon=True))
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        try:
            self._http.serve()
        except BaseException:  # a worker's SystemExit arrives here too; the thread must not print it
            logger.exception("the HTTP server ended")

    def _ticking(self) -> None:
        while not self._stopping.wait(1):
            self._tick_once()

    def _tick_once(self) -> None:
        assert self._tick is not None
        try:
            self._tick()
        except Exception:  # a database that is away comes back
            if not self._tick_failed:
                logger.exception("what is done once a second has failed; it is tried again")
            self._tick_failed = True
        else:
            self._tick_failed = False

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
        return f"http{'s' if self._secure else ''}://{host}:{self.port}{WELL_KNOWN_PATH}"

    def stop(self) -> None:
        """Take no more requests, let those in progress finish, and close. May be called twice."""
        self._stopping.set()
        self._http.stop()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> RunningServer:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    app: Callable[..., Iterable[bytes]],
    host: str,
    port: int,
    *,
    limit: int,
    threads: int,
    timeout: float,
    request_time: float = REQUEST_TIME,
    tls: ServerTLSInput | None = None,
    reuse_port: bool = False,
    tick: Callable[[], object] | None = None,
) -> RunningServer:
    """Start a WSGI application on a threaded HTTP server (cheroot) and return at once.

    Args:
        app: the WSGI application.
        host: address to listen on.
        port: TCP port, 0 for a free one.
        limit: the most bytes of a body.
        threads: how many requests are worked on at once.
        timeout: seconds for a client to go on sending, or to send the next request on a kept connection.
        request_time: seconds for a client to send a whole request, and to take the whole answer.
        tls: makes it HTTPS.
        reuse_port: share the port with other processes that do so, too.
        tick: is called once a second, whatever the clients do; what it raises is logged.

    Raises:
        ImportError: cheroot is not installed.
        OSError: the address is not free.
        ValueError: a port, a limit or the TLS settings make no sense.
    """
    try:
        import cheroot  # noqa: F401

        from . import webserver
    except ImportError as error:
        raise ImportError("serving over HTTP needs cheroot: pip install 'osslcmp[server]'") from error
    if not 0 <= port <= 0xFFFF:
        raise ValueError("port: 0 to 65535")
    if min(timeout, request_time) <= 0 or threads < 1:
        raise ValueError("timeout, request_time, threads: must be positive")
    context = None if tls is None else tls_context(tls)
    server = webserver.make(
        app,
        host,
        port,
        limit=limit,
        threads=threads,
        timeout=timeout,
        request_time=request_time,
        tls=context,
        reuse_port=reuse_port,
    )
    return RunningServer(server, secure=context is not None, tick=tick)
