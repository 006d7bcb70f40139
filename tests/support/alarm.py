"""A real signal whose handler raises, for what it is that has to be interruptible."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds until it rings, unless told otherwise.
SOON = 0.1
#: Seconds after which a call that waits for nothing has not been interrupted, but has slept or timed out.
LIMIT = 20.0


class AlarmError(BaseException):
    """What the signal handler raises: like KeyboardInterrupt, no Exception."""


@contextmanager
def alarm(
    seconds: float = SOON, *, every: float = 0.0, error: type[BaseException] = AlarmError
) -> Iterator[None]:
    """SIGALRM in so many seconds, and then every so many (0: once), whose handler raises ``error``."""

    def ring(*_: object) -> None:
        raise error("it is time")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, every)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
