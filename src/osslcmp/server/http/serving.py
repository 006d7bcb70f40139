"""A running web server: started in the background, stopped again."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..._arguments import positive
from ..._text import get_logger
from ..failures import log_failure
from .app import REQUEST_TIME, Application
from .paths import WELL_KNOWN_PATH
from .tls import ServerTLSInput
from .tls import context as tls_context

if TYPE_CHECKING:
    import socket

    from .webserver import WebServer

logger = get_logger("osslcmp.server")


class RunningServer:
    """A server that answers over HTTP until it is stopped; a context manager."""

    def __init__(
        self,
        server: WebServer,
        address: tuple[str, int],
        *,
        secure: bool = False,
        tick: Callable[[], object] | None = None,
    ) -> None:
        self._server = server
        self._host, self._port = address
        self._secure = secure
        self._tick = tick
        self._stopping = threading.Event()
        self._clock = threading.Thread(target=self._ticking, name="osslcmp-clock", daemon=True)
        if tick is not None:
            self._clock.start()
        atexit.register(self.stop)  # for a script that forgets it

    def _ticking(self) -> None:
        failed = False
        while self._tick is not None and not self._stopping.wait(1):
            try:
                self._tick()
                failed = False
            except Exception as error:  # noqa: PERF203 - a database that is away comes back
                if not failed:
                    log_failure(logger, "what is done once a second has failed; it is tried again", error)
                failed = True

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Where CMP clients send their messages. Any other path works too."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self._secure else ''}://{host}:{self.port}{WELL_KNOWN_PATH}"

    def switch(
        self,
        handler: Application,
        *,
        tls: ServerTLSInput | None = None,
        tick: Callable[[], object] | None = None,
    ) -> None:
        """Let another handler answer from the next request on; those in progress are answered by the one before.

        Args:
            handler: as for ``serve``.
            tls: as for ``serve``, for the connections that come from now on.
            tick: as for ``serve``; there must have been one before.

        Raises:
            ValueError: the TLS settings make no sense, or HTTP would become HTTPS, or the reverse.
        """
        if (tls is not None) != self._secure:
            raise ValueError("HTTP and HTTPS cannot be exchanged while the server runs")
        self._server.tls = None if tls is None else tls_context(tls)
        self._server.handler = handler
        if self._tick is not None and tick is not None:
            self._tick = tick

    def stop(self) -> None:
        """Take no more requests, let those in progress finish, and close. May be called twice.

        Work that has not ended after some seconds is not waited for.
        """
        self._stopping.set()
        self._server.stop()
        if self._tick is not None:
            self._clock.join()
        atexit.unregister(self.stop)

    def __enter__(self) -> RunningServer:  # noqa: PYI034
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def serve(
    handler: Application,
    host: str,
    port: int,
    *,
    threads: int,
    timeout: float,
    request_time: float = REQUEST_TIME,
    tls: ServerTLSInput | None = None,
    reuse_port: bool = False,
    listener: socket.socket | None = None,
    tick: Callable[[], object] | None = None,
) -> RunningServer:
    """Start a web server (Tornado's) and return at once; arguments and exceptions are those of ``Server.serve``. ``tick``
    is called once a second, whatever the clients do; what it raises is logged."""
    try:
        import tornado  # noqa: F401

        from . import webserver
    except ImportError as error:
        raise ImportError("serving over HTTP needs tornado: pip install 'osslcmp[server]'") from error
    if not 0 <= port <= 0xFFFF:
        raise ValueError("port: 0 to 65535")
    if not (listener is None or hasattr(listener, "getsockname")):
        raise TypeError(f"listener: a socket or None, not {type(listener).__name__}")
    if not host:
        raise ValueError("host: is empty")
    positive(timeout=timeout, request_time=request_time, threads=threads)
    context = None if tls is None else tls_context(tls)
    shared = listener is not None
    listener = webserver.listen(host, port, reuse_port=reuse_port) if listener is None else listener
    address = listener.getsockname()[:2]
    limits = webserver.Limits(timeout, request_time, threads, at_once=1 if shared else webserver.AT_ONCE)
    server = webserver.WebServer(handler, listener, limits, context)
    return RunningServer(server, address, secure=context is not None, tick=tick)
