"""What the database of the persistent CA reads for a request does not grow with what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.pki import make_key

import osslcmp
from osslcmp.server import EmbeddedCA, Grants

LARGE = "certificates", "names", "transactions"


@pytest.fixture
def executed() -> Iterator[list[tuple[str, Any]]]:
    """The statements that all databases of this process are asked for meanwhile, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        found.append((arguments[2], arguments[3]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def plans(path: Path, executed: list[tuple[str, Any]]) -> dict[str, list[str]]:
    """How SQLite looks for the rows of each statement that looks for any."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    found = {}
    with engine.connect() as connection:
        for statement, parameters in executed:
            if re.match(r"(SELECT|UPDATE|DELETE) ", statement):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found[statement] = [row.detail for row in rows]
    engine.dispose()
    return found


def test_no_request_looks_at_all_rows(tmp_path: Path, executed: list[tuple[str, Any]]) -> None:
    """Enrolment, update, revocation, the CRL, and what is done once a second go by indexes."""
    with closing(
        EmbeddedCA.open(tmp_path, {"ref": "secret"}, duplicate_keys="refuse", grants=Grants())
    ) as ca:
        server = ca.server()
        client = osslcmp.Client(transport=server, trusted=ca.root, reference="ref", secret="secret")
        executed.clear()  # what is done at the start may look at all secrets
        key = make_key()
        first = client.ir(key, subject="CN=x", sans=["a.example"])
        own = osslcmp.Client(
            transport=server, certificate=first.certificate, key=key, chain=first.chain, trusted=ca.root
        )
        own.kur(make_key())
        own.rr()
        ca.crl()
        ca.tidy(now=True)
        server.sweep()
        assert server.open_transactions == 0
        found = plans(ca.directory.database_file, list(executed))
    assert any("certificates_on_crl" in step for steps in found.values() for step in steps)
    whole = re.compile(rf"SCAN ({'|'.join(LARGE)})(?! USING (?:COVERING )?INDEX certificates_on_crl)")
    assert {
        statement: steps for statement, steps in found.items() if any(whole.match(step) for step in steps)
    } == {}


def test_a_new_name_is_looked_up_alone(tmp_path: Path, executed: list[tuple[str, Any]]) -> None:
    """Nothing is joined for it: how that is done is the database's choice, which can be bad while there are few rows."""
    with closing(EmbeddedCA.open(tmp_path, {"ref": "secret"}, grants=Grants())) as ca:
        client = osslcmp.Client(transport=ca.server(), trusted=ca.root, reference="ref", secret="secret")
        joined = []
        for _ in range(2):
            executed.clear()
            client.ir(make_key(), subject="CN=x", sans=["a.example"])
            joined.append(any(" JOIN " in statement for statement, _ in executed))
    assert joined == [False, True]


def test_transactions_are_counted_without_reading_them(
    tmp_path: Path, executed: list[tuple[str, Any]]
) -> None:
    """A row has whole messages in it; the count takes what is in an index."""
    with closing(EmbeddedCA.open(tmp_path, {"ref": "secret"})) as ca:
        server = ca.server()
        executed.clear()
        assert server.open_transactions == 0
        ca.store.count_transactions(0.0, b"owner")
        found = plans(ca.directory.database_file, list(executed))
    steps = [step for steps in found.values() for step in steps]
    assert len(steps) == 2
    assert all("USING COVERING INDEX transactions_by_" in step for step in steps), steps
