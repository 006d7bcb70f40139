"""The oldest schema that can be migrated, where Alembic begins. New databases are not made by migrations."""

from __future__ import annotations

revision = "3"
down_revision: str | None = None


def upgrade() -> None:
    """Nothing is older."""
