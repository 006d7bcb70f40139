"""What Linux says about processes, and waiting for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def children(number: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


def importing(*folders: Path, **variables: str) -> dict[str, str]:
    """The environment for a child process that imports from these folders, too."""
    before = filter(None, [os.environ.get("PYTHONPATH")])
    return {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([*map(str, folders), *before])}


def state(number: int) -> str:
    """One letter, as in ps(1); empty when there is no such process."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for it, so long at most."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
