"""``osslcmp serve`` that grows: more processes, more certificates in its database, more open transactions."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding
from support import postgresql
from support.serving import REFERENCE, SECRET, Serving

import osslcmp
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca.tables import CERTIFICATES, NAMES, TRANSACTIONS

from .load import SERVED, served_rate
from .rounds import Round, Run, repeated, timed

ROWS = (1_000, 100_000, 1_000_000)
OPEN = 10_000
_BATCH = 20_000
_CLIENTS = 16
_REQUESTS = 2_000


@contextmanager
def _databases() -> Iterator[dict[str, list[str]]]:
    """By name, the options of ``osslcmp serve`` for each kind of database that is here."""
    found: dict[str, list[str]] = {"SQLite": []}
    if postgresql.missing() is not None:
        yield found
        return
    with postgresql.Cluster() as cluster:
        yield {**found, "PostgreSQL": ["--database", postgresql.create(cluster.url)]}


def bench_processes(run: Run) -> None:
    """``osslcmp serve --processes 2`` beside one process."""
    key_pem = run.pki.enrolled.key_file.read_bytes()
    title = "osslcmp serve, rate of two processes"
    run.report.title(f"{title}, {_CLIENTS} clients, MAC, {len(os.sched_getaffinity(0))} processors")
    with _databases() as databases:
        for name, options in databases.items():
            ratios = []
            with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as path, Serving(Path(path)) as serve:
                one, two = (serve("--processes", str(number), *options) for number in (1, 2))
                for _ in range(min(run.rounds, 3)):
                    rates = [
                        served_rate(served.url, _CLIENTS, _REQUESTS, key_pem, SERVED) for served in (one, two)
                    ]
                    ratios.append(rates[1] / rates[0])
            run.report.ratio(title, name, ratios, "one process", goal=1.8, more_is_better=True)


def bench_rows(run: Run) -> None:
    """The processor's time of an enrolment with 100,000 and 1,000,000 certificates in the database, and with many
    transactions open besides, in turn with one where there are 1,000."""
    run.report.title("cost of an enrolment in process by the certificates in its SQLite database, MAC")
    title, base = "cost of an enrolment with SQLite", f"{ROWS[0]:,}"
    der, points = run.pki.enrolled.certificate.public_bytes(Encoding.DER), [(float(ROWS[0]), 1.0)]
    with _growing(run) as (few, enrol_few), _growing(run) as (many, enrol_many):
        _fill(few, der, ROWS[0])

        def ratios() -> list[float]:
            enrol_few(20), enrol_many(20)  # which reads what the first of them needs
            return [enrol_many(20) / enrol_few(20) for _ in range(2 * run.rounds)]

        for number in ROWS[1:]:
            if len(points) > 1 and time.monotonic() > run.deadline:
                break
            _fill(many, der, number)
            row = run.report.ratio(title, f"{number:,} certificates", ratios(), base, goal=1.0)
            points.append((float(number), row.median))
        _open(many, OPEN - 1)
        run.report.ratio(title, f"and {OPEN:,} transactions", ratios(), base, goal=1.0)
    run.report.line("rows", "osslcmp serve's CA with SQLite", points)


@contextmanager
def _growing(run: Run) -> Iterator[tuple[sa.Engine, Round]]:
    """A CA with a database, and what enrols there."""
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as path:
        ca = EmbeddedCA.open(path, {REFERENCE: SECRET})
        client = osslcmp.Client(transport=ca.server(), trusted=ca.root, reference=REFERENCE, secret=SECRET)
        key, devices = run.pki.enrolled.key, itertools.count()
        enrol = repeated(lambda: client.ir(key, subject=f"CN=device {next(devices)}"))
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(ca.directory.database_file)))
        yield engine, timed(enrol, time.process_time_ns)
        engine.dispose()
        ca.close()


def _fill(engine: sa.Engine, der: bytes, number: int) -> None:
    """Have so many certificates in the database, each with a name and an owner of its own."""
    with engine.begin() as connection:
        there = connection.scalar(sa.select(sa.func.count()).select_from(CERTIFICATES)) or 0
        for first in range(there, number, _BATCH):
            some = range(first, min(first + _BATCH, number))
            connection.execute(sa.insert(CERTIFICATES), [_certificate(one, der) for one in some])
            names = [{"name": sha256(b"name %d" % one).digest(), "serial": f"{one:x}"} for one in some]
            connection.execute(sa.insert(NAMES), names)


def _certificate(number: int, der: bytes) -> dict[str, object]:
    return {
        "serial": f"{number:x}",
        "der": der,
        "key_hash": sha256(b"key %d" % number).digest(),
        "confirmed": True,
        "confirm_by": 0.0,
        "owner": b"r%d" % number,
        "not_after": time.time() + 86_400.0,
    }


def _open(engine: sa.Engine, number: int) -> None:
    """Open so many transactions, of many clients, that nobody comes back for."""
    row: dict[str, object] = {
        "version": 1,
        "open": True,
        "request": bytes(1000),
        "outcome": b"{}",
        "polls": 0,
    }
    row |= {"sent_nonce": b"", "last_hash": b"", "last_response": bytes(2000), "last_meaning": b""}
    row["deadline"] = time.time() + 86_400.0
    rows = [{**row, "id": b"open %d" % one, "owner": b"owner %d" % (one % 100)} for one in range(number)]
    with engine.begin() as connection:
        connection.execute(sa.insert(TRANSACTIONS), rows)
