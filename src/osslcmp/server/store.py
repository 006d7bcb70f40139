"""The names of ``osslcmp.server.ca.store`` where the documentation had them first."""

from __future__ import annotations

from .ca.store import CertificateRow, ConflictError, SecretRow, Store, TransactionRow, Unit

__all__ = ["CertificateRow", "ConflictError", "SecretRow", "Store", "TransactionRow", "Unit"]
