"""The command from the first option to the exit status: sends the request, waits as asked, and saves what came."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from ..._openssl.errorqueue import clear
from ..._openssl.lib import usable_version
from ...enums import BodyType, PKIStatus
from ...errors import CMPError, RejectedError, TransferError, TransferTimeout
from . import overview
from .client import set_up_client
from .console import Console, Failure, OnlyWritten
from .context import CommandContext, Run
from .load import Loader
from .output import check_outputs, save, save_refused, save_results, save_server_cert
from .report import failure_names, pending, print_json, report
from .settings import HelpWanted, Settings, read

_EXPECTED = (Failure, CMPError, OSError, ValueError, TypeError, ImportError)

_TLS = ("tls_cert", "tls_key", "tls_keypass", "tls_extra", "tls_trusted", "tls_host")


def main(words: list[str]) -> int:
    """Do what the options say. Returns the exit status: 0 or 1; 130 after an interrupt."""
    run = Run()
    if "-json" in words or "--json" in words:
        run.console.json()
    code = 0
    try:
        _main(words, run)
    except HelpWanted:
        print(overview())
        return 0
    except OnlyWritten:
        pass
    except KeyboardInterrupt:
        code = 130
        run.outcome.failure = "KeyboardInterrupt"
        run.console.error("interrupted" + pending(run.outcome))
    except BrokenPipeError:
        raise
    except _EXPECTED as error:
        report(error, run)
        code = 1
    except Exception as error:  # a script must get a message and a status, whatever happens
        run.outcome.failure = type(error).__name__
        run.console.error(f"unexpected {type(error).__name__}, a bug in osslcmp: {error}")
        code = 1
    if run.console.out is sys.stderr:
        print_json(run, code)
    return code


def _main(words: list[str], run: Run) -> None:
    read(words, run)
    run.global_options.seed()
    s, console = run.opt, run.console
    _check_exclusions(s, console)
    if "secret" in s.typed and _is_plain(s.text("secret") or ""):
        console.warn("-secret on the command line can be seen by other users: use env:, file:, fd: or stdin")
    run.load = Loader(run)
    if s.given("port"):
        from .serve import serve

        serve(run)
        return
    if s.given("rspin"):
        run.warn_of("-{} option is not used if enough filenames given for -rspin", "server", "use_mock_srv")
    mock = None
    if s.flag("use_mock_srv"):
        from .mock import MockServer

        mock = MockServer(run)
    run.ctx = ctx = CommandContext()
    ctx.set_log_verbosity(s.number("verbosity"))
    ctx.set_log_cb(console.from_client)
    try:
        set_up_client(run)
        check_outputs(run)
    except (Failure, CMPError, OSError, ValueError, TypeError) as error:
        report(error, run)
        raise Failure("cannot set up CMP context") from error
    if (recording := s.text("trace")) is not None:
        from ...trace import Trace

        ctx.set_trace(Trace(0, file=recording))
        run.outcome.files["trace"] = recording
    if mock is not None or s.given("reqin", "reqout", "rspin", "rspout", "reqout_only"):
        from .transfer import FileTransfer

        ctx.set_transfer_cb(FileTransfer(run, None if mock is None else mock.process))
    try:
        _repeat(run)
    except CMPError as error:
        report(error, run)
        raise Failure from error
    run.global_options.finish()


def _is_plain(source: str) -> bool:
    """Whether a password stands on the command line itself."""
    return not source.startswith(("env:", "file:", "fd:")) and source != "stdin"


def _check_exclusions(s: Settings, console: Console) -> None:
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


# -- a request ---------------------------------------------------------------------------------------------

_SINCE_3_2 = usable_version >= (3, 2, 0)
_TYPES = {"ir": BodyType.IR, "cr": BodyType.CR, "kur": BodyType.KUR, "p10cr": BodyType.P10CR}


def _repeat(run: Run) -> None:
    """Send the request as often as ``-repeat`` says. Raises CMPError, Failure, OSError, and what a transfer raised."""
    for _ in range(run.opt.number("repeat")):
        failure: BaseException | None = None
        try:
            _perform(run)
        except CMPError as error:
            failure = error
        if run.ctx.status < PKIStatus.accepted:
            # No answer came, or there was not even a request.
            raise failure or Failure("no answer came")
        _report_status(run)
        if _SINCE_3_2:
            save_server_cert(run)
        else:
            save(run, "extracertsout")
        if failure is not None:
            if isinstance(failure, RejectedError) and failure.enrollment is not None:
                save_refused(failure.enrollment, run)
            raise failure
        save_results(run)
        run.ctx.reinit()


def _perform(run: Run) -> None:
    # Chosen here, so that it can be named after an interrupt.
    transaction = os.urandom(16)
    run.ctx.set_transaction_id(transaction)
    run.outcome.transaction = transaction.hex()
    run.outcome.pending = True
    say = run.console.info  # not run itself: the context must not refer to what refers to it
    run.ctx.on_wait = lambda asked: say(f"the server wants to be asked again in {asked.check_after} s")
    command = run.opt.text("cmd")
    try:
        if command == "rr":
            run.ctx.exec_rr_ses()
        elif command == "genm":
            from .genm import general_message

            general_message(run)
        else:
            _enroll(run, _TYPES[command or "ir"])
    except (TransferError, KeyboardInterrupt):
        raise
    except BaseException:
        run.outcome.pending = False
        raise
    run.outcome.pending = False


def _enroll(run: Run, kind: BodyType) -> None:
    limit = run.opt.number("total_timeout")
    deadline = time.monotonic() + limit if limit > 0 else None
    while not run.ctx.polling.next_step(kind, None):
        seconds: float = run.ctx.check_after or 0
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TransferTimeout(f"total timeout of {limit} s while the server said 'waiting'")
            seconds = min(seconds, int(left) + 1)
        wait(seconds, run.console)
        run.outcome.polls += 1


def _report_status(run: Run) -> None:
    status = run.ctx.status
    source = f" from {server}" if (server := run.opt.text("server")) is not None else ""
    level, label = {
        PKIStatus.accepted: (6, "info"),
        PKIStatus.rejection: (3, "server error"),
        PKIStatus.waiting: (3, "internal error"),
    }.get(status, (4, "warning"))
    message = run.ctx.snprint_pki_status() or "<unknown PKIStatus>"
    clear()  # of the number of a status that is none
    run.console.say(level, f"received{source} {message}", sys.stderr, label)
    run.outcome.status = status.name
    run.outcome.failInfo = failure_names(run.ctx.fail_info)
    run.outcome.text = "\n".join(run.ctx.status_string)


# -- waiting -----------------------------------------------------------------------------------------------

#: Seconds of one sleep: Python sleeps through a signal that comes after its last look and before the system call.
_STEP = 0.25


def wait(seconds: float, console: Console) -> None:
    """Sleep for so many seconds; a terminal shows those that are left, as a bar if rich is installed."""
    silent = not sys.stderr.isatty() or console.verbosity < 6
    end = time.monotonic() + seconds
    with nullcontext(lambda _left: None) if silent else _shown(seconds) as show:
        while (left := end - time.monotonic()) > 0:
            show(left)
            time.sleep(min(left, _STEP))


@contextmanager
def _shown(seconds: float) -> Iterator[Callable[[float], None]]:
    """A function that shows the seconds that are left; nothing stays on the screen."""
    if os.environ.get("TERM") != "dumb":
        try:
            from rich import console as rich_console
            from rich import progress
        except ImportError:
            pass
        else:
            with progress.Progress(
                progress.TextColumn("waiting for the server"),
                progress.BarColumn(),
                progress.TextColumn("next poll in {task.description} s"),
                console=rich_console.Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")) or None),
                auto_refresh=False,
                transient=True,
            ) as bar:
                task = bar.add_task("", total=seconds)
                yield lambda left: bar.update(
                    task, completed=seconds - left, description=f"{left:.0f}", refresh=True
                )
            return
    try:
        yield lambda left: _line(f"waiting for the server, next poll in {left:.0f} s")
    finally:
        _line("")


def _line(text: str) -> None:
    """Overwrite the last line of the terminal."""
    print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)
