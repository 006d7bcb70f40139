"""Indexes by which neither a CRL nor the count of transactions reads rows that it does not need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """The new ones take the place of the old ones."""
    is_revoked = sa.text("revoked IS NOT NULL")
    op.create_index(
        "certificates_on_crl",
        "certificates",
        ["number"],
        sqlite_where=is_revoked,
        postgresql_where=is_revoked,
    )
    op.create_index("transactions_by_deadline", "transactions", ["deadline", "open"])
    op.create_index("transactions_by_owner", "transactions", ["owner", "deadline", "open"])
    op.drop_index("certificates_revoked", "certificates")
    op.drop_index("ix_transactions_deadline", "transactions")
    op.drop_index("ix_transactions_owner", "transactions")
