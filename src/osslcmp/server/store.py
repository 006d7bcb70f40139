"""The names of ``osslcmp.server.ca.store`` where the documentation had them first."""

from __future__ import annotations

from .ca.database import ConflictError, Unit
from .ca.store import Store
from .ca.tables import CertificateRow, SecretRow, TransactionRow

__all__ = ["CertificateRow", "ConflictError", "SecretRow", "Store", "TransactionRow", "Unit"]
