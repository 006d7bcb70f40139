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

from osslcmp._files import locked
from osslcmp.server.ca import database
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
def events() -> Iterator[list[str]]:
    """What any engine begins and commits."""
    found: list[str] = []

    def begin(_: sa.Connection) -> None:
        found.append("begin")

    def commit(_: sa.Connection) -> None:
        found.append("commit")

    sa.event.listen(sa.Engine, "begin", begin)
    sa.event.listen(sa.Engine, "commit", commit)
    yield found
    sa.event.remove(sa.Engine, "begin", begin)
    sa.event.remove(sa.Engine, "commit", commit)


def behind_one_that_waits(
    store: Store, serials: list[int], other: Store | None = None
) -> list[Exception | None]:
    """Add a certificate in a thread each, while a transaction is open, of the same or another store; what they raise."""
    entered, go = threading.Event(), threading.Event()

    def wait(_: sa.Connection) -> None:
        entered.set()
        go.wait()

    first = threading.Thread(target=(other or store).commit, args=(Unit([wait]),))
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


def test_what_waits_goes_together(store: Store, events: list[str]) -> None:
    serials = list(range(1, THREADS + 1))
    assert behind_one_that_waits(store, serials) == [None] * THREADS
    assert sorted(row.serial for row in store.certificates()) == serials
    assert events.count("commit") < 1 + THREADS


def test_processes_queue(store: Store, tmp_path: Path, events: list[str]) -> None:
    """Nobody tries in vain while another one writes, and what comes meanwhile goes together."""
    other = Store.in_file(tmp_path / "database")
    events.clear()
    serials = list(range(1, THREADS + 1))
    assert behind_one_that_waits(store, serials, other) == [None] * THREADS
    other.close()
    assert events == ["begin", "commit"] * 2
    assert sorted(row.serial for row in store.certificates()) == serials


def test_a_database_that_is_away_is_told_to_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has been in the queue for as long as one waits for a lock does not begin to wait for that."""
    stores = [Store.in_file(tmp_path / "database") for _ in range(4)]
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    began: list[str] = []

    def locked(_: sa.Connection) -> None:
        began.append("begin")
        time.sleep(0.5)
        raise sqlite3.OperationalError("database is locked")

    def add(store: Store) -> None:
        with pytest.raises((sqlite3.OperationalError, sa.exc.OperationalError), match="database is locked"):
            store.commit(Unit())

    sa.event.listen(sa.Engine, "begin", locked)
    try:
        at_once(add, stores)
    finally:
        sa.event.remove(sa.Engine, "begin", locked)
    assert len(began) < len(stores)
    for store in stores:
        store.commit(Unit())
        store.close()


def test_a_process_that_is_stopped_keeps_one_commit_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the lock by which they queue, and cannot be waited for with a limit."""
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.5)
    store = Store.in_file(tmp_path / "database")
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 60)
    refused = threading.Semaphore(0)

    def add(serial: int) -> bool:
        try:
            store.add_certificate(CertificateRow(serial, b"der", b"hash", None, True, 0.0, not_after=9.0))
        except sa.exc.OperationalError as error:
            refused.release()
            return "database is locked" not in str(error)
        return True

    def stopped() -> None:
        with locked(tmp_path / "database-wal"):
            has_it.set()
            for _ in range(THREADS - 1):
                assert refused.acquire(timeout=20)

    has_it = threading.Event()
    other = threading.Thread(target=stopped)
    other.start()
    has_it.wait()
    added = at_once(add, list(range(THREADS)))
    other.join()
    assert added.count(True) == 1
    assert [row.serial for row in store.certificates()] == [added.index(True)]
    store.close()


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
