"""``osslcmp serve --processes N``: one process that answers nothing keeps N others, which share its socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from typing import NoReturn

from .._text import get_logger

logger = get_logger("osslcmp.server")

Ready = Callable[[str], None]
"""Called with the line for stdout when a process can answer."""
Work = Callable[[Ready], int]
"""What a process does until it gets SIGTERM; returns its exit status."""

_END = {signal.SIGTERM, signal.SIGINT}
_WAITED = {*_END, signal.SIGHUP, signal.SIGCHLD}
_PAUSE = 1.0  # seconds between two starts of what does not stay


class Processes:
    """Forks from a process that has no other thread. One that dies is replaced; when this one dies, the others end.

    Args:
        count: how many there are.
        work: what each does.
        reload: is called at SIGHUP, in the first process; the others get the signal if it returns True.
        hung_up: tells of a SIGHUP whether it is to end them instead.
    """

    def __init__(
        self, count: int, work: Work, reload: Callable[[], bool], hung_up: Callable[[], bool]
    ) -> None:
        self._count, self._work, self._reload, self._hung_up = count, work, reload, hung_up
        self._context = multiprocessing.get_context("fork")
        self._alive: list[ForkProcess] = []
        # Nobody writes: whoever reads learns that this process has ended.
        self._watched, self._held = os.pipe()
        self._failed = False

    def run(self, ready: Ready) -> int:
        """Until SIGTERM or SIGINT, which is passed on to the others; so is a second one.

        Returns:
            The exit status: 0, or 1 if not all have ended as they should or one could not start.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
        try:
            for number in range(self._count):
                line = self._start()
                if line is None:
                    self._failed = True
                    break
                if number == self._count - 1:
                    ready(line)
            if not self._failed:
                self._keep()
            self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return int(self._failed)

    def _start(self) -> str | None:
        """Start one and wait until it can answer; what it says then, None if it has ended."""
        reading, writing = os.pipe()
        process = self._context.Process(target=self._child, args=(reading, writing), name="osslcmp-serve")
        process.start()
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            line = pipe.read()
        self._alive.append(process)
        return line or None

    def _child(self, reading: int, writing: int) -> NoReturn:
        os.close(self._held)
        os.close(reading)
        os.setpgid(0, 0)  # Ctrl-C is for the first process, which tells the others
        threading.Thread(target=self._watch, name="osslcmp-parent", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

        def ready(line: str) -> None:
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                pipe.write(line)

        raise SystemExit(self._work(ready))

    def _watch(self) -> None:
        os.read(self._watched, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _keep(self) -> None:
        """Replace those that die, until a signal says to end."""
        last = time.monotonic()
        while True:
            came = signal.sigtimedwait(_WAITED, _PAUSE)
            number = None if came is None else came.si_signo
            if number in _END or (number == signal.SIGHUP and self._hung_up()):
                return
            if number == signal.SIGHUP and self._reload():
                self._signal(signal.SIGHUP)
            for process in self._reap():
                logger.error("process %d has ended with status %d", process.pid, process.exitcode)
            if len(self._alive) < self._count and time.monotonic() - last >= _PAUSE:
                last = time.monotonic()
                self._start()

    def _reap(self) -> list[ForkProcess]:
        """Those that have ended since."""
        ended = [process for process in self._alive if process.exitcode is not None]
        self._alive = [process for process in self._alive if process not in ended]
        return ended

    def _stop(self) -> None:
        self._signal(signal.SIGTERM)
        while self._alive:
            self._failed |= any(process.exitcode != 0 for process in self._reap())
            came = signal.sigtimedwait(_WAITED, _PAUSE) if self._alive else None
            if came is not None and came.si_signo in _END:
                self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._alive:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, number)
