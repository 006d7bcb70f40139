"""The HTTP server: Tornado's, with limits for everything that a client can spend. Whole requests go to threads."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

from tornado import httputil
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado.ioloop import IOLoop

from ..._text import get_logger, one_line
from . import handshake
from .app import Application, Request, Response, busy, refuse
from .pacing import PacedSSLStream, PacedStream
from .workers import Cancel, Workers

MAX_HEADER_SIZE = 8 * 1024  # what has come is searched for its end again with each piece
MAX_CONNECTIONS = 2_000
MAX_BUFFERED = 64 * 1024 * 1024
STOP_TIME = 5.0
_BACKLOG = 512
_PIECE = 64 * 1024
AT_ONCE = 64
_NO_LIMIT = (1 << 63) - 1  # of Tornado's, which answers 400 instead of 413
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

logger = get_logger("osslcmp.server")


@dataclass(frozen=True)
class Limits:
    """What a client, or all of them, may take."""

    timeout: float
    """Seconds from an open connection, or the answer before, to the end of a request's header."""
    request_time: float
    """Seconds for a body to come, and for an answer to be taken."""
    threads: int
    connections: int = MAX_CONNECTIONS
    """But no more than half of the file descriptors that the process may have."""
    at_once: int = AT_ONCE
    """How many connections are accepted in a row: one where other processes accept from the same socket, so that all get
    their share."""


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A listening socket; for ``::`` one that takes IPv4, too.

    Raises:
        OSError: the address is not free.
        ValueError: the host cannot be one.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
    except socket.gaierror as error:
        raise socket.gaierror(error.errno, f"host {host!r}: {error.strerror}") from None
    except UnicodeError as error:
        raise ValueError(f"host {host!r}: {error}") from None
    return socket.create_server(
        address,  # whole, since that of a link has an interface
        family=family,
        backlog=_BACKLOG,
        reuse_port=reuse_port,
        dualstack_ipv6=family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6(),
    )


class WebServer:
    """Answers in a thread of its own from its making until ``stop``.

    Args:
        handler: answers requests, in worker threads.
        listener: the listening socket, which it closes in the end.
        limits: of clients.
        tls: makes it HTTPS.
    """

    def __init__(
        self, handler: Application, listener: socket.socket, limits: Limits, tls: ssl.SSLContext | None
    ) -> None:
        self.handler, self.limits, self.tls = handler, limits, tls
        self.params = HTTP1ConnectionParameters(
            max_header_size=MAX_HEADER_SIZE, max_body_size=_NO_LIMIT, chunk_size=_PIECE
        )
        self.workers = Workers(limits.threads, limits.connections)
        self.handshakes = Workers(handshake.THREADS, limits.connections)
        self.stopping = False
        self.working: set[Connection] = set()
        """Connections with a request that is worked on or an answer that is being sent."""
        self.waiting: dict[Connection, None] = {}
        """Those of whom no whole request has come yet. Who waits for longest comes first."""
        self.served: dict[Connection, None] = {}
        """Those who have had an answer, in the order of their last one: sent away after the others."""
        self._listener = listener
        listener.setblocking(False)
        self._buffered = 0
        self._thread = threading.Thread(target=self._run, name="osslcmp-server", daemon=True)
        self._started = threading.Event()
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Take no more connections, let the requests in progress be answered within ``STOP_TIME``, and close."""
        self.stopping = True
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self.workers.close(STOP_TIME)
        self.handshakes.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException:  # the thread must not print it
            logger.exception("the HTTP server ended")
        finally:
            self._listener.close()
            self._started.set()

    async def _serve(self) -> None:
        self.loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._listen()
        with _log_of_tornado():
            self._started.set()
            await self._end.wait()
            IOLoop.current().remove_handler(self._listener)  # may be done twice
            self._listener.close()
            until = self.loop.time() + STOP_TIME
            while self.working and self.loop.time() < until:
                await asyncio.sleep(0.01)
            for connection in [*self.waiting, *self.served, *self.working]:
                await connection.close()

    # -- connections -----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if not self.stopping:
            IOLoop.current().add_handler(self._listener, self._accept, IOLoop.READ)

    def _accept(self, *_event: object) -> None:
        for _ in range(self.limits.at_once):
            try:
                client, address = self._listener.accept()
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS and not self._make_room():
                    IOLoop.current().remove_handler(self._listener)  # the kernel has them for a moment
                    self.loop.call_later(0.1, self._listen)
                return
            there = len(self.waiting) + len(self.served) + len(self.working)
            if there >= self._most() and not self._make_room():
                client.close()
                continue
            with suppress(OSError):  # the client has gone
                Connection(self, client, str(address[0]))

    def _most(self) -> int:
        """How many connections there may be; the limit of the process can change while it runs."""
        return max(min(self.limits.connections, _descriptors() // 2), 8)

    def _make_room(self, but: Connection | None = None) -> bool:
        """Close the connection that has waited for longest; whether there was one."""
        candidates = itertools.chain(self.waiting, self.served)
        oldest = next((connection for connection in candidates if connection is not but), None)
        if oldest is None:
            return False
        oldest.leave()
        oldest.cut_off()
        return True

    def buffer(self, size: int, connection: Connection | None = None) -> bool:
        """Count octets of bodies that are here; whoever else has waited for longest pays for too many. Returns whether
        there is room for them."""
        self._buffered += size
        most = max(MAX_BUFFERED, 4 * self.handler.limit)
        while self._buffered > most and self._make_room(connection):
            pass
        return self._buffered <= most


class Connection(httputil.HTTPServerConnectionDelegate):
    """A client; Tornado calls it for each request."""

    def __init__(self, server: WebServer, client: socket.socket, address: str) -> None:
        self.server, self.address = server, address
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._handshake: handshake.Handshake | None = None
        self._until, self._overdue = math.inf, ""
        self._timer: asyncio.TimerHandle | None = None
        if server.tls is None:
            self._serve(PacedStream(client, max_buffer_size=2 * _PIECE, read_chunk_size=_PIECE))
            return
        wrapped = server.tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        if wrapped.context.verify_mode is ssl.CERT_NONE:
            # What is left of the handshake is done by and by, within the time for the first header.
            self._shaken(wrapped, True)
        else:
            server.waiting[self] = None
            self._handshake = handshake.Handshake(
                wrapped, server.handshakes, server.limits.timeout, partial(self._shaken, wrapped)
            )

    def _shaken(self, wrapped: ssl.SSLSocket, through: bool) -> None:
        ended, self._handshake = self._handshake, None
        if through:
            self._serve(PacedSSLStream(wrapped, max_buffer_size=2 * _PIECE, read_chunk_size=_PIECE))
            return
        if ended is not None and ended.failure:
            logger.info("TLS handshake with %s: %s", self.address, one_line(ended.failure)[:300])
        self.leave()

    def _serve(self, stream: PacedStream | PacedSSLStream) -> None:
        self.stream = stream
        self.server.waiting[self] = None
        self.http = HTTP1ServerConnection(stream, self.server.params, self.address)
        self.http.start_serving(self)

    def cut_off(self) -> None:
        """Close it, whatever it is about."""
        if self._handshake is not None:
            self._handshake.close()
        else:
            self.stream.close()

    async def close(self) -> None:
        """Close it when the server ends."""
        if self._handshake is not None:
            self._handshake.close()
        else:
            await self.http.close()

    def start_request(self, _: object, request_conn: httputil.HTTPConnection) -> Exchange:
        """Tornado waits for the next request."""
        assert isinstance(request_conn, HTTP1Connection)
        self.stream.begin()
        self.allow(self.server.limits.timeout)
        return Exchange(self, request_conn)

    def allow(self, seconds: float, overdue: str = "") -> None:
        """Close it after so many seconds, and log why, unless others are allowed before. One timer does for many requests:
        Tornado's would be two for each, and a quarter of the loop's work."""
        self._until, self._overdue = self.server.loop.time() + seconds, overdue
        if self._timer is None or self._until < self._timer.when():
            self._look()

    def _look(self) -> None:
        """Close it if the time is over, or look again when it may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._until <= self.server.loop.time():
            if self._overdue:
                logger.info("%s: %s", self.address, self._overdue)
            self.stream.close()
        elif self._until < math.inf:
            self._timer = self.server.loop.call_at(self._until, self._look)

    def on_close(self, _: object) -> None:
        """It is over."""
        if self._timer is not None:
            self._timer.cancel()
        self.leave()
        self.server.working.discard(self)

    def leave(self) -> None:
        """It is none of those who may be sent away."""
        self.server.waiting.pop(self, None)
        self.server.served.pop(self, None)

    def work(self) -> None:
        """A request is there: nobody closes the connection to make room."""
        self.leave()
        self.server.working.add(self)

    def wait(self) -> None:
        """An answer has gone: the client is one of those who may be sent away, and its next request may come before Tornado
        waits for it."""
        if self in self.server.working:
            self.server.working.discard(self)
            self.server.served[self] = None
            self.stream.begin()


class Exchange(httputil.HTTPMessageDelegate):
    """A request that arrives, and its answer."""

    def __init__(self, connection: Connection, http: HTTP1Connection) -> None:
        self._connection, self._http = connection, http
        self._handler = connection.server.handler
        self._body = bytearray()
        self._arrived = 0
        self._buffered = 0
        self._refusal: Response | None = None
        self._sent: asyncio.Future[None] | None = None

    # -- what Tornado calls ----------------------------------------------------------------------------------

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        """The header is there; the body may be on its way."""
        assert isinstance(start_line, httputil.RequestStartLine)
        self._connection.stream.expect_body()
        self._connection.allow(self._connection.server.limits.request_time, "the body did not come in time")
        self._version = start_line.version
        self._keep = headers.get("Connection", "").lower()
        hosts = len(headers.get_list("Host"))
        if hosts > 1 or (hosts == 0 and start_line.version != "HTTP/1.0"):  # RFC 9112, section 3.2
            raise httputil.HTTPInputError("not one Host")
        if start_line.version == "HTTP/1.0" and "Transfer-Encoding" in headers:  # section 6.1
            raise httputil.HTTPInputError("HTTP/1.0 has no Transfer-Encoding")
        target = start_line.path
        try:
            if not target.startswith("/"):
                target = urlsplit(target).path or "/"
            path = target.partition("?")[0].partition("#")[0]
        except ValueError:
            raise httputil.HTTPInputError("malformed request target") from None
        self._request = Request(
            start_line.method,
            unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
            headers.get("Content-Type", ""),
            address=self._connection.address,
        )
        length = headers.get("Content-Length")
        if length is not None and length.isascii() and length.isdigit():
            # int() takes no more than some thousand digits, and Tornado no more than the limit.
            absurd = len(length) >= len(str(_NO_LIMIT))
            if absurd or int(length) > self._handler.limit:
                self._refuse_body(drain=not absurd and "Expect" not in headers)
                return
        self._refusal = self._handler.early(self._request)
        unframed = length is None and "Transfer-Encoding" not in headers
        if self._refusal is None and self._request.method == "POST" and unframed:
            self._refusal = refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._connection.stream.credit(len(chunk))
        self._arrived += len(chunk)
        if self._arrived <= self._handler.limit:
            if self._refusal is None:
                self._body += chunk
                self._buffered += len(chunk)
                if not self._connection.server.buffer(len(chunk), self._connection):
                    self._refusal = busy()  # the others have come whole, and wait for a thread
                    self._release()
        elif self._sent is None:
            self._refuse_body(drain=True)
        elif self._arrived > 4 * self._handler.limit:
            self._http.finish()  # and with it the connection, since there is more to read

    def finish(self) -> None:
        """The request is there whole."""
        if self._sent is not None:  # too large, and read all the same
            self._end(self._sent, close=True)
            return
        self._connection.work()
        self._connection.allow(math.inf)
        if self._refusal is not None:
            self._respond(self._refusal)
            return
        server = self._connection.server
        request = replace(self._request, body=bytes(self._body))
        cancel = server.workers.submit(partial(server.handler.answer, request), self._done)
        if cancel is None:
            self._respond(busy())
        else:
            self._http.set_close_callback(partial(self._gone, cancel))

    def on_connection_close(self) -> None:
        """The client went away, or had to, before the request was there whole."""
        self._release()

    def _gone(self, cancel: Cancel) -> None:
        """Nobody waits for the answer any more."""
        cancel()
        self._release()

    def _release(self) -> None:
        self._body = bytearray()
        self._connection.server.buffer(-self._buffered)
        self._buffered = 0

    # -- the answer ------------------------------------------------------------------------------------------

    def _done(self, response: Response | None) -> None:
        """Called in a worker thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._connection.server.loop.call_soon_threadsafe(self._respond, response)

    def _refuse_body(self, *, drain: bool) -> None:
        """Say that it is too large. A client may look at the answer only when it has sent some more: let it."""
        self._release()
        self._connection.allow(min(2.0, self._connection.server.limits.request_time))
        self._sent = self._write(self._handler.too_large(), close=True)
        if not drain:
            self._http.finish()

    def _respond(self, response: Response | None) -> None:
        self._release()
        if response is None or self._connection.stream.closed():
            self._http.close()
            return
        close = self._connection.server.stopping
        self._end(self._write(response, close=close), close=close)

    def _write(self, response: Response, *, close: bool) -> asyncio.Future[None]:
        """Send it; it is done when all is with the kernel."""
        headers = httputil.HTTPHeaders(dict(response.headers))
        headers["Content-Length"] = str(len(response.body))
        headers["Date"] = _date(int(time.time()))
        # The status line says HTTP/1.1, where silence means that the connection stays.
        if close or (self._version == "HTTP/1.0" and self._keep != "keep-alive"):
            headers["Connection"] = "close"
        line = httputil.ResponseStartLine("HTTP/1.1", response.status.value, response.status.phrase)
        body = None if self._request.method == "HEAD" else response.body
        if body is None or len(body) < _PIECE:
            sent = self._http.write_headers(line, headers, body)
        else:  # which others may get, too: one copy is enough for all
            self._http.write_headers(line, headers)
            sent = self._http.write(body)
        return sent

    def _end(self, sent: asyncio.Future[None], *, close: bool) -> None:
        """The request is done with; close the connection after it, or wait for the next."""

        def go_on(_: object) -> None:
            if close:
                self._connection.stream.close()
            else:
                self._connection.wait()

        self._http.finish()
        if sent.done():
            go_on(sent)
        else:
            self._connection.allow(self._connection.server.limits.request_time)
            sent.add_done_callback(go_on)


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _descriptors() -> int:
    """How many files the process may have open."""
    try:
        import resource
    except ImportError:  # not POSIX
        return 1024
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


@contextmanager
def _log_of_tornado() -> Iterator[None]:
    """What Tornado logs in this thread is ours to log, and has words of peers in it."""
    here = threading.get_ident()

    def ours(record: logging.LogRecord) -> bool:
        if record.thread != here:
            return True
        logger.log(
            min(record.levelno, logging.INFO) if record.exc_info is None else record.levelno,
            "%s",
            one_line(record.getMessage())[:300],
            exc_info=record.exc_info,
        )
        return False

    loggers = list(map(logging.getLogger, ("tornado.general", "tornado.application")))
    for found in loggers:
        found.addFilter(ours)
    try:
        yield
    finally:
        for found in loggers:
            found.removeFilter(ours)
