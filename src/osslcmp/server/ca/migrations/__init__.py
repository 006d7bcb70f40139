"""Migrations of the database of the persistent CA (Alembic): revision N makes schema N of schema N - 1.

A change of the tables is made in ``tables`` for new databases, and in a new module of ``versions`` for those there are;
the version in ``database`` counts up. Which schema a database has stands in its counters, not in a table of Alembic. A
migration adds and fills, and takes away nothing that the release before reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa
    from alembic.script import ScriptDirectory

OLDEST = 3
"""The oldest schema that can be migrated."""


def scripts() -> ScriptDirectory:
    """The migrations, as Alembic knows them."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(Path(__file__).parent))


def migrate(connection: sa.Connection, schema: int) -> None:
    """Bring the tables from a schema, ``OLDEST`` or later, to the newest, in the transaction that ``connection`` is in,
    which keeps others out. Raises ImportError if Alembic is not installed."""
    try:
        from alembic.migration import MigrationContext
        from alembic.operations import Operations
    except ImportError as error:
        raise ImportError(
            f"the database has schema {schema}; its migration needs Alembic: pip install 'osslcmp[server]'"
        ) from error
    revisions = list(scripts().iterate_revisions("head", str(schema)))
    with Operations.context(MigrationContext.configure(connection)):
        for revision in reversed(revisions):
            revision.module.upgrade()
