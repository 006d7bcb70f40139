"""How long, and for how many certificates, a secret is good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Secrets that there are have no limits."""
    op.add_column("secrets", sa.Column("expires", sa.Double))
    op.add_column("secrets", sa.Column("uses", sa.Integer))
    op.add_column("secrets", sa.Column("used", sa.Integer, nullable=False, server_default=sa.text("0")))
