"""How a request ended: for people with what to do next, for scripts as one JSON object."""

from __future__ import annotations

import re
from typing import Any

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
from .console import Console
from .settings import Settings

__all__ = ["failure_names", "new_outcome", "pending", "print_json", "tell"]

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


def new_outcome() -> dict[str, Any]:
    """What ``-json`` prints, before anything has happened."""
    return {
        "failure": None,
        "status": None,
        "failInfo": [],
        "text": "",
        "transaction": None,
        "pending": False,
        "polls": 0,
        "certificate": None,
        "files": {},
        "errors": [],
    }


def failure_names(flags: FailureInfo) -> list[str]:
    """The names of the bits that are set."""
    return [flag.name or "" for flag in FailureInfo if flag in flags]


def tell(error: BaseException, console: Console, outcome: dict[str, Any], s: Settings | None) -> None:
    """An error for people, and its details for ``-json``."""
    outcome["failure"] = outcome["failure"] or type(error).__name__
    rejected = error.rejected if isinstance(error, ConfirmError) else error
    if isinstance(rejected, RejectedError):
        outcome["status"] = rejected.status.name
        outcome["failInfo"] = failure_names(rejected.failure_info)
        outcome["text"] = rejected.text
    if isinstance(error, (OpenSSLError, RejectedError)):
        outcome["errors"] = [
            {"library": e.library_name, "reason": e.text, "data": e.data, "function": e.function}
            for e in error.errors
        ]
    if isinstance(error, ConfirmError):
        outcome["certificate"] = _certificate(error)
    if isinstance(error, OSError) and not isinstance(error, CMPError):
        name = f"{error.filename}: " if error.filename else ""
        console.error(f"{name}{error.strerror or error}")
    elif str(error):
        if not outcome["polls"] and isinstance(error, TransferError) and _NOBODY.search(str(error)):
            outcome["pending"] = False  # no CMP server has had the request
        message = f"{error}{_hint(error, s, console)}{pending(outcome)}"
        if message.startswith(("cmp: ", "error: ")):
            console.errors.append(message)
            console.plain(message)
        else:
            console.error(message)


def _certificate(error: ConfirmError) -> dict[str, str]:
    """That which came and was not accepted: it may have to be revoked."""
    from ..._openssl.convert import cert_to_c
    from .context import name_of, serial_of

    handle = cert_to_c(error.enrollment.certificate)
    return {"subject": name_of(handle), "serial": serial_of(handle)}


def _hint(error: BaseException, s: Settings | None, console: Console) -> str:
    """What to do next, where that is clear."""
    told = str(error)
    if isinstance(error, TransferTimeout):
        return ". Try a longer -msg_timeout or -total_timeout, or check -server and -proxy"
    if isinstance(error, TransferError):
        return _transfer_hint(told, s)
    if isinstance(error, ProtectionError):
        untimely = [told for told in console.warnings if "has expired" in told or "not yet valid" in told]
        return _protection_hint("\n".join([told, *untimely]), s)
    if isinstance(error, ConfirmError):
        return ". It exists at the CA: revoke it if you do not want it. Check -newkey and -out_trusted"
    if isinstance(error, RejectedError):
        return _rejection_hint(error, s)
    return ""


def _transfer_hint(told: str, s: Settings | None) -> str:
    if s is not None and s.flag("tls_used") and _TLS_UNTRUSTED.search(told):
        return ". Check -tls_trusted and -tls_host: they must fit the server's TLS certificate"
    if _UNREACHABLE.search(told):
        return ". Check host and port of -server, -proxy and -no_proxy, and whether the server is running"
    return ". Check -server, -path, -proxy and -tls_used: what answered there is no CMP server"


def _protection_hint(told: str, s: Settings | None) -> str:
    if "unexpected sender" in told:
        return ". Check -expect_sender, -recipient and -srvcert: somebody else has answered"
    if "has expired" in told or "not yet valid" in told:
        return ". A certificate is not valid at this time: check the clock and -attime, or get a new one"
    if s is not None and s.given("secret"):
        return ". Check -ref and -secret: the server must know the same secret by that reference"
    if _NO_TRUST.search(told):
        return ". Check -trusted and -untrusted, or give the server's certificate itself by -srvcert"
    return ". Check -secret, or -trusted and -untrusted, or -srvcert: the answer must be protected by them"


def _rejection_hint(error: RejectedError, s: Settings | None) -> str:
    if "no suitable sender cert" in error.text:
        return ". The server does not trust our certificate: check -cert, and -extracerts with its chain"
    names = set(failure_names(error.failure_info))
    if names & {"badMessageCheck", "wrongIntegrity"}:
        by_secret = s is None or s.given("secret")
        return ". Check -ref and -secret" if by_secret else ". Check -cert, -key and -extracerts"
    if "signerNotTrusted" in names:
        return ". Check -cert, and -extracerts with the chain: the server does not trust them"
    if "badPOP" in names:
        return ". Check -newkey, -csr and -popo"
    if "badTime" in names:
        return ". Check the clock"
    return ""


def pending(outcome: dict[str, Any]) -> str:
    """What stays at the server; empty if nothing does."""
    if not outcome["pending"]:
        return ""
    return (
        f"; transaction {outcome['transaction']} may be pending at the server. "
        "The command cannot go on with it: run it again for a new one"
    )


def print_json(outcome: dict[str, Any], console: Console, code: int) -> None:
    """The one object on stdout."""
    told = {"ok": code == 0, "exit": code, **outcome}
    told["messages"] = {"errors": console.errors, "warnings": console.warnings}
    print(json_text(told, indent=2))
