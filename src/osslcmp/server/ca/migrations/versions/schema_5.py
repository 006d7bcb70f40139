"""Which certificate was updated to which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Of certificates that there are, nothing is known."""
    op.add_column("certificates", sa.Column("updates", sa.String(42)))
    op.create_index("ix_certificates_updates", "certificates", ["updates"])
