"""The database of the persistent CA, SQLite or PostgreSQL through SQLAlchemy 2: how it is opened, and how it is written to.

Several processes may use one database. What one message changes is written in one commit, at the end, on
the condition that nothing it was decided upon has changed meanwhile (ConflictError); nothing is locked while
the answer is made, so a process that is killed leaves nothing behind that others would have to clear up.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from typing_extensions import Self

from ..._files import locked
from ..._text import get_logger
from ..failures import OutageError
from . import migrations
from .commits import SharedCommits, database_is_locked
from .tables import CERTIFICATES, COUNTERS, CertificateRow, SecretRow, checked, metadata

logger = get_logger("osslcmp.server")

_POOL_SIZE = 32
LOCK_TIMEOUT = 30.0
_RETRY = 0.02
_SCHEMA_LOCK = 0x6F73736C
"""Key of the PostgreSQL advisory lock under which the tables are made and migrated."""

_TRY_AGAIN = frozenset({"40001", "40P01"})
"""What PostgreSQL says of two transactions that cannot both be done, or that wait for each other."""
_READING = "osslcmp_reading"
REVOCATIONS = "revocations"
_SCHEMA = "schema"
SCHEMA_VERSION = 8
"""Of the tables that this release reads and writes; see ``ca.migrations``."""

# Locks the row, so that it stays so until the commit; on SQLite everything is locked.
_UNCHANGED = (
    sa.select(CERTIFICATES.c.serial)
    .where(
        CERTIFICATES.c.serial == sa.bindparam("serial"),
        CERTIFICATES.c.revoked.is_not_distinct_from(sa.bindparam("revoked")),
    )
    .with_for_update(read=True)
)

Change = Callable[[sa.Connection], object]
Found = TypeVar("Found", bound="Database")


class ConflictError(OutageError):
    """Another process or thread was faster: nothing was written, decide again."""


@dataclass
class Unit:
    """What is to be written together."""

    changes: list[Change] = field(default_factory=list)
    added: dict[int, CertificateRow] = field(default_factory=dict)
    """New certificates by serial number, because nobody can read them yet."""
    conditions: list[CertificateRow] = field(default_factory=list)
    """Certificates that must still be as they were."""
    secrets: dict[tuple[bytes, ...], SecretRow | None] = field(default_factory=dict)
    """Those that were read, by the references asked for: one message is decided by one state of them."""

    def write(self, connection: sa.Connection) -> None:
        """Write it in a transaction. Raises ConflictError."""
        for row in self.conditions:
            same = {"serial": f"{row.serial:x}", "revoked": row.revoked}
            if connection.scalar(_UNCHANGED, same) is None:
                raise ConflictError("a certificate has changed")
        for change in self.changes:
            change(connection)


class Database:
    """The tables, the reading and the writing of them: what ``Store`` is made with."""

    def __init__(self, url: str) -> None:
        try:
            found = sa.make_url(url)
        except ValueError:  # which repeats what it takes for the port
            found = None
        if found is None:
            raise ValueError("the port in the URL of the database is no number")
        if found.drivername in ("postgresql", "postgres"):
            found = found.set(drivername="postgresql+psycopg")
        sqlite = found.get_backend_name() == "sqlite"
        if sqlite and found.database in (None, "", ":memory:"):
            raise ValueError("an SQLite database needs a file")
        options: dict[str, Any] = {"connect_args": {"timeout": LOCK_TIMEOUT}} if sqlite else {}
        try:
            self._engine = sa.create_engine(found, pool_size=_POOL_SIZE, pool_pre_ping=not sqlite, **options)
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise ImportError("PostgreSQL needs psycopg: pip install 'osslcmp[postgresql]'") from error
        # A statement that only reads needs no transaction. On SQLite this is an option of ours, see below.
        reading: dict[str, Any] = {_READING: True} if sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._reading = self._engine.execution_options(**reading)
        self._local = threading.local()
        self._shared = None  # PostgreSQL does it by itself
        if sqlite:
            # By its lock processes queue. SQLite locks other files, and would lose its locks if those were closed.
            self._queue = Path(f"{os.path.realpath(str(found.database))}-wal")
            self._shared = SharedCommits(self._in_turn, 2 * LOCK_TIMEOUT)
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        try:
            self._make_tables()
        except BaseException:
            self.close()
            raise

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """An SQLite database in a file, which only its owner can read."""
        path.touch(mode=0o600)
        return cls(sa.URL.create("sqlite", database=str(path)).render_as_string(hide_password=False))

    def _make_tables(self) -> None:
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            if not sa.inspect(connection).has_table(COUNTERS.name):
                metadata.create_all(connection)
                connection.execute(
                    sa.insert(COUNTERS),
                    [{"name": _SCHEMA, "value": SCHEMA_VERSION}, {"name": REVOCATIONS, "value": 0}],
                )
                return
            found = counter(connection, _SCHEMA)
            if found == SCHEMA_VERSION:
                for table in metadata.sorted_tables:  # it may be read-only
                    connection.execute(sa.delete(table).where(sa.false()))
                return
            if found is None or not migrations.OLDEST <= found < SCHEMA_VERSION:
                raise ValueError(f"the database has schema {found}, this release needs {SCHEMA_VERSION}")
            migrations.migrate(connection, found)
            version = sa.update(COUNTERS).where(COUNTERS.c.name == _SCHEMA)
            connection.execute(version.values(value=SCHEMA_VERSION))
        logger.warning("the database was migrated from schema %d to %d", found, SCHEMA_VERSION)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # -- writing ---------------------------------------------------------------------------------------------

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """What this thread changes inside is gathered, to be written with ``commit``; else it is dropped."""
        unit = self._local.unit = Unit()
        try:
            yield unit
        finally:
            self._local.unit = None

    @property
    def _unit(self) -> Unit | None:
        unit: Unit | None = getattr(self._local, "unit", None)
        return unit

    def rely_on(self, row: CertificateRow) -> None:
        """What this thread writes next is right only if this certificate is still as in ``row`` then."""
        if self._unit is not None:
            self._unit.conditions.append(row)

    def commit(self, unit: Unit) -> None:
        """Write all of it, or nothing, to the disk. Raises ConflictError."""
        if self._shared is not None:
            self._shared.commit(unit.write)
            return
        with self._writing() as connection:
            unit.write(connection)

    @contextmanager
    def _in_turn(self) -> Iterator[sa.Connection]:
        """A transaction of SQLite when those are over that other processes wait for. SQLite alone keeps them apart as well,
        but tries again after pauses of up to 100 ms, in which nobody writes. Raises ConflictError."""
        until = time.monotonic() + LOCK_TIMEOUT
        with locked(self._queue) if self._queue.exists() else nullcontext():
            if time.monotonic() > until:  # who is not of the queue keeps all of it waiting
                raise database_is_locked()
            with self._writing() as connection:
                yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction of the database. Raises ConflictError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise ConflictError(str(error.orig)) from None
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
            raise ConflictError(str(error.orig)) from None

    def _change(self, change: Change) -> None:
        unit = self._unit
        if unit is None:
            self.commit(Unit([change]))
        else:
            unit.changes.append(change)

    def _change_one(self, statement: sa.Update, otherwise: str, values: dict[str, Any]) -> None:
        """Change the one row that the statement means, or raise ConflictError when it is not there."""

        def change(connection: sa.Connection) -> None:
            if connection.execute(statement, values).rowcount != 1:
                raise ConflictError(otherwise)

        self._change(change)

    def _scalar(self, query: sa.Select[Any]) -> Any:
        with self._reading.connect() as connection:
            return connection.scalar(query)

    def _rows(self, query: sa.Select[Any], **values: Any) -> Sequence[sa.RowMapping]:
        with self._reading.connect() as connection:
            return connection.execute(query, values).mappings().all()


def counter(connection: sa.Connection, name: str) -> int | None:
    """The value of a counter; None if there is none of this name."""
    row = connection.execute(sa.select(COUNTERS).where(COUNTERS.c.name == name)).mappings().first()
    value: int | None = None if row is None else checked(COUNTERS, row)["value"]
    return value


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver shall not begin transactions by itself: see _begin_sqlite.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={int(LOCK_TIMEOUT * 1000)}", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    # Who connects first changes the mode of the file. SQLite waits for nobody then.
    until = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(_RETRY)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that first reads and then writes could fail in between; those that only read need none.
    if not connection.get_execution_options().get(_READING):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
