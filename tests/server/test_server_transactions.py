"""The table of open transactions."""

from __future__ import annotations

import pytest
from support.forge import Forger
from support.threads import at_once

from osslcmp.server import wire
from osslcmp.server.transactions import FullError, InUseError, Table, Transaction

MESSAGE = wire.read_message(Forger().request())


class Item(Transaction):
    """A transaction that counts how often it is closed."""

    closings = 0

    def __init__(self, name: bytes) -> None:
        super().__init__(MESSAGE)
        self.id = name

    def drop_engine(self) -> None:
        assert self.lock.locked()
        self.closings += 1


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(clock: Clock) -> Table:
    return Table(3, clock)


def opened(table: Table, name: bytes, seconds: float = 10) -> Item:
    """A transaction that waits for its client."""
    item = Item(name)
    table.add(item)
    table.keep(item, seconds)
    item.lock.release()
    return item


def test_found_again(table: Table) -> None:
    item = opened(table, b"a")
    assert table.get(b"a") is item
    assert table.get(b"b") is None
    assert len(table) == 1


def test_in_use(table: Table) -> None:
    item = opened(table, b"a")
    with pytest.raises(InUseError):
        table.add(Item(b"a"))
    assert table.get(b"a") is item


def test_full(table: Table) -> None:
    for name in (b"a", b"b", b"c"):
        opened(table, name)
    with pytest.raises(FullError):
        table.add(Item(b"d"))


def test_late(table: Table, clock: Clock) -> None:
    early, late = opened(table, b"a", 10), opened(table, b"b", 20)
    clock.now = 11
    assert table.get(b"a") is None
    assert table.get(b"b") is late
    assert (early.closings, early.closed, late.closings) == (1, True, 0)


def test_room_when_late(table: Table, clock: Clock) -> None:
    for name in (b"a", b"b", b"c"):
        opened(table, name, 0.5)
    clock.now = 2
    opened(table, b"d")
    assert len(table) == 1


def test_not_late_while_worked_on(table: Table, clock: Clock) -> None:
    item = opened(table, b"a", 10)
    with item.lock:
        clock.now = 100
        assert table.get(b"a") is item
        table.keep(item, 10)
    clock.now = 105
    assert table.get(b"a") is item
    clock.now = 200
    assert table.get(b"a") is None


def test_removed_once(table: Table) -> None:
    item = opened(table, b"a")
    with item.lock:
        table.remove(item)
        table.remove(item)
    assert item.closings == 1
    assert table.get(b"a") is None


def test_removal_spares_a_successor(table: Table) -> None:
    old = opened(table, b"a")
    with old.lock:
        table.remove(old)
        new = opened(table, b"a")
        table.remove(old)
    assert table.get(b"a") is new


def test_clear(table: Table) -> None:
    idle, busy = opened(table, b"a"), opened(table, b"b")
    with busy.lock:
        table.clear()
        assert table.get(b"b") is busy
    assert idle.closed
    assert not busy.closed


def test_many_threads() -> None:
    """One winner for each transactionID, whoever comes first."""
    table = Table(1000)
    won: list[bytes] = []

    def work(_: int) -> None:
        for number in range(200):
            try:
                opened(table, b"%d" % number)
            except InUseError:
                continue
            won.append(b"%d" % number)

    at_once(work, range(8))
    assert sorted(won) == sorted(b"%d" % number for number in range(200))
