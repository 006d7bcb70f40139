"""Callables that raise, and what applications raise in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class OwnError(Exception):
    """An application's exception."""


def raiser(exception: BaseException) -> Callable[..., Any]:
    """A callable that raises it, whatever it is given."""

    def raise_it(*_arguments: object) -> Any:
        raise exception

    return raise_it


#: Each makes a fresh exception of another kind.
RAISED: list[Callable[[], BaseException]] = [
    lambda: OwnError("of our own"),
    lambda: ValueError("a usual one"),
    KeyboardInterrupt,
    lambda: SystemExit(3),
    MemoryError,
]
