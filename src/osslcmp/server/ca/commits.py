"""Changes of several threads that go to the disk in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass

import sqlalchemy as sa

Write = Callable[[sa.Connection], object]


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
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._writing = writing
        self._queue: list[_Commit] = []
        self._turn = threading.Lock()

    def commit(self, write: Write) -> None:
        """Have it written, with what else waits: all of it is on the disk then, or an exception tells why nothing is.

        What fails is tried again without the others, so that ``write`` can be called twice.
        """
        mine = _Commit(write)
        self._queue.append(mine)
        try:
            with self._turn:
                while not mine.done:
                    self._write()
        finally:
            self._queue.remove(mine)
        if mine.error is not None:
            raise mine.error

    def _waiting(self) -> list[_Commit]:
        return [one for one in [*self._queue] if not one.done]

    def _write(self, commits: list[_Commit] | None = None) -> None:
        begun = False
        try:
            with self._writing() as connection:
                begun, commits = True, commits or self._waiting()  # whoever has come by now
                for one in commits:
                    one.write(connection)
        except Exception as error:
            commits = commits or self._waiting()
            if begun and len(commits) > 1:
                for one in commits:
                    self._write([one])
                return
            for one in commits:
                one.error = copy(error)  # each is raised in its own thread
        for one in commits:
            one.done = True
