"""What ``osslcmp serve`` writes to its log when clients or its database misbehave: bounded, and in lines."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import urllib.error
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.forge import Forger
from support.serving import REFERENCE, SECRET, Serving, post

from osslcmp.cli.serve_log import BoundedHandler, OneLineFormatter


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path) as serving:
        yield serving


def test_dead_database(serve: Serving, tmp_path: Path) -> None:
    """A line for the operator, not one for each message that comes meanwhile, and no traceback."""
    log = tmp_path / "log"
    served = serve(log=log)
    with closing(sqlite3.connect(serve.directory / "ca.db")) as database:
        database.execute("ALTER TABLE transactions RENAME TO gone")
    for _ in range(60):
        with contextlib.suppress(urllib.error.HTTPError, OSError):
            post(served.url, Forger(reference=REFERENCE.encode(), secret=SECRET).request())
    assert served.end() == 0
    told = log.read_text()
    assert "Traceback" not in told
    assert "OperationalError: (sqlite3.OperationalError) no such table: transactions" in told
    assert "more like this were suppressed" in told
    assert len(told.splitlines()) < 150


def test_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    handler = BoundedHandler(most=3, seconds=60)
    handler.setFormatter(OneLineFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("osslcmp.test_bounded")
    logger.propagate = False
    logger.addHandler(handler)
    for number in range(10):
        logger.warning("client %d", number)
    logger.warning("another kind")
    try:
        raise OSError(28, "No space left on device")
    except OSError:
        logger.exception("failed")
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        logger.exception("failed, too")
    handler.close()
    lines = capsys.readouterr().err.splitlines()
    assert lines[:5] == [
        "WARNING client 0",
        "WARNING client 1",
        "WARNING client 2",
        "WARNING another kind",
        "ERROR failed: OSError: [Errno 28] No space left on device",
    ]
    assert "Traceback (most recent call last):" in lines
    assert lines[-1] == "WARNING 7 more like this were suppressed: client %d"
