"""Databases of older releases: their CA goes on with this one."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.pki import make_key
from support.schemas import SCHEMAS, take_back, url_of
from support.threads import at_once

import osslcmp
from osslcmp.server import EmbeddedCA, Grants
from osslcmp.server.ca import migrations
from osslcmp.server.ca.database import SCHEMA_VERSION
from osslcmp.server.ca.store import Store, name_hash

MAC: dict[str, Any] = {"reference": "ref", "secret": "secret"}


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url_of(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> dict[str, list[str]]:
    """Columns, keys and indexes of each table, in words."""
    with connected(url) as connection:
        found = sa.inspect(connection)
        return {
            name: sorted(
                map(
                    repr,
                    [
                        *({**column, "type": str(column["type"])} for column in found.get_columns(name)),
                        found.get_pk_constraint(name),
                        *found.get_unique_constraints(name),
                        *(
                            {
                                **index,
                                "dialect_options": {
                                    option: str(value)
                                    for option, value in index.get("dialect_options", {}).items()
                                },
                            }
                            for index in found.get_indexes(name)
                        ),
                    ],
                )
            )
            for name in found.get_table_names()
        }


@pytest.mark.parametrize("schema", SCHEMAS)
def test_authority_of_an_older_release_goes_on(schema: int, database_url: str, tmp_path: Path) -> None:
    """What it issued can be updated and revoked, who shared a secret still does, and whose names they are is known."""
    with closing(
        EmbeddedCA.open(tmp_path, {"ref": "secret", "other": "secret"}, database=database_url)
    ) as ca:
        client = osslcmp.Client(transport=ca.server(), trusted=ca.root, **MAC)
        key = make_key()
        first = client.ir(key, subject="CN=x", sans=["a.example"])
        second = client.ir(make_key(), subject="CN=y")
        before = ca.crl()
    take_back(database_url, schema)
    with closing(EmbeddedCA.open(tmp_path, database=database_url, grants=Grants())) as ca:
        server = ca.server()
        assert {record.certificate for record in ca.records} == {first.certificate, second.certificate}
        thief = osslcmp.Client(transport=server, trusted=ca.root, reference="other", secret="secret")
        with pytest.raises(osslcmp.RejectedError, match="another client"):
            thief.cr(make_key(), subject="CN=z", sans=["a.example"])
        owner = osslcmp.Client(
            transport=server, certificate=first.certificate, key=key, chain=first.chain, trusted=ca.root
        )
        updated = owner.kur(make_key()).certificate
        record = ca.record(updated)
        assert record is not None
        assert record.owner == b"rref"
        osslcmp.Client(transport=server, trusted=ca.root, **MAC).ir(make_key(), subject="CN=y")
        owner.rr(first.certificate)
        assert ca.crl() != before
        assert ca.crl().get_revoked_certificate_by_serial_number(first.certificate.serial_number) is not None


@pytest.mark.parametrize("schema", SCHEMAS)
def test_tables_are_those_of_a_new_database(
    schema: int, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A migrated database differs in nothing from one that this release has made, and the operator is told once."""
    Store(database_url).close()
    new = tables(database_url)
    take_back(database_url, schema)
    with caplog.at_level(logging.WARNING, "osslcmp.server"):
        Store(database_url).close()
        Store(database_url).close()
    told = [record.getMessage() for record in caplog.records if record.name == "osslcmp.server"]
    migrated = [f"the database was migrated from schema {schema} to {SCHEMA_VERSION}"]
    assert told == ([] if schema == SCHEMA_VERSION else migrated)
    assert tables(database_url) == new


def test_newest_migration_makes_the_schema_of_this_release() -> None:
    """The number in the store is that of the last migration."""
    scripts = migrations.scripts()
    assert scripts.get_heads() == [str(SCHEMA_VERSION)]
    assert scripts.get_bases() == [str(migrations.OLDEST)]


def test_many_migrate_at_once(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Of servers that start at the same time, one migrates, and the others wait for it."""
    Store(database_url).close()
    take_back(database_url, migrations.OLDEST)

    def work(_: int) -> None:
        with closing(Store(database_url)) as store:
            store.secret(b"ref")

    with caplog.at_level(logging.WARNING, "osslcmp.server"):
        at_once(work, range(8))
    assert len([record for record in caplog.records if "was migrated" in record.getMessage()]) == 1


def test_failed_migration_changes_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Alembic an old database is refused with what to install, and is as it was."""
    Store(database_url).close()
    take_back(database_url, migrations.OLDEST)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "alembic.migration", None)
        with pytest.raises(ImportError, match=r"schema 3; its migration needs Alembic: pip install"):
            Store(database_url)
    with connected(database_url) as connection:
        assert not sa.inspect(connection).has_table("names")
    with closing(Store(database_url)) as store:
        assert store.owners([name_hash("a")], time.time()) == set()


@pytest.mark.parametrize("schema", [2, SCHEMA_VERSION + 1])
def test_databases_of_other_releases_are_refused(schema: int, database_url: str) -> None:
    """One that is too old, or newer than this release, is left alone."""
    Store(database_url).close()
    with connected(database_url) as connection:
        connection.exec_driver_sql(f"UPDATE counters SET value = {schema} WHERE name = 'schema'")
    with pytest.raises(ValueError, match=f"has schema {schema}, this release needs {SCHEMA_VERSION}"):
        Store(database_url)
