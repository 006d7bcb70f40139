"""How a request ended: for people with what to do next, for scripts as one JSON object."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._openssl.cert_text import name_of, serial_of
from ..._openssl.convert import cert_to_c
from ..._text import json_text
from ...enums import FailureInfo
from ...errors import (
    CMPError,
    ConfirmError,
    OpenSSLError,
    ProtectionError,
    RejectedError,
    TransferError,
    TransferTimeout,
)

if TYPE_CHECKING:
    from .context import Run
    from .settings import Settings

__all__ = ["Outcome", "failure_names", "pending", "print_json", "report"]

_UNREACHABLE = re.compile(
    r"(?i)connect(ion)? (error|refused|timeout)|lookup|no address|not known|resolve|unreachable"
)
_NOBODY = re.compile(f"{_UNREACHABLE.pattern}|HTTP status|content type|not HTTP|certificate verif|TLS|SSL")
_TLS_UNTRUSTED = re.compile(
    r"(?i)certificate verif|unable to get|self.signed|hostname mismatch|IP address mismatch"
)
_NO_TRUST = re.compile(
    r"(?i)unable to get (local )?issuer|self.signed|no suitable sender cert|issuer certificate"
)


@dataclass
class Outcome:
    """What ``-json`` prints, under these names."""

    failure: str | None = None
    status: str | None = None
    failInfo: list[str] = field(default_factory=list)
    text: str = ""
    transaction: str | None = None
    pending: bool = False
    polls: int = 0
    certificate: dict[str, str] | None = None
    files: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    infos: list[str] | None = None
    """Left out unless there are some."""


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
        outcome.certificate = _certificate(error)
    if isinstance(error, OSError) and not isinstance(error, CMPError):
        name = f"{error.filename}: " if error.filename else ""
        console.error(f"{name}{error.strerror or error}")
    elif str(error):
        if not outcome.polls and isinstance(error, TransferError) and _NOBODY.search(str(error)):
            outcome.pending = False  # no CMP server has had the request
        message = f"{error}{_hint(error, run)}{pending(outcome)}"
        if message.startswith(("cmp: ", "error: ")):
            console.errors.append(message)
            console.plain(message)
        else:
            console.error(message)


def _certificate(error: ConfirmError) -> dict[str, str]:
    """That which came and was not accepted: it may have to be revoked."""
    handle = cert_to_c(error.enrollment.certificate_der)
    return {"subject": name_of(handle), "serial": serial_of(handle)}


def _hint(error: BaseException, run: Run) -> str:
    """What to do next, where that is clear."""
    message, s = str(error), run.opt
    if isinstance(error, TransferTimeout):
        return ". Try a longer -msg_timeout or -total_timeout, or check -server and -proxy"
    if isinstance(error, TransferError):
        return _transfer_hint(message, s)
    if isinstance(error, ProtectionError):
        untimely = [text for text in run.console.warnings if "has expired" in text or "not yet valid" in text]
        return _protection_hint("\n".join([message, *untimely]), s)
    if isinstance(error, ConfirmError):
        return ". It exists at the CA: revoke it if you do not want it. Check -newkey and -out_trusted"
    if isinstance(error, RejectedError):
        return _rejection_hint(error, s)
    return ""


def _transfer_hint(message: str, s: Settings) -> str:
    if s.flag("tls_used") and _TLS_UNTRUSTED.search(message):
        return ". Check -tls_trusted and -tls_host: they must fit the server's TLS certificate"
    if _UNREACHABLE.search(message):
        return ". Check host and port of -server, -proxy and -no_proxy, and whether the server is running"
    return ". Check -server, -path, -proxy and -tls_used: what answered there is no CMP server"


def _protection_hint(message: str, s: Settings) -> str:
    if "unexpected sender" in message:
        return ". Check -expect_sender, -recipient and -srvcert: somebody else has answered"
    if "has expired" in message or "not yet valid" in message:
        return ". A certificate is not valid at this time: check the clock and -attime, or get a new one"
    if s.given("secret"):
        return ". Check -ref and -secret: the server must know the same secret by that reference"
    if _NO_TRUST.search(message):
        return ". Check -trusted and -untrusted, or give the server's certificate itself by -srvcert"
    return ". Check -secret, or -trusted and -untrusted, or -srvcert: the answer must be protected by them"


def _rejection_hint(error: RejectedError, s: Settings) -> str:
    if "no suitable sender cert" in error.text:
        return ". The server does not trust our certificate: check -cert, and -extracerts with its chain"
    names = set(failure_names(error.failure_info))
    by_secret = s.given("secret")
    if "wrongIntegrity" in names and by_secret:
        return ". The server wants a signature: use -cert and -key instead of -secret"
    if names & {"badMessageCheck", "wrongIntegrity"}:
        return ". Check -ref and -secret" if by_secret else ". Check -cert, -key and -extracerts"
    if "signerNotTrusted" in names:
        return ". Check -cert, and -extracerts with the chain: the server does not trust them"
    if "badPOP" in names:
        return ". Check -newkey, -csr and -popo"
    if "badTime" in names:
        return ". Check the clock"
    return ""


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
