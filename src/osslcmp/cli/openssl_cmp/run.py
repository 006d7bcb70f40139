"""Sends the request, waits as told, and saves what came."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from ..._openssl.errorqueue import clear
from ..._openssl.lib import usable_version
from ...enums import BodyType, PKIStatus
from ...errors import CMPError, TransferError, TransferTimeout
from .console import Console, Failure
from .context import CommandContext
from .load import Loader
from .report import failure_names
from .results import save, save_results, save_server_cert
from .settings import Settings
from .waiting import wait

__all__ = ["run"]

_SINCE_3_2 = usable_version >= (3, 2, 0)
_TYPES = {"ir": BodyType.IR, "cr": BodyType.CR, "kur": BodyType.KUR, "p10cr": BodyType.P10CR}


def run(ctx: CommandContext, s: Settings, console: Console, loader: Loader, outcome: dict[str, Any]) -> None:
    """As often as ``-repeat`` says. Raises CMPError, Failure, OSError, and what a transfer raised."""
    for _ in range(s.number("repeat")):
        failure: BaseException | None = None
        try:
            _perform(ctx, s, console, loader, outcome)
        except CMPError as error:
            failure = error
        if ctx.status < PKIStatus.accepted:
            # No answer came, or there was not even a request.
            raise failure or Failure("no answer came")
        _tell_status(ctx, s, console, outcome)
        if _SINCE_3_2:
            save_server_cert(ctx, s, console, outcome)
        else:
            save(ctx, s, console, outcome, "extracertsout")
        if failure is not None:
            raise failure
        save_results(ctx, s, console, loader, outcome)
        ctx.reinit()


def _perform(
    ctx: CommandContext, s: Settings, console: Console, loader: Loader, outcome: dict[str, Any]
) -> None:
    # Chosen here, so that whoever is interrupted can be told.
    transaction = os.urandom(16)
    ctx.set_transaction_id(transaction)
    outcome["transaction"] = transaction.hex()
    outcome["pending"] = True
    ctx.on_wait = lambda asked: console.info(f"the server wants to be asked again in {asked.check_after} s")
    command = s.text("cmd")
    try:
        if command == "rr":
            ctx.exec_rr_ses()
        elif command == "genm":
            from .genm import general_message

            general_message(ctx, s, console, loader, outcome)
        else:
            _enroll(ctx, _TYPES[command or "ir"], s.number("total_timeout"), console, outcome)
    except (TransferError, KeyboardInterrupt):
        raise
    except BaseException:
        outcome["pending"] = False
        raise
    outcome["pending"] = False


def _enroll(
    ctx: CommandContext, kind: BodyType, limit: int, console: Console, outcome: dict[str, Any]
) -> None:
    deadline = time.monotonic() + limit if limit > 0 else None
    while ctx.try_certreq(kind) is None:
        seconds: float = ctx.check_after or 0
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TransferTimeout(f"total timeout of {limit} s while the server said 'waiting'")
            seconds = min(seconds, int(left) + 1)
        wait(seconds, console)
        outcome["polls"] += 1


def _tell_status(ctx: CommandContext, s: Settings, console: Console, outcome: dict[str, Any]) -> None:
    status = ctx.status
    source = f" from {server}" if (server := s.text("server")) is not None else ""
    level, label = {
        PKIStatus.accepted: (6, "info"),
        PKIStatus.rejection: (3, "server error"),
        PKIStatus.waiting: (3, "internal error"),
    }.get(status, (4, "warning"))
    told = ctx.snprint_pki_status() or "<unknown PKIStatus>"
    clear()  # of the number of a status that is none
    console.say(level, f"received{source} {told}", sys.stderr, label)
    outcome["status"] = status.name
    outcome["failInfo"] = failure_names(ctx.fail_info)
    outcome["text"] = "\n".join(ctx.status_string)
