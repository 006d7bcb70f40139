"""``osslcmp serve``: a CMP server with a certification authority that keeps its state."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

from .._text import one_line
from . import EXIT_USAGE, serve_options
from .serve_authority import given, open_authority, open_server, tls_settings
from .serve_log import BoundedHandler, OneLineFormatter
from .serve_options import UsageError
from .serve_options import make_parser as parser

__all__ = ["parser", "run"]

_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: Seconds for the answers in progress when a signal has come.
_GRACE = 10.0
#: Files that it opens at most: half of them are for connections, 2,000 at once.
_FILES = 4_096


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status: 0, or 1 when it cannot start, 2 for wrong options."""
    return _reporting(lambda: _serve(serve_options.read(arguments)))


def _reporting(serve: Callable[[], int]) -> int:
    """The exit status; what went wrong is said on stderr."""
    try:
        return serve()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    except UsageError as error:
        print(f"osslcmp serve: {one_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    except (OSError, ValueError, ImportError) as error:
        print(f"osslcmp serve: {one_line(str(error))}", file=sys.stderr)
        return 1


def _serve(settings: dict[str, Any]) -> int:
    handler = BoundedHandler()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
    level = logging.INFO if settings.get("verbose") else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
    if level > logging.INFO:
        # What libcrypto warns of is what a client has sent; the server says it in one line.
        logging.getLogger("osslcmp.openssl").setLevel(logging.ERROR)
    _allow_files()
    if settings.get("processes", 1) == 1:
        return _serve_here(settings, _announce)
    from ..server.http import webserver
    from .serve_processes import Processes

    # What the first start makes, and what is wrong with the options, is for one process.
    with closing(open_authority(settings)) as ca:
        if settings.pop("new_root", False):
            ca.update_root()
        open_server(ca, settings)
    with webserver.listen(*_where(settings), reuse_port=settings.get("reuse_port", False)) as listener:

        def work(ready: Callable[[str], None]) -> int:
            return _reporting(lambda: _serve_here({**settings, "listener": listener}, ready))

        return Processes(settings["processes"], work).run(_announce)


def _announce(line: str) -> None:
    print(line, flush=True)


def _where(settings: dict[str, Any]) -> tuple[str, int]:
    return settings.get("host", "127.0.0.1"), settings.get("port", 8080)


def _serve_here(settings: dict[str, Any], ready: Callable[[str], None]) -> int:
    """Serve in this process until a signal comes; ``ready`` is told where."""
    ca = open_authority(settings)
    with ExitStack() as ending, closing(ca):
        if settings.get("new_root"):
            ca.update_root()
        server = open_server(ca, settings)
        http = given(
            settings,
            threads="threads",
            timeout="timeout",
            request_time="request_time",
            reuse_port="reuse_port",
            listener="listener",
        )
        # Signals are waited for, not handled: blocked before any thread starts, so that none of them gets one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            with server.serve(*_where(settings), tls=tls_settings(settings), **http) as running:
                ready(f"serving CMP at {running.url}, trust anchor {ca.directory.root_file}")
                signal.sigwait(_SIGNALS)
                ending.enter_context(_no_longer_than(_GRACE))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _allow_files() -> None:
    """Let the process have as many files open as its connections need, if it may: the soft limit is often 1,024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system with other rules: there are fewer connections then
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """End the process if this takes longer, or at a second signal: a thread may be busy for ever with a message."""
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in _SIGNALS}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    clock = threading.Timer(seconds, _give_up, [seconds])
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _give_up(seconds: float) -> None:
    print(
        f"osslcmp serve: an answer is not ready after {seconds:g} more seconds: ended without it",
        file=sys.stderr,
    )
    sys.stderr.flush()
    os._exit(1)
