"""``osslcmp cmp`` from the first option to the exit status."""

from __future__ import annotations

import sys
from typing import Any

from ...errors import CMPError
from . import run as _cmp_run
from .client import set_up_client
from .console import Console, Failure
from .context import CommandContext
from .effects import Effects
from .help import overview
from .load import Loader
from .report import new_outcome, pending, print_json, tell
from .settings import HelpWanted, Settings, read
from .transfer import FileTransfer, OnlyWritten

__all__ = ["run"]

_EXPECTED = (Failure, CMPError, OSError, ValueError, TypeError, ImportError)

_TLS = ("tls_cert", "tls_key", "tls_keypass", "tls_extra", "tls_trusted", "tls_host")


def run(words: list[str]) -> int:
    """Do what the options say. Returns 0 or 1; 130 after an interrupt."""
    console = Console()
    if "-json" in words or "--json" in words:
        console.json()
    outcome = new_outcome()
    try:
        _run(words, console, outcome)
        code = 0
    except HelpWanted:
        print(overview())
        return 0
    except OnlyWritten:
        code = 0
    except KeyboardInterrupt:
        code = 130
        outcome["failure"] = "KeyboardInterrupt"
        console.error("interrupted" + pending(outcome))
    except BrokenPipeError:
        raise
    except _EXPECTED as error:
        tell(error, console, outcome, None)
        code = 1
    except Exception as error:  # a script must get a message and a status, whatever happens
        outcome["failure"] = type(error).__name__
        console.error(f"unexpected {type(error).__name__}, a bug in osslcmp: {error}")
        code = 1
    if console.out is sys.stderr:
        print_json(outcome, console, code)
    return code


def _run(words: list[str], console: Console, outcome: dict[str, Any]) -> None:
    effects = Effects()
    s = read(words, console, effects)
    effects.seed()
    _exclusions(s, console)
    if "secret" in s.typed and _bare(s.text("secret")):
        console.warn("-secret on the command line can be seen by other users: use env:, file:, fd: or stdin")
    loader = Loader(s, console, effects.vpm)
    if s.given("port"):
        from .serve import serve

        serve(s, console, loader)
        return
    if s.given("rspin"):
        for option in ("server", "use_mock_srv"):
            if s.flag(option):
                console.warn(f"-{option} option is not used if enough filenames given for -rspin")
    mock = None
    if s.flag("use_mock_srv"):
        from .mock import MockServer

        mock = MockServer(s, console, loader)
    ctx = CommandContext()
    ctx.set_log_verbosity(s.number("verbosity"))
    ctx.set_log_cb(console.from_client)
    if (recording := s.text("trace")) is not None:
        from ...trace import Trace

        try:
            ctx.set_trace(Trace(0, file=recording))
        except OSError as error:
            raise Failure(f"could not open file '{recording}' for writing: {error.strerror}") from error
        outcome["files"]["trace"] = recording
    try:
        set_up_client(ctx, s, console, loader)
    except (Failure, CMPError, OSError, ValueError, TypeError) as error:
        tell(error, console, outcome, s)
        raise Failure("cannot set up CMP context") from error
    if FileTransfer.wanted(s):
        ctx.set_transfer_cb(FileTransfer(ctx, s, console, None if mock is None else mock.process))
    try:
        _cmp_run.run(ctx, s, console, loader, outcome)
    except CMPError as error:
        tell(error, console, outcome, s)
        raise Failure from error
    effects.finish()


def _bare(source: str | None) -> bool:
    return source is not None and not source.startswith(("env:", "file:", "fd:")) and source != "stdin"


def _exclusions(s: Settings, console: Console) -> None:
    if s.given(*_TLS) and not s.flag("tls_used"):
        console.warn("Ignoring TLS options(s) since -tls_used is not given")
    if s.given("port"):
        if s.flag("tls_used"):
            raise Failure("-tls_used option not supported with -port option")
        if s.given("server") or s.flag("use_mock_srv"):
            raise Failure("The -port option excludes -server and -use_mock_srv")
        if s.given("reqin", "reqout", "reqout_only"):
            raise Failure("The -port option does not support -reqin and -reqout")
        if s.given("rspin", "rspout"):
            raise Failure("The -port option does not support -rspin and -rspout")
    if s.given("server") and s.flag("use_mock_srv"):
        raise Failure("cannot use both -server and -use_mock_srv options")
    if s.flag("tls_used") and (s.flag("use_mock_srv") or not s.given("server")):
        console.warn("ignoring -tls_used option since -use_mock_srv is given or -server is not given")
        s.put("tls_used", 0)
