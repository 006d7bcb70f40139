"""SQLite's commits of several threads go to the disk together; what one of them does wrong is its own."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.threads import at_once

from osslcmp.server.ca.database import ConflictError, Unit
from osslcmp.server.ca.store import Store
from osslcmp.server.ca.tables import CertificateRow

THREADS = 8


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.in_file(tmp_path / "database")
    yield found
    found.close()


@pytest.fixture
def commits() -> Iterator[list[int]]:
    """One for each commit of any engine."""
    found: list[int] = []

    def count(_: sa.Connection) -> None:
        found.append(1)

    sa.event.listen(sa.Engine, "commit", count)
    yield found
    sa.event.remove(sa.Engine, "commit", count)


def behind_one_that_waits(store: Store, serials: list[int]) -> list[Exception | None]:
    """Add a certificate in a thread each, while a transaction is open; what they raise."""
    entered, go = threading.Event(), threading.Event()

    def wait(_: sa.Connection) -> None:
        entered.set()
        go.wait()

    first = threading.Thread(target=store.commit, args=(Unit([wait]),))
    first.start()
    entered.wait()

    def add(serial: int) -> Exception | None:
        threading.Timer(0.3, go.set).start()
        try:
            store.add_certificate(CertificateRow(serial, b"der", b"hash", None, True, 0.0, not_after=9.0))
        except Exception as error:
            return error
        return None

    found = at_once(add, serials)
    first.join()
    return found


def test_what_waits_goes_together(store: Store, commits: list[int]) -> None:
    serials = list(range(1, THREADS + 1))
    assert behind_one_that_waits(store, serials) == [None] * THREADS
    assert sorted(row.serial for row in store.certificates()) == serials
    assert len(commits) < 1 + THREADS


def test_a_conflict_is_that_of_one(store: Store) -> None:
    serials = [1, 2, 3, 3, 4, 5]
    found = [error for error in behind_one_that_waits(store, serials) if error is not None]
    assert [type(error) for error in found] == [ConflictError]
    assert [row.serial for row in store.certificates()].count(3) == 1
    assert {row.serial for row in store.certificates()} == set(serials)


def test_a_database_that_is_away_is_told_to_each(store: Store) -> None:
    """Of one who may not begin, nobody waits for the time of all."""
    began: list[float] = []

    def locked(_: sa.Connection) -> None:
        began.append(time.monotonic())
        if len(began) > 1:
            raise sqlite3.OperationalError("database is locked")

    sa.event.listen(sa.Engine, "begin", locked)
    try:
        found = behind_one_that_waits(store, [1, 2, 3, 4])
    finally:
        sa.event.remove(sa.Engine, "begin", locked)
    assert {str(error) for error in found} == {"database is locked"}
    assert len({id(error) for error in found}) == len(found)
    assert store.certificates() == []
    assert behind_one_that_waits(store, [1, 2]) == [None, None]


def test_an_interrupt_of_who_writes_takes_nothing_from_the_others(store: Store) -> None:
    """What was with it is written by the next."""

    def interrupt(_: sa.Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.commit(Unit([interrupt]))
    assert behind_one_that_waits(store, [1, 2, 3]) == [None] * 3
