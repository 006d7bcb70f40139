"""Rows of a persistent CA that cannot be what was written: their owners are refused, the others notice nothing."""

from __future__ import annotations

import datetime
import io
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.exc import SQLAlchemyError
from support.persistent import opened
from support.pki import PrivateKey, make_key
from support.schemas import take_back

import osslcmp
from osslcmp.cli import main
from osslcmp.message import Message
from osslcmp.server import Server, waiting
from osslcmp.server.ca import crls, issuing
from osslcmp.server.ca.persistent import PersistentCA
from osslcmp.server.ca.tables import metadata

SECRETS: dict[str | bytes, str | bytes] = {"victim": "secret 1", "other": "secret 2", "third": "secret 3"}
CN = "CN=victim"
COLUMNS = [f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns]
VICTIM = {
    "secrets": "reference = x'76696374696d'",
    "certificates": "reference = x'76696374696d'",
    "names": "serial IN (SELECT serial FROM certificates WHERE reference = x'76696374696d')",
    "transactions": "open",
    "crls": "1",
    "counters": "1",
}
"""The rows that are damaged, by table."""
VALUES: dict[str, Any] = {
    "NULL": None,
    "negative": -1,
    "huge": 2**62,
    "not whole": 1.5,
    "early": 5,
    "infinite": float("inf"),
    "empty": b"",
    "octets": b"\xff\x00garbage",
    "text": "gar[\x1b[2J\u202ebage",
    "JSON": b'{"waiting": {"check_after": "x", "reason": 5}, "nonces": 5}',
    "nested": b"[" * 100_000,
}
#: Each column with a third of the values, and each value in a third of the columns.
CASES = [
    (column, value)
    for row, column in enumerate(COLUMNS)
    for place, value in enumerate([*VALUES, "cut", "another"])
    if (row + place) % 3 == 0
]
CASES += [("certificates.revoked_at", "NULL"), ("certificates.not_after", "not whole")]
CASES += [
    ("certificates.revoked", "NULL"),
    ("certificates.not_after", "negative"),
    ("certificates.not_after", "early"),
]
CASES = sorted(set(CASES))


class Scene(NamedTuple):
    """A CA's directory, and what its clients have."""

    directory: Path
    keys: dict[str, PrivateKey]
    certificates: dict[str, x509.Certificate]
    dump: bytes
    """Of a transaction in which the victim waits."""


class Caller:
    """A client's way to a server, as a web server calls it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(self, message: bytes) -> bytes:
        status = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": "application/pkixcmp",
            "CONTENT_LENGTH": str(len(message)),
            "wsgi.input": io.BytesIO(message),
        }
        body = b"".join(self._server.wsgi_app(environ, lambda line, _: status.append(line)))  # type: ignore[arg-type]
        assert status[0][:3] in ("200", "503"), status
        if status[0][:3] == "503":
            raise ConnectionError(status[0])
        return body


def by_mac(transport: Any, reference: str) -> osslcmp.Client:
    return osslcmp.Client(transport=transport, reference=reference, secret=SECRETS[reference])


def signing(transport: Any, ca: PersistentCA, scene: Scene, who: str) -> osslcmp.Client:
    return osslcmp.Client(
        transport=transport,
        certificate=scene.certificates[who],
        key=scene.keys[who],
        chain=ca.chain,
        trusted=[ca.root],
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Two clients with certificates; the victim has another one that is revoked, one that it has not confirmed, and
    waits for one."""
    directory = tmp_path_factory.mktemp("damaged") / "ca"
    made = Scene(directory, {}, {}, b"")
    with opened(directory, secrets=SECRETS) as ca:
        transport = Caller(ca.server())
        for who, reference in (("victim", "victim"), ("revoked", "victim"), ("other", "other")):
            made.keys[who] = make_key()
            client = by_mac(transport, reference)
            made.certificates[who] = client.ir(made.keys[who], subject=f"CN={reference}").certificate
        signing(transport, ca, made, "revoked").rr(made.certificates["revoked"])
        ca.crl()

        def lost(message: bytes) -> bytes:
            if Message.from_der(message).type is osslcmp.BodyType.CERTCONF:
                raise ConnectionError("lost")
            return transport(message)

        with pytest.raises(ConnectionError):
            by_mac(lost, "victim").ir(make_key(), subject=CN)
        ca.policy = waiting(3, 0)
        transaction = by_mac(transport, "victim").begin("ir", key=make_key(), subject=CN)
        transaction.poll()
        return Scene(directory, made.keys, made.certificates, transaction.dump())


@pytest.fixture
def tracebacks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What an operator has to mend is logged in a line."""
    with caplog.at_level(logging.INFO, "osslcmp"):
        yield
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def damage(scene: Scene, tmp_path: Path, column: str, value: Any) -> Path | None:
    """A copy of the directory with the value in the victim's rows; None if SQLite itself does not take it there."""
    directory = tmp_path / "ca"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(scene.directory, directory)
    file = directory / "ca.db"
    table, _, name = column.partition(".")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'")
        connection.commit()
    with closing(sqlite3.connect(file)) as connection:
        last = f"SELECT max(rowid) FROM {table} WHERE {VICTIM[table]}"
        is_key = metadata.tables[table].columns[name].primary_key or name == "serial"
        where = f"rowid = ({last})" if is_key else VICTIM[table]
        try:
            changed = connection.execute(f"UPDATE {table} SET {name} = ? WHERE {where}", (value,)).rowcount
        except sqlite3.IntegrityError:
            return None
        assert changed
        connection.commit()
    return directory


def command(capsys: pytest.CaptureFixture[str], action: str, directory: Path, *words: str) -> str:
    """What ``osslcmp ca`` prints; it fails, if at all, with a line that says why."""
    status = main(["ca", action, "--directory", str(directory), *words])
    printed = capsys.readouterr()
    assert status in (0, 1)
    assert "a bug in osslcmp" not in printed.err
    assert (status == 0) == (printed.err == "")
    assert not {"\x1b", "\u202e"} & set(printed.out + printed.err)
    return printed.out


def served(ca: PersistentCA, scene: Scene, *, others: bool) -> None:
    """What the clients get."""
    transport = Caller(ca.server())
    ca.store.late_transactions(0.0)
    refused = (osslcmp.CMPError, ConnectionError)
    if others:
        by_mac(transport, "other").ir(make_key(), subject="CN=other")
        signing(transport, ca, scene, "other").kur(make_key())
    with suppress(*refused):
        by_mac(transport, "victim").ir(make_key(), subject=CN)
    with suppress(*refused):
        by_mac(transport, "victim").resume(scene.dump).poll()
    signer = signing(transport, ca, scene, "victim")
    with suppress(*refused):
        signer.kur(make_key())
    with suppress(*refused):
        signer.rr(scene.certificates["victim"])
        row = ca.store.certificate(scene.certificates["victim"].serial_number)
        assert row is not None
        assert row.revoked is not None
    with suppress(SQLAlchemyError):
        number = scene.certificates["revoked"].serial_number
        assert ca.crl().get_revoked_certificate_by_serial_number(number) is not None
    with suppress(SQLAlchemyError):
        ca.check()
    ca.tidy(now=True)


@pytest.mark.usefixtures("tracebacks")
@pytest.mark.parametrize(("column", "value"), CASES)
def test_a_damaged_row_costs_its_owner_alone(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, value: str
) -> None:
    """Whatever stands in a column: who is not concerned is served and listed, nothing is logged with a traceback, nothing
    that is revoked leaves the CRL, and the command says what it cannot read."""
    table = column.partition(".")[0]
    der = scene.certificates["victim"].public_bytes(Encoding.DER)
    others = {"cut": der[:-20], "another": scene.certificates["other"].public_bytes(Encoding.DER)}
    directory = damage(scene, tmp_path, column, {**VALUES, **others}[value])
    if directory is None:
        pytest.skip("SQLite itself does not take it there")
    try:
        with opened(directory, secrets={"other": SECRETS["other"]}) as ca:
            served(ca, scene, others=table not in ("counters", "crls"))
    except (ValueError, SQLAlchemyError):
        assert table == "counters"
        return
    assert "CN=other" in command(capsys, "list", directory)
    command(capsys, "list", directory, "--json")
    for reference in ("other", "third"):
        assert reference in command(capsys, "secrets", directory, "--json")
    serial = f"{scene.certificates['victim'].serial_number:x}"
    for action in ("show", "hold", "release", "revoke"):
        command(capsys, action, directory, serial)
    command(capsys, "show", directory, serial, "--pem")
    command(capsys, "crl", directory)


@pytest.mark.usefixtures("tracebacks")
@pytest.mark.parametrize("reason", ["keyCompromise", "certificateHold", "unspecified"])
@pytest.mark.parametrize("change", ["UPDATE {} SET revoked = NULL, revoked_at = NULL", "DELETE FROM {}"])
def test_a_revocation_that_a_crl_has_shown_is_not_forgotten(
    reason: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when both columns that tell of it are empty, nor when the row is gone: there is no new CRL. Who was released
    from hold, and what has expired, leaves it."""
    with opened(tmp_path / "ca", secrets={"ref": "secret"}) as ca:
        client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
        first, second = (client.ir(make_key(), subject="CN=x").certificate for _ in range(2))
        number = f"{first.serial_number:x}"
        words = ["--directory", str(tmp_path / "ca")]
        how = ["hold"] if reason == "certificateHold" else ["revoke", "--reason", reason]
        assert main(["ca", *how, number, *words]) == 0
        assert len(ca.crl()) == 1
        if reason == "certificateHold":
            assert main(["ca", "release", number, *words]) == 0
            assert len(ca.crl()) == 0
            assert main(["ca", "hold", number, *words]) == 0
            assert len(ca.crl()) == 1
        else:
            assert main(["ca", "revoke", f"{second.serial_number:x}", *words]) == 0
    with closing(sqlite3.connect(tmp_path / "ca" / "ca.db")) as connection:
        connection.execute(change.format("certificates") + " WHERE serial = ?", (number,))
        connection.commit()
    with opened(tmp_path / "ca", secrets={}) as ca:
        if reason == "certificateHold":
            assert len(ca.crl()) == 1  # the last one
            later = issuing.now() + datetime.timedelta(days=2)
            monkeypatch.setattr(crls, "now", lambda: later)
        with pytest.raises(SQLAlchemyError, match=f"row with serial {number}: revoked, revoked_at"):
            ca.crl()


@pytest.mark.parametrize("column", [one for one in COLUMNS if one.startswith("transactions.")])
def test_a_damaged_transaction_that_is_late_hinders_nobody(scene: Scene, tmp_path: Path, column: str) -> None:
    """Late transactions are closed with each message; one that cannot be read is closed as well."""
    for value in VALUES.values():
        directory = damage(scene, tmp_path, column, value)
        if directory is None:
            continue
        if column != "transactions.deadline":
            with closing(sqlite3.connect(directory / "ca.db")) as connection:
                connection.execute("UPDATE transactions SET deadline = 1000 WHERE open")
                connection.commit()
        with opened(directory, secrets={"other": SECRETS["other"]}) as ca:
            by_mac(Caller(ca.server()), "other").ir(make_key(), subject="CN=other")
            if column not in ("transactions.id", "transactions.open", "transactions.deadline"):
                assert ca.store.late_transactions(2000.0) == []


@pytest.mark.parametrize(
    ("column", "value"), [("der", "text"), ("der", b"0"), ("der", 5), ("reference", "text")]
)
def test_a_migration_names_the_row_that_it_cannot_read(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, value: Any
) -> None:
    """And leaves the database as it is."""
    directory = tmp_path / "ca"
    shutil.copytree(scene.directory, directory)
    file = directory / "ca.db"
    take_back(f"sqlite:///{file}", 3)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE certificates SET {column} = ?", (value,))
        connection.commit()
    assert main(["ca", "migrate", "--directory", str(directory)]) == 1
    assert "the database is damaged: table certificates, row with serial" in capsys.readouterr().err
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT value FROM counters WHERE name = 'schema'").fetchone() == (3,)
