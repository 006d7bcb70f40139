"""What the persistent CA keeps in its database, and how it is asked for: table by table."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from cryptography import x509
from sqlalchemy.exc import DataError

from ...enums import RevocationReason
from . import grants
from .database import REVOCATIONS, ConflictError, Database, Unit, counter
from .tables import (
    CERTIFICATES,
    COUNTERS,
    CRLS,
    NAMES,
    ON_CRL,
    SECRETS,
    TRANSACTIONS,
    CertificateRow,
    SecretRow,
    State,
    TransactionRow,
    checked,
    damaged,
)

_SOME = 100
_DAY = 86_400.0
_HOLD = int(RevocationReason.certificateHold)
_ANSWERED = "another process has answered"
Source = TypeVar("Source")
Row = TypeVar("Row")

# What each enrolment asks for is built once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_SECRETS = sa.select(SECRETS).where(SECRETS.c.reference.in_(sa.bindparam("references", expanding=True)))
_CERTIFICATES = sa.select(CERTIFICATES).order_by(CERTIFICATES.c.number)
_OF_SERIAL = _CERTIFICATES.where(CERTIFICATES.c.serial == sa.bindparam("serial"))
_OF_KEY = _CERTIFICATES.where(CERTIFICATES.c.key_hash == sa.bindparam("key_hash"))
_UPDATES = _CERTIFICATES.where(CERTIFICATES.c.updates == sa.bindparam("serial"))
_CHANGED = sa.update(CERTIFICATES).where(
    CERTIFICATES.c.serial == sa.bindparam("this"),
    CERTIFICATES.c.revoked.is_not_distinct_from(sa.bindparam("before")),
)
# Asked for first: PostgreSQL keeps the plan that it makes for a new table, and the join's reads all certificates.
_NAMES = NAMES.c.name.in_(sa.bindparam("names", expanding=True))
_NAMED = sa.select(sa.func.count()).select_from(NAMES).where(_NAMES)
_OWNERS = (
    sa.select(CERTIFICATES.c.owner)
    .join(NAMES, NAMES.c.serial == CERTIFICATES.c.serial)
    .where(
        _NAMES,
        CERTIFICATES.c.revoked.is_(None) | (CERTIFICATES.c.revoked == _HOLD),
        CERTIFICATES.c.not_after > sa.bindparam("now"),
    )
    .distinct()
)
_TRANSACTION = sa.select(TRANSACTIONS).where(TRANSACTIONS.c.id == sa.bindparam("id"))
_NEW_CERTIFICATE, _NEW_NAME, _NEW_TRANSACTION = map(sa.insert, (CERTIFICATES, NAMES, TRANSACTIONS))
_SAVED = sa.update(TRANSACTIONS).where(
    TRANSACTIONS.c.id == sa.bindparam("this"), TRANSACTIONS.c.version == sa.bindparam("before")
)
# In their order.
_LOCKED = sa.text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:numbers AS bigint[])) AS one")
# Counts one more use of a secret, if it has one left.
_USED = (
    sa.update(SECRETS)
    .where(
        SECRETS.c.reference == sa.bindparam("this"),
        SECRETS.c.uses.is_(None) | (SECRETS.c.used < SECRETS.c.uses),
    )
    .values(used=SECRETS.c.used + 1)
)


class Store(Database):
    """A database. May be used from many threads at once. What reads from it raises ``sqlalchemy.exc.DataError`` for a row
    that cannot be what was written, besides what SQLAlchemy raises when the database is away.

    Args:
        url: of SQLAlchemy, or ``postgresql://...``; its tables are made when they are missing, and
            migrated when they are of an older release.

    Raises:
        ImportError: the driver is not installed, or Alembic and a migration is needed.
        ValueError: the database was made by a newer release, or one that is too old.
    """

    # -- secrets ---------------------------------------------------------------------------------------------

    def secret(self, *references: bytes) -> SecretRow | None:
        """The secret of the first of these that has one. All are asked for at once: the time does not tell which it is."""
        known = {} if self._unit is None else self._unit.secrets
        if references not in known:
            found = {row["reference"]: row for row in self._rows(_SECRETS, references=references)}
            row = next((found[one] for one in references if one in found), None)
            known[references] = None if row is None else SecretRow(**checked(SECRETS, row))
        return known[references]

    def secrets(self) -> Iterator[SecretRow]:
        """All of them that can be read; DataError comes after them if there are others."""
        return readable(self._rows(sa.select(SECRETS)), lambda row: SecretRow(**checked(SECRETS, row)))

    def set_secret(self, row: SecretRow) -> None:
        """Add a secret, or replace that of the same reference."""

        def change(connection: sa.Connection) -> None:
            connection.execute(sa.delete(SECRETS).where(SECRETS.c.reference == row.reference))
            connection.execute(sa.insert(SECRETS).values(vars(row)))

        self._change(change)

    def bind_secret(self, row: SecretRow) -> None:
        """Change what a secret is good for, not how often it was used: ConflictError if it is not the one in ``row``."""
        unchanged = {"reference", "sealed", "used"}
        same = (SECRETS.c.reference == row.reference) & (SECRETS.c.sealed == row.sealed)
        values = {name: value for name, value in vars(row).items() if name not in unchanged}
        self._change_one(sa.update(SECRETS).where(same), "the secret has changed", values)

    def remove_secret(self, reference: bytes) -> None:
        """Forget a secret, if it is there."""
        statement = sa.delete(SECRETS).where(SECRETS.c.reference == reference)
        self._change(lambda connection: connection.execute(statement))

    # -- certificates ----------------------------------------------------------------------------------------

    def add_certificate(
        self,
        row: CertificateRow,
        names: Collection[bytes] = (),
        *,
        exclusive: bool = False,
        counted: bytes | None = None,
    ) -> None:
        """Keep a new certificate.

        Args:
            row: the certificate.
            names: hashes of the names in it.
            exclusive: raise ConflictError, when it is written, if another owner has got one of the names meanwhile.
            counted: reference of the secret whose uses it counts as one of; ConflictError if there is none left then.
        """
        serial = f"{row.serial:x}"
        if self._unit is not None:
            self._unit.added[row.serial] = row

        def change(connection: sa.Connection) -> None:
            if exclusive:
                _lock_names(connection, names)
                if _owners(connection, names, time.time()) - {row.owner}:
                    raise ConflictError("another client has got a name")
            if row.updates is not None:
                _lock_names(connection, [name_hash(row.updates)])
                updates = connection.execute(_UPDATES, {"serial": row.updates}).mappings()
                if any(is_pending(_certificate_row(other), time.time()) for other in updates):
                    raise ConflictError("another update has begun")
            if counted is not None and connection.execute(_USED, {"this": counted}).rowcount != 1:
                raise ConflictError("the secret is used up")
            connection.execute(_NEW_CERTIFICATE, {**vars(row), "serial": serial})
            if names:
                connection.execute(_NEW_NAME, [{"name": name, "serial": serial} for name in names])

        self._change(change)

    def owners(self, names: Collection[bytes], now: float) -> set[bytes]:
        """Who has valid certificates with these names (hashes), or some of them on hold."""
        with self._reading.connect() as connection:
            return _owners(connection, names, now)

    def updates(self, serial: int) -> list[CertificateRow]:
        """The certificates that this one was updated to."""
        return self._certificates(_UPDATES, serial=f"{serial:x}")

    def certificate(self, serial: int) -> CertificateRow | None:
        """The certificate with this serial number."""
        if self._unit is not None and serial in self._unit.added:
            return self._unit.added[serial]
        return next(iter(self._certificates(_OF_SERIAL, serial=f"{serial:x}")), None)

    def certificates(self, key_hash: bytes | None = None) -> list[CertificateRow]:
        """All certificates, or those for one key, in the order of their issue."""
        if key_hash is None:
            return self._certificates(_CERTIFICATES)
        return self._certificates(_OF_KEY, key_hash=key_hash)

    def search_certificates(
        self, *, name: bytes | None = None, reference: bytes | None = None, state: State | None = None
    ) -> Iterator[CertificateRow]:
        """Certificates in the order of their issue, read in portions, so that there may be any number of them; DataError
        comes after those that can be read if there are others.

        Args:
            name: hash of a name in them, see ``name_hash``.
            reference: of the secret that they were asked for with.
            state: what they are now.
        """
        condition = sa.true() if state is None else _in_state(state, time.time())
        if name is not None:
            condition &= CERTIFICATES.c.serial.in_(sa.select(NAMES.c.serial).where(NAMES.c.name == name))
        if reference is not None:
            condition &= CERTIFICATES.c.reference == reference
        query = _CERTIFICATES.where(condition).limit(_SOME)

        def found() -> Iterator[sa.RowMapping]:
            last = 0
            while True:
                rows = self._rows(query.where(CERTIFICATES.c.number > last))
                yield from rows
                if len(rows) < _SOME:
                    return
                last = rows[-1]["number"]

        return readable(found(), _certificate_row)

    def is_revoked(self, key_hash: bytes, reason: int) -> bool:
        """Whether a certificate for this key is revoked for this reason."""
        query = sa.exists().where(CERTIFICATES.c.key_hash == key_hash, CERTIFICATES.c.revoked == reason)
        return bool(self._scalar(sa.select(query)))

    def revoked(self, earliest: float) -> list[tuple[int, float, int]]:
        """What belongs on a CRL: serial numbers, moments and reasons, but for what has expired before ``earliest``."""
        found = CERTIFICATES.c
        # What is damaged is read, to be told of.
        left = (
            found.revoked.is_not(None)
            & found.revoked_at.is_not(None)
            & sa.func.coalesce(found.not_after, 0).between(1, earliest)
            & (sa.func.round(found.not_after) == found.not_after)
        )
        query = (
            sa.select(found.serial, found.revoked_at, found.revoked, found.not_after)
            .where(ON_CRL, sa.not_(left))
            .order_by(found.number)
        )
        rows = [checked(CERTIFICATES, row) for row in self._rows(query)]
        return [(int(row["serial"], 16), row["revoked_at"], row["revoked"]) for row in rows]

    def confirm(self, serial: int) -> None:
        """The client has the certificate."""
        self._update(serial, None, confirmed=True)

    def revoke(self, row: CertificateRow, reason: int | None, moment: float | None) -> None:
        """Revoke a certificate that still is as in ``row``, or (None) release it from hold."""
        self._update(row.serial, row.revoked, revoked=reason, revoked_at=moment)
        self._change(_count_revocation)

    def _update(self, serial: int, before: int | None, **values: Any) -> None:
        values |= {"this": f"{serial:x}", "before": before}
        self._change_one(_CHANGED, "the certificate has changed", values)

    def _certificates(self, query: sa.Select[Any], **values: Any) -> list[CertificateRow]:
        return list(map(_certificate_row, self._rows(query, **values)))

    # -- transactions ----------------------------------------------------------------------------------------

    def transaction(self, transaction_id: bytes) -> TransactionRow | None:
        """A transaction by its transactionID."""
        found = self._rows(_TRANSACTION, id=transaction_id)
        return TransactionRow(**checked(TRANSACTIONS, found[0])) if found else None

    def save_transaction(self, row: TransactionRow) -> None:
        """Write a transaction that was read with the version ``row.version``, and count that up."""
        values = {**vars(row), "version": row.version + 1}
        if row.version == 0:
            self._change(lambda connection: connection.execute(_NEW_TRANSACTION, values))
            return
        self._change_one(_SAVED, _ANSWERED, {**values, "this": row.id, "before": row.version})

    def count_transactions(self, now: float, owner: bytes | None = None) -> tuple[int, int]:
        """How many transactions wait for their clients, and how many are remembered at all; or those of one client."""
        remembered = TRANSACTIONS.c.deadline >= now
        if owner is not None:
            remembered &= TRANSACTIONS.c.owner == owner
        is_open = sa.func.count(sa.case((TRANSACTIONS.c.open, 1)))
        query = sa.select(is_open, sa.func.count()).select_from(TRANSACTIONS).where(remembered)
        with self._reading.connect() as connection:
            waiting, all_ = connection.execute(query).one()
        return int(waiting), int(all_)

    def open_transactions(self, now: float) -> int:
        """How many transactions wait for their clients."""
        return self.count_transactions(now)[0]

    def late_transactions(self, now: float) -> list[bytes]:
        """The transactionIDs of some whose clients did not come back in time."""
        late = TRANSACTIONS.c.open & (TRANSACTIONS.c.deadline < now)
        query = sa.select(TRANSACTIONS.c.id).where(late).order_by(TRANSACTIONS.c.deadline).limit(_SOME)
        with self._reading.connect() as connection:
            return [name for name in connection.scalars(query) if isinstance(name, bytes)]

    def close_transaction(self, transaction_id: bytes) -> None:
        """Nobody can go on with it: it is kept for what it remembers."""
        statement = sa.update(TRANSACTIONS).where(TRANSACTIONS.c.id == transaction_id).values(open=False)
        self._change(lambda connection: connection.execute(statement))

    def sweep(self, now: float, revoke_unconfirmed: int | None) -> int:
        """Forget transactions that are over, and those that no server has missed for a day; revoke what no client has
        confirmed in time, for a reason, unless that is None. Returns how many certificates were revoked. Raises
        ConflictError when others are at the same rows: do it later."""
        over = sa.not_(TRANSACTIONS.c.open) & (TRANSACTIONS.c.deadline < now)
        late = over | (TRANSACTIONS.c.deadline < now - _DAY)
        unconfirmed = (
            sa.not_(CERTIFICATES.c.confirmed)
            & CERTIFICATES.c.revoked.is_(None)
            & (CERTIFICATES.c.confirm_by < now)
        )
        work = self._scalar(sa.select(sa.exists().where(late))) or (
            revoke_unconfirmed is not None and self._scalar(sa.select(sa.exists().where(unconfirmed)))
        )
        if not work:
            return 0
        count = 0
        with self._writing() as connection:
            connection.execute(sa.delete(TRANSACTIONS).where(late))
            if revoke_unconfirmed is not None:
                count = connection.execute(
                    sa.update(CERTIFICATES)
                    .where(unconfirmed)
                    .values(revoked=revoke_unconfirmed, revoked_at=now)
                ).rowcount
                if count:
                    _count_revocation(connection)
        return count

    # -- CRLs ------------------------------------------------------------------------------------------------

    def revocations(self) -> int:
        """Counts the changes that a CRL has to show."""
        with self._reading.connect() as connection:
            found = counter(connection, REVOCATIONS)
        if found is None:
            raise damaged(COUNTERS.name, f"no row {REVOCATIONS}")
        return found

    def crl_number(self) -> int | None:
        """The number of the last CRL."""
        number: int | None = self._scalar(sa.select(sa.func.max(CRLS.c.number)))
        return number

    def crl(self) -> tuple[int, bytes, int] | None:
        """The last CRL: its number, its DER, and the count of ``revocations`` that it shows."""
        for found in self._rows(sa.select(CRLS).order_by(CRLS.c.number.desc()).limit(1)):
            row = checked(CRLS, found)
            return row["number"], row["der"], row["changes"]
        return None

    def add_crl(self, number: int, der: bytes, changes: int) -> None:
        """Make this the last CRL. Raises ConflictError when the number is taken."""

        def change(connection: sa.Connection) -> None:
            connection.execute(sa.insert(CRLS).values(number=number, der=der, changes=changes))
            connection.execute(sa.delete(CRLS).where(CRLS.c.number < number))

        self.commit(Unit([change]))


def readable(rows: Iterable[Source], read: Callable[[Source], Row]) -> Iterator[Row]:
    """What ``read`` makes of each row; what it cannot read (DataError) is raised after the others."""
    failure = None
    for row in rows:
        try:
            found = read(row)
        except DataError as error:  # noqa: PERF203 - the others are wanted
            failure = failure or error
        else:
            yield found
    if failure is not None:
        raise failure


def read_certificate(row: CertificateRow) -> x509.Certificate:
    """The certificate of a row. Raises DataError if it is none, or another one, or has another end."""
    try:
        found = x509.load_der_x509_certificate(row.der)
        if (found.serial_number, found.not_valid_after_utc.timestamp()) == (row.serial, row.not_after):
            return found
    except ValueError:
        pass
    raise damaged(CERTIFICATES.name, f"row with serial {row.serial:x}: der, not_after")


def _certificate_row(row: sa.RowMapping) -> CertificateRow:
    values = checked(CERTIFICATES, row)
    del values["number"]
    return CertificateRow(**{**values, "serial": int(values["serial"], 16)})


def _in_state(state: State, now: float) -> sa.ColumnElement[bool]:
    """As ``ca.operating.state_of`` says it."""
    columns = CERTIFICATES.c
    if state == "held":
        return columns.revoked == _HOLD
    if state == "revoked":
        return columns.revoked != _HOLD
    if state == "expired":
        return columns.revoked.is_(None) & (columns.not_after <= now)
    is_confirmed = columns.confirmed if state == "valid" else sa.not_(columns.confirmed)
    return columns.revoked.is_(None) & (columns.not_after > now) & is_confirmed


def is_pending(row: CertificateRow, now: float) -> bool:
    """Whether a certificate still waits for its confirmation."""
    return not row.confirmed and row.revoked is None and row.confirm_by >= now


def name_hash(name: str) -> bytes:
    """By which a name is found."""
    return sha256(name.encode("utf-8", "surrogatepass")).digest()


def certificate_names(certificate: x509.Certificate) -> list[bytes]:
    """The hashes of the names in a certificate."""
    return list(map(name_hash, grants.names_of(*grants.names_in(certificate))))


def _owners(connection: sa.Connection, names: Collection[bytes], now: float) -> set[bytes]:
    found: set[bytes] = set()
    rest = iter(names)
    while some := list(islice(rest, _SOME)):
        if connection.scalar(_NAMED, {"names": some}):
            rows = connection.execute(_OWNERS, {"names": some, "now": now}).mappings()
            found.update(checked(CERTIFICATES, row)["owner"] for row in rows)
    return found


def _lock_names(connection: sa.Connection, names: Collection[bytes]) -> None:
    """Let nobody else have these names looked up and written meanwhile. On SQLite nobody can."""
    if connection.dialect.name == "postgresql":
        numbers = sorted({struct.unpack(">q", name[:8])[0] for name in names})
        connection.execute(_LOCKED, {"numbers": numbers})


def _count_revocation(connection: sa.Connection) -> None:
    count = sa.update(COUNTERS).where(COUNTERS.c.name == REVOCATIONS)
    connection.execute(count.values(value=COUNTERS.c.value + 1))
