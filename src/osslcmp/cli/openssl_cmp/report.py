"""How a request ended: for people with what to do next, for scripts as one JSON object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..._openssl.convert import cert_to_c
from ..._openssl.names import name_of, serial_of
from ..._text import json_text
from ...enums import FailureInfo
from ...errors import CMPError, ConfirmError, OpenSSLError, RejectedError, TransferError

if TYPE_CHECKING:
    from .context import Run

#: Of failures before any CMP server has had the request.
_NOBODY = (
    r"(?i)connect(ion)? (error|refused|timeout)|lookup|no address|not known|resolve|unreachable|HTTP status|content type"
    r"|not HTTP|certificate verif|TLS|SSL"
)


class Outcome:
    """What ``-json`` prints, under these names."""

    def __init__(self) -> None:
        self.failure: str | None = None
        self.status: str | None = None
        self.failInfo: list[str] = []
        self.text = ""
        self.transaction: str | None = None
        self.pending = False
        self.polls = 0
        self.certificate: dict[str, str] | None = None
        self.files: dict[str, str] = {}
        self.errors: list[dict[str, Any]] = []
        #: What to do, as it ends the message.
        self.hint = ""
        #: Left out unless there are some.
        self.infos: list[str] | None = None


def failure_names(flags: FailureInfo) -> list[str]:
    """The names of the bits that are set."""
    return [flag.name or "" for flag in FailureInfo if flag in flags]


def report(error: BaseException, run: Run) -> None:
    """Print an error for people, and keep its details for ``-json``."""
    outcome, console = run.outcome, run.console
    outcome.failure = outcome.failure or type(error).__name__
    rejected = error.rejected if isinstance(error, ConfirmError) else error
    if isinstance(rejected, RejectedError):
        outcome.status = rejected.status.name
        outcome.failInfo = failure_names(rejected.failure_info)
        outcome.text = rejected.text
    if isinstance(error, (OpenSSLError, RejectedError)):
        outcome.errors = [
            {"library": e.library_name, "reason": e.text, "data": e.data, "function": e.function}
            for e in error.errors
        ]
    if isinstance(error, ConfirmError):
        outcome.certificate = described(cert_to_c(error.enrollment.certificate_der))
    if isinstance(error, OSError) and not isinstance(error, CMPError):
        name = f"{error.filename}: " if error.filename else ""
        console.error(f"{name}{error.strerror or error}")
    elif str(error):
        from ...context.hints import advise

        advise(error, by_secret=run.opt.given("secret"), options=True)
        if not outcome.polls and isinstance(error, TransferError) and re.search(_NOBODY, error.args[0]):
            outcome.pending = False  # no CMP server has had the request
        message = f"{error}{pending(outcome)}"
        if message.startswith(("cmp: ", "error: ")):
            console.errors.append(message)
            console.plain(message)
        else:
            console.error(message)


def described(cert: Any) -> dict[str, str]:
    """An ``X509 *`` that came: if it was not accepted, it may have to be revoked."""
    return {"subject": name_of(cert), "serial": serial_of(cert)}


def pending(outcome: Outcome) -> str:
    """What stays at the server; empty if nothing does."""
    if not outcome.pending:
        return ""
    return (
        f"; transaction {outcome.transaction} may be pending at the server. "
        "The command cannot go on with it: run it again for a new one"
    )


def print_json(run: Run, code: int) -> None:
    """The one object on stdout."""
    found = {"ok": code == 0, "exit": code, **vars(run.outcome)}
    if run.outcome.infos is None:
        del found["infos"]
    found["messages"] = {"errors": run.console.errors, "warnings": run.console.warnings}
    print(json_text(found, indent=2))
