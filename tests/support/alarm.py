"""A real signal whose handler raises, for what it is that has to be interruptible."""

from __future__ import annotations

import _thread
import signal
import threading
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


@contextmanager
def missed_alarm() -> Iterator[None]:
    """The same for a signal that comes when the interpreter has looked for the last time before it sleeps.

    No system call is interrupted by it: as if it had come just before.
    """

    def ring(*_: object) -> None:
        raise AlarmError("it is time")

    before = signal.signal(signal.SIGALRM, ring)
    clock = threading.Timer(SOON, _thread.interrupt_main, [signal.SIGALRM])
    clock.start()
    try:
        yield
    finally:
        clock.join()
        signal.signal(signal.SIGALRM, before)
