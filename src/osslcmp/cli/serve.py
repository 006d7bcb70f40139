"""``osslcmp serve``: a CMP server with a certification authority that keeps its state."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

from . import EXIT_USAGE, serve_options
from ._common import UsageError, complain
from .serve_log import BoundedHandler, JSONFormatter
from .serve_options import given

parser = serve_options.parser
_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: Seconds for the answers in progress when a signal has come.
_GRACE = 10.0
#: Files that it opens at most: half of them are for connections, 2,000 at once.
_FILES = 4_096


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status: 0, or 1 when it cannot start, 2 for wrong options."""
    # One that comes before all is there is for later.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        return _reporting(lambda: _serve(arguments))
    finally:
        # A terminal that is closed sends it twice: to the leader of the session, and to the group in front.
        if signal.SIGHUP in signal.sigpending():
            signal.sigwait({signal.SIGHUP})
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _reporting(serve: Callable[[], int]) -> int:
    """The exit status; what went wrong is said on stderr."""
    try:
        return serve()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    except (UsageError, OSError, ValueError, ImportError) as error:
        complain("serve", error)
        return EXIT_USAGE if isinstance(error, UsageError) else 1


def _serve(arguments: Sequence[str]) -> int:
    settings = serve_options.read(arguments)
    _log(settings)
    if "script" in settings:
        from .serve_script import serve_script

        return serve_script(settings, _announce)
    _allow_files()
    terminal = _Terminal()
    if settings.get("processes", 1) == 1:
        return _serve_here(settings, arguments, terminal, _announce)
    from ..server.http import webserver
    from .serve_authority import Site, reread
    from .serve_processes import Processes

    # What the first start makes, and what is wrong with the options, is for one process.
    Site(settings, arguments).close()
    settings.pop("new_root", None)
    with ExitStack() as stack:
        if settings.get("metrics"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="osslcmp-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        listener = stack.enter_context(
            webserver.listen(*_where(settings), reuse_port=settings.get("reuse_port", False))
        )

        def work(ready: Callable[[str], None]) -> int:
            here = {**settings, "listener": listener}
            return _reporting(lambda: _serve_here(here, arguments, terminal, ready))

        def reload() -> bool:
            """Whether the new settings are of use; whoever is started from now on has them."""
            found = reread(arguments)
            if found is None:
                return False
            found[1].close()
            settings.clear()
            settings.update(found[0])
            return True

        return Processes(settings["processes"], work, reload, terminal.is_gone).run(_announce)


def _log(settings: dict[str, Any]) -> None:
    """Set the log up."""
    handler = BoundedHandler()
    as_json = settings.get("log_format") == "json"
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JSONFormatter() if as_json else text)
    level = logging.INFO if settings.get("verbose") else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
    if level > logging.INFO:
        # What libcrypto warns of is what a client has sent; the server says it in one line.
        logging.getLogger("osslcmp.openssl").setLevel(logging.ERROR)


class _Terminal:
    """That which the command was started from, if any: when it is closed, it sends SIGHUP, too."""

    def __init__(self) -> None:
        self._was_there = self._is_there()

    def is_gone(self) -> bool:
        """Whether there was one, and is none any more."""
        return self._was_there and not self._is_there()

    def _is_there(self) -> bool:
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except OSError:
            return False
        return True


def _announce(line: str) -> None:
    print(line, flush=True)


def _where(settings: dict[str, Any]) -> tuple[str, int]:
    return settings.get("host", "127.0.0.1"), settings.get("port", 8080)


def _serve_here(
    settings: dict[str, Any], arguments: Sequence[str], terminal: _Terminal, ready: Callable[[str], None]
) -> int:
    """Serve in this process until a signal comes; ``ready`` is told where."""
    from .serve_authority import Site

    with ExitStack() as ending, closing(Site(settings, arguments)) as site:
        http = given(settings, "threads", "timeout", "request_time", "reuse_port", "listener")
        # Signals are waited for, not handled: blocked before any thread starts, so that none of them gets one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            with site.serve(*_where(settings), **http) as running:
                ready(f"serving CMP at {running.url}, trust anchor {site.ca.directory.root_file}")
                while signal.sigwait({*_SIGNALS, signal.SIGHUP}) == signal.SIGHUP and not terminal.is_gone():
                    site.reload(running)
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
