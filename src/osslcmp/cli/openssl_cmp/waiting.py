"""Waiting for the server: asleep, and on a terminal with something to see."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from .console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait"]

#: Seconds of one sleep: Python sleeps through a signal that comes after its last look and before the system call.
_STEP = 0.25


def wait(seconds: float, console: Console) -> None:
    """Sleep so long. A terminal shows how long still, as a bar if rich is installed."""
    silent = not sys.stderr.isatty() or console.verbosity < 6
    end = time.monotonic() + seconds
    with nullcontext(_ignore) if silent else _shown(seconds) as show:
        while (left := end - time.monotonic()) > 0:
            show(left)
            time.sleep(min(left, _STEP))


def _ignore(_left: float) -> None:
    pass


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
    """Take the place of what the line said before."""
    print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)
