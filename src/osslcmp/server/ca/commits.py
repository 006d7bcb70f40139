"""Changes of several threads that go to the disk in one transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from copy import copy
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

Write = Callable[[sa.Connection], object]


def database_is_locked() -> OperationalError:
    """As SQLite says it."""
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


@dataclass(eq=False)
class _Commit:
    write: Write
    done: bool = False
    error: Exception | None = None


class SharedCommits:
    """Writes for all threads of a process: SQLite's writers wait for each other, each until its commit is on the disk,
    which takes as long for one change as for many.

    Args:
        writing: a transaction of the database.
        patience: seconds after which one that nobody has begun with is given up.
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[sa.Connection]], patience: float) -> None:
        self._writing, self._patience = writing, patience
        #: What nobody has begun with.
        self._queue: list[_Commit] = []
        self._turn = threading.Lock()

    def commit(self, write: Write) -> None:
        """Have it written, with what else waits: all of it is on the disk then, or an exception tells why nothing is.

        What fails is tried again without the others, so that ``write`` can be called twice.
        """
        mine = _Commit(write)
        self._queue.append(mine)
        try:
            if not self._turn.acquire(timeout=self._patience):
                with suppress(ValueError):  # raised for what is being written
                    self._queue.remove(mine)
                    raise database_is_locked()  # whose turn it is waits for a process that has been stopped, say
                self._turn.acquire()
            try:
                while not mine.done:
                    self._write()
            finally:
                self._turn.release()
        finally:
            with suppress(ValueError):
                self._queue.remove(mine)
        if mine.error is not None:
            raise mine.error

    def _taken(self) -> list[_Commit]:
        found = []
        while self._queue:
            found.append(self._queue.pop(0))
        return found

    def _write(self, commits: list[_Commit] | None = None) -> None:
        begun = False
        try:
            with self._writing() as connection:
                begun, commits = True, commits or self._taken()  # whoever has come by now
                for one in commits:
                    one.write(connection)
        except Exception as error:
            commits = commits or self._taken()
            if begun and len(commits) > 1:
                for one in commits:
                    self._write([one])
                return
            for one in commits:
                one.error = copy(error)  # each is raised in its own thread
        for one in commits:
            one.done = True
