"""``osslcmp serve`` that grows: more processes, more certificates in its database, more open transactions."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
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
from .rounds import Run

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
    """The processor's time of an enrolment with 1,000 to 1,000,000 certificates in the database, and with many transactions
    open."""
    run.report.title("cost of an enrolment in process by the certificates in its SQLite database, MAC")
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as path:
        ca = EmbeddedCA.open(path, {REFERENCE: SECRET})
        server = ca.server()
        enrolling = osslcmp.Client(transport=server, trusted=ca.root, reference=REFERENCE, secret=SECRET)
        key, devices = run.pki.enrolled.key, itertools.count()

        def cost() -> float:
            """Of one, the least of some rounds: what else the machine does only adds."""
            return min(
                _spent(lambda: enrolling.ir(key, subject=f"CN=device {next(devices)}"), 10)
                for _ in range(run.rounds)
            )

        cost()
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(ca.directory.database_file)))
        points: list[tuple[float, float]] = []
        costs: list[float] = []
        for number in ROWS:
            if costs and time.monotonic() > run.deadline:
                break
            _fill(engine, run.pki.enrolled.certificate.public_bytes(Encoding.DER), number)
            costs.append(cost())
            points.append((float(number), costs[-1] / costs[0]))
        run.report.line("rows", "osslcmp serve's CA with SQLite", points)
        title = "cost of an enrolment with SQLite"
        run.report.ratio(
            title, f"{int(points[-1][0]):,} certificates", [points[-1][1]], f"{ROWS[0]:,}", goal=1.0
        )
        _open(engine, OPEN - 1)
        run.report.ratio(title, f"and {OPEN:,} transactions", [cost() / costs[-1]], "without these", goal=1.0)
        engine.dispose()
        ca.close()


def _spent(work: Callable[[], object], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count


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
