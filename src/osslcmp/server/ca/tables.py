"""The tables of the database of the persistent CA, and their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import DataError

from ..._text import visible
from ...enums import RevocationReason
from .grants import MAX_USES

metadata = sa.MetaData()

_FITS = "fits"
_LATEST = 253_402_300_800.0
"""The year 10000, in seconds since 1970."""


class _Flag(sa.Boolean):
    """A Boolean as it is in the database: SQLAlchemy would make True of any garbage."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:  # noqa: ARG002
        return None


def _is_serial(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{1,42}", text) is not None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _is_moment(seconds: float) -> bool:
    return -_LATEST < seconds < _LATEST


def _is_end(seconds: float) -> bool:
    return 0 < seconds < _LATEST and seconds == int(seconds)


_HEX: dict[str, Any] = {_FITS: _is_serial}

SECRETS = sa.Table(
    "secrets",
    metadata,
    sa.Column("reference", sa.LargeBinary, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("names", sa.Text, info={_FITS: _is_pattern}),
    sa.Column("profile", sa.Text),
    sa.Column("expires", sa.Double),
    sa.Column("uses", sa.Integer, info={_FITS: range(1, MAX_USES + 1).__contains__}),
    sa.Column("used", sa.Integer, nullable=False, server_default=sa.text("0")),
)
ON_CRL = sa.text("(revoked IS NOT NULL OR revoked_at IS NOT NULL)")
"""Of a certificate. Only damage leaves one of them."""
CERTIFICATES = sa.Table(
    "certificates",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
    sa.Column("serial", sa.String(42), nullable=False, unique=True, info=_HEX),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, index=True),
    sa.Column("reference", sa.LargeBinary),
    sa.Column("confirmed", _Flag, nullable=False),
    sa.Column("confirm_by", sa.Double, nullable=False),
    sa.Column("revoked", sa.Integer, info={_FITS: frozenset(map(int, RevocationReason)).__contains__}),
    sa.Column("revoked_at", sa.Double),
    sa.Column("owner", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
    sa.Column("not_after", sa.Double, nullable=False, server_default=sa.text("0"), info={_FITS: _is_end}),
    sa.Column("updates", sa.String(42), index=True, info=_HEX),
    sa.Index("certificates_unconfirmed", "confirmed", "revoked", "confirm_by"),
    # What belongs on a CRL, and nothing else: neither does a CRL read the other rows, nor a request those on it.
    sa.Index("certificates_on_crl", "number", sqlite_where=ON_CRL, postgresql_where=ON_CRL),
)
NAMES = sa.Table(
    "names",
    metadata,
    sa.Column("name", sa.LargeBinary, primary_key=True),
    sa.Column("serial", sa.String(42), primary_key=True),
)
"""By hash, the names in certificates."""
TRANSACTIONS = sa.Table(
    "transactions",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("open", _Flag, nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("outcome", sa.LargeBinary, nullable=False),
    sa.Column("polls", sa.Integer, nullable=False),
    sa.Column("sent_nonce", sa.LargeBinary, nullable=False),
    sa.Column("last_hash", sa.LargeBinary, nullable=False),
    sa.Column("last_response", sa.LargeBinary, nullable=False),
    sa.Column("last_meaning", sa.LargeBinary, nullable=False),
    sa.Column("deadline", sa.Double, nullable=False),
    sa.Column("owner", sa.LargeBinary, nullable=False),
    # They are counted by these alone: their rows are large.
    sa.Index("transactions_by_deadline", "deadline", "open"),
    sa.Index("transactions_by_owner", "owner", "deadline", "open"),
)
CRLS = sa.Table(
    "crls",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("changes", sa.Integer, nullable=False),
)
COUNTERS = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)

_KINDS: dict[type[Any], tuple[type, ...]] = {
    sa.LargeBinary: (bytes,),
    sa.Text: (str,),
    sa.String: (str,),
    sa.Integer: (int,),
    sa.Double: (int, float),
}


def _check(column: sa.Column[Any]) -> Callable[[Any], bool]:
    """Whether a value can be one of a column."""
    optional, fits = bool(column.nullable), column.info.get(_FITS)
    if isinstance(column.type, sa.Boolean):
        return lambda value: value in (0, 1) and isinstance(value, int)
    kinds = _KINDS.get(type(column.type), (int,))
    if isinstance(column.type, sa.Double):
        fits = fits or _is_moment
    return lambda value: (
        optional if value is None else isinstance(value, kinds) and (fits is None or bool(fits(value)))
    )


_CHECKS = {table.name: {one.name: _check(one) for one in table.columns} for table in metadata.sorted_tables}


def damaged(table: str, what: str) -> DataError:
    """What is raised for a row that cannot be what this package has written; it names the row, and shows no secret."""
    return DataError(None, None, ValueError(f"the database is damaged: table {table}, {what}"))


def checked(table: sa.Table, row: sa.RowMapping) -> dict[str, Any]:
    """The values of a row, each looked at: in SQLite any column holds values of any type. Raises DataError."""
    checks = _CHECKS[table.name]
    found = {name: row[name] for name in checks if name in row}
    wrong = next((name for name, value in found.items() if not checks[name](value)), None)
    if wrong is None and (found.get("revoked") is None) != (found.get("revoked_at") is None):
        wrong = "revoked, revoked_at"
    if wrong is not None:
        key, first = next(iter(found.items()))
        shown = first.hex() if isinstance(first, bytes) else str(first)
        raise damaged(table.name, f"row with {key} {visible(shown, 80)}: {wrong}")
    return found


State = Literal["valid", "unconfirmed", "held", "revoked", "expired"]
"""What a certificate is now. One that is revoked or on hold stays that when it expires."""


@dataclass(frozen=True)
class SecretRow:
    """A shared secret as it is kept, and what it is good for."""

    reference: bytes
    sealed: bytes
    names: str | None = None
    """The pattern of the names."""
    profile: str | None = None
    expires: float | None = None
    """Seconds since 1970."""
    uses: int | None = None
    """How many certificates may be issued under it."""
    used: int = 0
    """How many were, since that is counted."""


@dataclass(frozen=True)
class CertificateRow:
    """A certificate as it is kept. Moments are seconds since 1970."""

    serial: int
    der: bytes
    key_hash: bytes
    reference: bytes | None
    confirmed: bool
    confirm_by: float
    revoked: int | None = None
    revoked_at: float | None = None
    owner: bytes = b""
    """Tells clients apart: whose names it has."""
    not_after: float = 0.0
    updates: str | None = None
    """The serial number, in hexadecimal, of the certificate that was updated to it."""


@dataclass(frozen=True)
class TransactionRow:
    """A transaction as it is kept: enough to take it up again in any process."""

    id: bytes
    version: int
    """Counts what was written; 0 before the first time."""
    open: bool
    """The client is expected to come back. Else kept to repeat the last answer."""
    request: bytes
    """The message that started it, as DER."""
    outcome: bytes
    """What the authority said."""
    polls: int
    """How often the client has come back."""
    sent_nonce: bytes
    """The senderNonce of the last answer."""
    last_hash: bytes
    """SHA-256 of the last message that was taken."""
    last_response: bytes
    """The answer to it."""
    last_meaning: bytes
    """By which that message is known when it is made anew; empty when it cannot be."""
    deadline: float
    """Forgotten after this moment, in seconds since 1970."""
    owner: bytes = b""
    """Tells clients apart."""
