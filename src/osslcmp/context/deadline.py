"""How long to wait, and for what. Pure Python."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ..enums import BodyType

#: The most that a limit in seconds may be: what an int of C holds.
_MAX_SECONDS = 0x7FFFFFFF

#: Seconds that are kept back for the last poll, and the share of the whole time that they may be at most.
_LAST_POLL, _LAST_SHARE = 5.0, 0.1
#: A server that says "ask again now" still leaves the processor to others.
_SHORTEST = 0.001


class Progress(NamedTuple):
    """What ``on_wait`` gets before each sleep of ``rr``, ``genm`` and its helpers, and of a context.

    A :class:`osslcmp.Transaction`, which ``ir``, ``cr``, ``p10cr`` and ``kur`` give it, has the same attributes.
    """

    type: BodyType
    """What was asked for: ``RR`` or ``GENM``; of a context also ``IR``, ``CR``, ``P10CR``, ``KUR``."""
    check_after: int
    """Seconds that the server asked to wait."""
    elapsed: float
    """Seconds since the request was sent."""
    polls: int
    """How often the server has said *waiting* to a poll so far."""
    reason: str = ""
    """Why it takes time, in the server's words; may be empty."""


class Pause(NamedTuple):
    """Between two polls."""

    seconds: float
    """How long to sleep before the next poll."""
    progress: Progress
    """For ``on_wait``, before that."""


OnWait = Callable[[Any], object]
"""Called before each sleep with a :class:`Progress` or a :class:`osslcmp.Transaction`; what it raises ends the call."""


def check_on_wait(on_wait: OnWait | None) -> None:
    """``TypeError`` if it cannot be called."""
    if on_wait is not None and not callable(on_wait):
        raise TypeError(f"on_wait: a callable, not {type(on_wait).__name__}")


def check_seconds(what: str, total: float | None, least: float = 0) -> None:
    """``TypeError`` or ``ValueError`` if it is no limit: a number of seconds, or ``None`` or infinite for none."""
    if total is not None and not isinstance(total, (int, float)):
        raise TypeError(f"{what}: a number of seconds or None, not {type(total).__name__}")
    if total not in (None, math.inf) and not least <= total <= _MAX_SECONDS:
        raise ValueError(f"{what}: {total} is no number of seconds from {max(least, 0)} to {_MAX_SECONDS}")


class Deadline:
    """The total time of one request.

    Args:
        total: seconds, ``None`` or 0 for no limit.
    """

    def __init__(self, total: float | None) -> None:
        check_seconds("timeout", total, -math.inf)
        total = self.total = None if total == math.inf else total or None
        self._begun = time.monotonic()
        self._asked_last = False
        self._reserve = min(_LAST_POLL, total * _LAST_SHARE) if total else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float | None:
        """Seconds that are left, ``None`` if there is no limit."""
        return None if self.total is None else self._begun + self.total - time.monotonic()

    def sleep(self, seconds: float) -> float | None:
        """How long to sleep when the server asked for ``seconds``; ``None``: the time is over.

        The last sleep is cut so that one poll can follow in time.
        """
        left = self.left
        seconds = min(max(seconds, _SHORTEST), threading.TIMEOUT_MAX)
        if left is None or seconds < left - self._reserve:
            return seconds
        if self._asked_last or left <= 0:
            return None
        self._asked_last = True
        return max(left - self._reserve, _SHORTEST)
