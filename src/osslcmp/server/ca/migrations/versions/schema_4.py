"""Whose names are whose, and what a secret is good for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from cryptography import x509

from osslcmp.server.ca.store import certificate_names
from osslcmp.server.ca.tables import damaged

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """The owners and names of certificates are found out from the certificates."""
    op.add_column("secrets", sa.Column("names", sa.Text))
    op.add_column("secrets", sa.Column("profile", sa.Text))
    op.add_column(
        "certificates", sa.Column("owner", sa.LargeBinary, nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "certificates", sa.Column("not_after", sa.Double, nullable=False, server_default=sa.text("0"))
    )
    names = op.create_table(
        "names",
        sa.Column("name", sa.LargeBinary, primary_key=True),
        sa.Column("serial", sa.String(42), primary_key=True),
    )
    certificates = sa.table(
        "certificates",
        sa.column("serial", sa.String),
        sa.column("der", sa.LargeBinary),
        sa.column("reference", sa.LargeBinary),
        sa.column("owner", sa.LargeBinary),
        sa.column("not_after", sa.Double),
    )
    connection = op.get_bind()
    query = sa.select(certificates.c.serial, certificates.c.der, certificates.c.reference)
    for row in connection.execute(query).all():
        try:
            certificate = x509.load_der_x509_certificate(row.der)
            hashes = certificate_names(certificate)
            owner = b"r" + row.reference if row.reference is not None else b"n" + min(hashes)
        except (ValueError, TypeError):
            raise damaged("certificates", f"row with serial {row.serial}: der or reference") from None
        connection.execute(
            sa.update(certificates)
            .where(certificates.c.serial == row.serial)
            .values(owner=owner, not_after=certificate.not_valid_after_utc.timestamp())
        )
        connection.execute(sa.insert(names), [{"name": name, "serial": row.serial} for name in hashes])
