"""The index of what belongs on a CRL holds rows whose revocation is half damaged, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """The new one takes the place of the old one."""
    on_crl = sa.text("(revoked IS NOT NULL OR revoked_at IS NOT NULL)")
    op.drop_index("certificates_on_crl", "certificates")
    op.create_index(
        "certificates_on_crl", "certificates", ["number"], sqlite_where=on_crl, postgresql_where=on_crl
    )
