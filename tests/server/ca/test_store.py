"""The database of the persistent CA, on SQLite and PostgreSQL: what it keeps, and two writers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from support.threads import at_once

from osslcmp.server.ca import store as store_module
from osslcmp.server.ca.database import ConflictError
from osslcmp.server.ca.store import Store
from osslcmp.server.ca.tables import CertificateRow, SecretRow, TransactionRow


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    found = Store(database_url)
    yield found
    found.close()


def row(serial: int = 1, **given: object) -> CertificateRow:
    values: dict[str, object] = {
        "der": b"der",
        "key_hash": b"hash",
        "reference": None,
        "confirmed": False,
        "confirm_by": 100.0,
        "not_after": 1000.0,
    }
    return CertificateRow(serial=serial, **{**values, **given})  # type: ignore[arg-type]


def transaction(name: bytes = b"id", **given: object) -> TransactionRow:
    values: dict[str, object] = {
        "version": 0,
        "open": True,
        "request": b"request",
        "outcome": b"{}",
        "polls": 0,
        "sent_nonce": b"nonce",
        "last_hash": b"hash",
        "last_response": b"response",
        "last_meaning": b"",
        "deadline": 50.0,
    }
    return TransactionRow(id=name, **{**values, **given})  # type: ignore[arg-type]


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ImportError, match=r"pip install 'osslcmp\[postgresql\]'"):
        Store("postgresql://127.0.0.1:1/x")


def test_secrets(store: Store) -> None:
    assert store.secret(b"\x00\xff") is None
    for sealed in (b"one", b"\x00two"):
        store.set_secret(SecretRow(b"\x00\xff", sealed))
        assert store.secret(b"\x00\xff") == SecretRow(b"\x00\xff", sealed)
    store.remove_secret(b"\x00\xff")
    assert store.secret(b"\x00\xff") is None


def test_certificates(store: Store) -> None:
    large = 2**159 + 1
    for number, reference in ((1, None), (large, b"ref")):
        store.add_certificate(row(number, reference=reference))
    assert store.certificate(large) == row(large, reference=b"ref")
    assert store.certificate(2) is None
    assert [found.serial for found in store.certificates()] == [1, large]
    assert store.certificates(b"hash") == store.certificates()
    assert store.certificates(b"other") == []
    with pytest.raises(ConflictError):
        store.add_certificate(row(1))


def test_names_of_two_owners(store: Store) -> None:
    """Who comes second gets nothing, although both have looked before they wrote."""
    now = time.time()
    name, other = store_module.name_hash("a"), store_module.name_hash("b")
    store.add_certificate(row(1, not_after=int(now) + 100, owner=b"me"), [name], exclusive=True)
    store.add_certificate(row(2, not_after=int(now) + 100, owner=b"me"), [name, other], exclusive=True)
    theirs = row(3, not_after=int(now) + 100, owner=b"you")
    with pytest.raises(ConflictError):
        store.add_certificate(theirs, [other], exclusive=True)
    assert store.owners([name, other], now) == {b"me"}
    assert store.owners([name], now + 200) == set()
    assert store.owners([], now) == set()
    for serial, reason in ((1, 5), (2, 6)):
        found = store.certificate(serial)
        assert found is not None
        store.revoke(found, reason, now)
    assert store.owners([other], now) == {b"me"}  # on hold is not gone
    found = store.certificate(2)
    assert found is not None
    store.revoke(found, 1, now)
    store.add_certificate(theirs, [other], exclusive=True)


def test_revocation_of_what_has_changed(store: Store) -> None:
    store.add_certificate(row())
    assert store.revocations() == 0
    store.revoke(row(), 6, 20.0)
    assert store.revoked(999.0) == [(1, 20.0, 6)]
    assert store.revoked(1000.0) == []  # it has expired
    with pytest.raises(ConflictError):
        store.revoke(row(), 1, 30.0)
    assert store.revocations() == 1
    with pytest.raises(ConflictError):
        store.confirm(1)
    store.revoke(row(revoked=6), None, None)
    store.confirm(1)
    assert store.certificate(1) == row(confirmed=True)
    assert store.revocations() == 2


def test_unit_is_written_whole_or_not_at_all(store: Store) -> None:
    store.add_certificate(row(1))
    with store.unit() as unit:
        store.add_certificate(row(2))
        assert store.certificate(2) == row(2)
        store.confirm(2)
        assert store.certificates() == [row(1)]
        store.commit(unit)
    assert store.certificate(2) == row(2, confirmed=True)
    with store.unit() as unit:
        store.add_certificate(row(3))
        store.add_certificate(row(1))
        with pytest.raises(ConflictError):
            store.commit(unit)
    assert store.certificate(3) is None
    with store.unit():
        store.add_certificate(row(4))
    assert store.certificate(4) is None


def test_transaction_of_two_writers(store: Store) -> None:
    assert store.transaction(b"id") is None
    store.save_transaction(transaction())
    first = store.transaction(b"id")
    assert first == transaction(version=1)
    with pytest.raises(ConflictError):
        store.save_transaction(transaction())
    assert first is not None
    store.save_transaction(first)
    with pytest.raises(ConflictError):
        store.save_transaction(first)
    assert store.open_transactions(40) == 1
    assert store.open_transactions(60) == 0


def test_sweep(store: Store) -> None:
    store.save_transaction(transaction(open=False))
    store.save_transaction(transaction(b"open"))
    store.add_certificate(row(1))
    store.add_certificate(row(2, confirmed=True))
    store.add_certificate(row(3, confirm_by=300.0))
    assert store.sweep(40, 5) == 0
    assert store.transaction(b"id") is not None
    assert store.sweep(200, None) == 0
    assert store.transaction(b"id") is None
    assert store.revocations() == 0
    assert store.sweep(200, 5) == 1
    assert store.sweep(200, 5) == 0
    assert store.revoked(0.0) == [(1, 200.0, 5)]
    assert store.revocations() == 1
    assert store.late_transactions(40) == []
    (late,) = store.late_transactions(200)
    assert late == b"open"


def test_crls(store: Store) -> None:
    assert store.crl() is None
    store.add_crl(1, b"first", 0)
    store.add_crl(2, b"second", 7)
    assert store.crl() == (2, b"second", 7)
    with pytest.raises(ConflictError):
        store.add_crl(2, b"other", 7)


def test_many_processes_make_the_tables(database_url: str) -> None:
    at_once(lambda _: Store(database_url).close(), range(8))


def test_databases_that_do_not_fit() -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="file"):
            Store(url)


def test_first_documented_names() -> None:
    """What the documentation named first can still be imported."""
    from osslcmp.server import persistent, resuming, store

    assert store.Store is Store
    assert resuming.PersistentServer is persistent.PersistentServer
