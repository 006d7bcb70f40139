"""A bounded number of threads for work that a bounded number of requests may wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from ..._text import get_logger
from .app import Response, refuse

MAX_WAITING = 500

logger = get_logger("osslcmp.server")

Work = Callable[[], Response | None]
Done = Callable[[Response | None], None]
Cancel = Callable[[], bool]


class Workers:
    """Threads that are started when there is work.

    Args:
        threads: the most of them.
        waiting: how many jobs may wait for one.
    """

    def __init__(self, threads: int, waiting: int = MAX_WAITING) -> None:
        self._most, self._waiting = threads, waiting
        self._jobs: dict[object, tuple[Work, Done]] = {}
        self._changed = threading.Condition()
        self._idle = self._running = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    def submit(self, work: Work, done: Done) -> Cancel | None:
        """Have ``work`` done and its result given to ``done``, both in a thread. ``None`` when too much waits already, or
        it is closed; else what drops the work, unless it has begun, and tells whether it did: ``done`` is not called then.
        (``ThreadPoolExecutor`` would keep the request until a thread comes by it.)"""
        job = object()
        with self._changed:
            if self._closed or len(self._jobs) + self._running >= self._most + self._waiting:
                return None
            self._jobs[job] = work, done
            if self._idle >= len(self._jobs):
                self._changed.notify()
            elif len(self._threads) < self._most:
                thread = threading.Thread(target=self._run, name="osslcmp-worker", daemon=True)
                self._threads.append(thread)
                thread.start()
        return partial(self._drop, job)

    def _drop(self, job: object) -> bool:
        with self._changed:
            return self._jobs.pop(job, None) is not None

    def close(self, wait: float = 0) -> None:
        """Take no more work; what has begun is waited for, so many seconds at most."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
        until = time.monotonic() + wait
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._idle += 1
                    self._changed.wait()
                    self._idle -= 1
                work, done = self._jobs.pop(next(iter(self._jobs)))
                self._running += 1
            try:
                response = work()
            except BaseException:  # SystemExit in an authority must not cost the thread
                logger.exception("a message could not be answered")
                response = refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")
            done(response)
            del work, done, response
            with self._changed:
                self._running -= 1
