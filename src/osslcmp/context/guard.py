"""Who may do what with a context while: other threads, callbacks, sleepers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from threading import Lock, get_ident
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from .._openssl.lib import NULL, forks, lib
from .._openssl.providers import LibraryContext


class Guard:
    """Whose a context is for the moment. One thread may enter it again and again."""

    def __init__(self, library: LibraryContext | None = None) -> None:
        self.library = library
        self.fork_generation = forks.count
        #: The thread's number under 0, while there is one: setting it is one step for all threads.
        self.owner: dict[int, int] = {}
        #: Whether C is at work and may call back.
        self.running = False

    def refuse_inside(self, what: str) -> None:
        """Raise ``RuntimeError`` within a callback."""
        if self.running:
            raise RuntimeError(f"{what} is not possible while a transaction runs on this context")


class _Guarded(Protocol):
    _guard: Guard


_C = TypeVar("_C", bound=_Guarded)
_P = ParamSpec("_P")
_R = TypeVar("_R")


#: Seconds of one sleep: Python sleeps through a signal that comes after its last look and before the system call.
_STEP = 0.25


class Wakeup:
    """Ends a sleep. A signal handler may set it, unlike a ``threading.Event``."""

    def __init__(self) -> None:
        self._asleep = Lock()
        self._asleep.acquire()

    def set(self) -> None:
        """End the sleep that goes on, or else the next one."""
        with suppress(RuntimeError):  # it is set already
            self._asleep.release()

    def clear(self) -> None:
        """Forget earlier calls of :meth:`set`."""
        self._asleep.acquire(blocking=False)

    def wait(self, seconds: float) -> None:
        """Sleep until it is set, at most so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._asleep.acquire(timeout=min(left, _STEP)):
                return


def locked(method: Callable[Concatenate[_C, _P], _R]) -> Callable[Concatenate[_C, _P], _R]:
    """A method of a context or of a part of it that takes several steps: no other thread may come in between."""
    return _alone(method, called_back=True)


def guarded(method: Callable[Concatenate[_C, _P], _R]) -> Callable[Concatenate[_C, _P], _R]:
    """A :func:`locked` method that may not be called from within a callback either: it frees what C is working with."""
    return _alone(method, called_back=False)


def _alone(
    method: Callable[Concatenate[_C, _P], _R], *, called_back: bool
) -> Callable[Concatenate[_C, _P], _R]:
    """A signal handler may raise after any call. So there is none here between a change and the knowledge of it: a
    context that is left must not stay busy for ever."""

    @wraps(method)
    def alone(self: _C, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        guard, me = self._guard, get_ident()
        owners = guard.owner
        if guard.fork_generation != forks.count:
            raise RuntimeError("this context was made before a fork: make a new one in the child")
        if owners.get(0) == me:  # a step of one of ours, which lets go at its end
            if guard.running and not called_back:
                guard.refuse_inside(f"{method.__name__}()")
            return method(self, *args, **kwargs)
        owner = me
        try:
            owner = owners.setdefault(0, me)
            if owner != me:
                raise RuntimeError("this context is in use by another thread: one thread at a time")
            if guard.library is None:
                return method(self, *args, **kwargs)
            return _within(guard.library, method, self, *args, **kwargs)
        finally:
            if owner == me and 0 in owners and owners[0] == me:
                del owners[0]

    return alone


def _within(
    library: LibraryContext,
    method: Callable[Concatenate[_C, _P], _R],
    self: _C,
    /,
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _R:
    """Call ``method`` with this library context as the thread's default."""
    outer = lib.OSSL_LIB_CTX_set0_default(NULL)  # changes nothing
    try:
        lib.OSSL_LIB_CTX_set0_default(library.pointer)
        return method(self, *args, **kwargs)
    finally:
        lib.OSSL_LIB_CTX_set0_default(outer)
