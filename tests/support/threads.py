"""Many threads that do something at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_A = TypeVar("_A")
_R = TypeVar("_R")


def at_once(work: Callable[[_A], _R], arguments: Iterable[_A]) -> list[_R]:
    """``work`` with each argument, in a thread of its own: what they return, in order. Raises what one of them raises."""
    given = list(arguments)
    begin = threading.Barrier(len(given))

    def one(argument: _A) -> _R:
        begin.wait()
        return work(argument)

    with ThreadPoolExecutor(len(given)) as threads:
        return list(threads.map(one, given))
