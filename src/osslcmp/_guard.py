"""Who may do what with a context while: other threads, callbacks, sleepers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from queue import Empty, SimpleQueue
from typing import Concatenate, ParamSpec, Protocol, TypeVar

__all__ = ["Wakeup", "guarded", "locked"]


class _Guarded(Protocol):
    def _enter(self) -> None: ...
    def _leave(self) -> None: ...
    def _refuse_inside(self, what: str) -> None: ...


_C = TypeVar("_C", bound=_Guarded)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class Wakeup:
    """Ends a sleep. A signal handler may set it, unlike a ``threading.Event``."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._calls.put(None)

    def clear(self) -> None:
        with suppress(Empty):
            while True:
                self._calls.get_nowait()

    def wait(self, seconds: float) -> None:
        """Sleep until it is set, at most so long."""
        with suppress(Empty):
            self._calls.get(timeout=seconds)


def locked(method: Callable[Concatenate[_C, _P], _R]) -> Callable[Concatenate[_C, _P], _R]:
    """A method of a context that takes several steps: no other thread may come in between."""

    @wraps(method)
    def alone(self: _C, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        self._enter()
        try:
            return method(self, *args, **kwargs)
        finally:
            self._leave()

    return alone


def guarded(method: Callable[Concatenate[_C, _P], _R]) -> Callable[Concatenate[_C, _P], _R]:
    """The same, and not from within a callback either: it frees what C is working with."""

    @wraps(method)
    def outside(self: _C, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        self._refuse_inside(f"{method.__name__}()")
        return method(self, *args, **kwargs)

    return locked(outside)
