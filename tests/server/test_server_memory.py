"""A server that runs for months: what it holds does not grow with what it has done.

``python -m benchmarks memory --enrolments 100000`` measures the same for as long as one likes; see benchmarks/README.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.authorities import confirm
from support.forge import Forger, read
from support.malloc import allocated
from support.persistent import listening, opened

from benchmarks.memory import Forgetting
from osslcmp import BodyType
from osslcmp.server import Server
from osslcmp.server.reply_cache import Replies

WARM_UP, REPEATS = 30, 60
#: Bytes for each repetition: what the server remembers of a transaction that has ended, its transactionID and nonces in
#: tables that grow in steps (``max_remembered`` bounds them), and less than answer and certificate would take.
ALLOWED = 1536


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """pytest would keep every log record."""
    caplog.set_level(logging.CRITICAL, "osslcmp")


def is_flat(once: Callable[[], object]) -> None:
    """Done again and again it takes no more memory."""
    for _ in range(WARM_UP):
        once()
    before = allocated()
    for _ in range(REPEATS):
        once()
    after = allocated()
    if before is None or after is None:
        pytest.skip("this libc does not tell how much is allocated")
    assert (after - before) / REPEATS <= ALLOWED


def enroll(server: Server) -> None:
    """With certConf."""
    client = Forger()
    answer = server.process(confirm(client, server.process(client.request())))
    assert read(answer).kind == BodyType.PKICONF


def limited(server: Server) -> Server:
    server.transactions.replies = Replies(limit=10)
    return server


def test_in_memory() -> None:
    """Enrolments with certConf, refusals, general messages."""
    server = limited(Forgetting({"ref": "secret"}).server())

    def once() -> None:
        enroll(server)
        server.process(Forger(secret=b"wrong").request())
        server.process(Forger().genm())

    is_flat(once)


@pytest.fixture
def persistent(tmp_path: Path) -> Iterator[Server]:
    # SQLite keeps 2 MB of what it has read or written; here that shall be full at once.
    with (
        listening("connect", lambda found, _: found.execute("PRAGMA cache_size=10")),
        opened(tmp_path / "ca", secrets={"ref": "secret"}) as ca,
    ):
        yield limited(ca.server())


def test_with_a_database(persistent: Server) -> None:
    """What it has issued is on the disk alone."""

    def once() -> None:
        enroll(persistent)

    is_flat(once)
