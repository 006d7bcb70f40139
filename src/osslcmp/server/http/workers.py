"""A bounded number of threads for work that a bounded number of requests may wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from ..._text import get_logger
from .app import Response, refuse

MAX_WAITING = 500

logger = get_logger("osslcmp.server")

Work = Callable[[], Response | None]
Done = Callable[[Response | None], None]


class Job:
    """Work that waits for a thread, or has one."""

    def __init__(self, workers: Workers, work: Work, done: Done) -> None:
        self._workers, self._work, self._done = workers, work, done

    def cancel(self) -> bool:
        """Drop it, unless it has begun; ``done`` is not called then. (``ThreadPoolExecutor`` would keep the request
        until a thread comes by it.) Returns whether it was dropped."""
        return self._workers.drop(self)

    def run(self) -> None:
        """Do it, and hand on what came out."""
        try:
            response = self._work()
        except BaseException:  # SystemExit in an authority must not cost the thread
            logger.exception("a message could not be answered")
            response = refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")
        self._done(response)


class Workers:
    """Threads that are started when there is work.

    Args:
        threads: the most of them.
        waiting: how many jobs may wait for one.
    """

    def __init__(self, threads: int, waiting: int = MAX_WAITING) -> None:
        self._most, self._waiting = threads, waiting
        self._jobs: dict[Job, None] = {}
        self._changed = threading.Condition()
        self._idle = self._running = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    def submit(self, work: Work, done: Done) -> Job | None:
        """Have ``work`` done and its result given to ``done``, both in a thread; ``None`` when too much waits already,
        or it is closed."""
        job = Job(self, work, done)
        with self._changed:
            if self._closed or len(self._jobs) + self._running >= self._most + self._waiting:
                return None
            self._jobs[job] = None
            if self._idle >= len(self._jobs):
                self._changed.notify()
            elif len(self._threads) < self._most:
                thread = threading.Thread(target=self._run, name="osslcmp-worker", daemon=True)
                self._threads.append(thread)
                thread.start()
        return job

    def drop(self, job: Job) -> bool:
        """Take a job out of the queue. Returns whether it was there."""
        with self._changed:
            waiting = job in self._jobs
            self._jobs.pop(job, None)
            return waiting

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
                job = next(iter(self._jobs))
                del self._jobs[job]
                self._running += 1
            job.run()
            del job
            with self._changed:
                self._running -= 1
