"""What ``osslcmp serve`` writes to its log when clients or its database misbehave: bounded, and in lines."""

from __future__ import annotations

import logging
import socket
import sqlite3
import urllib.error
from contextlib import closing, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.disk import full_disk, tmpfs
from support.forge import Forger
from support.pki import PKI, make_key, make_name
from support.serving import REFERENCE, SECRET, Served, Serving, post

import osslcmp
from osslcmp.cli.serve_log import BoundedHandler
from osslcmp.server.failures import log_failure


def ask(served: Served, reference: bytes = REFERENCE.encode(), secret: bytes = SECRET) -> int:
    """Send an ir; the status of the HTTP response."""
    try:
        post(served.url, Forger(reference=reference, secret=secret).request())
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def lines(served: Served, log: Path) -> list[str]:
    """What was logged until it ended."""
    assert served.end() == 0
    told = log.read_text()
    assert "Traceback" not in told
    return [line.partition(" ")[2].partition(" ")[2] for line in told.splitlines()]


def test_unknown_clients(serve: Serving, pki: PKI, tmp_path: Path) -> None:
    """A line for each, which says where it came from; after twenty, one for all."""
    log = tmp_path / "log"
    served = serve(log=log)
    ask(served, b"nobody\n\x1b[2J", b"x")
    ask(served, secret=b"wrong")
    stranger = osslcmp.Client(
        served.url,
        certificate=pki.client.certificate,
        key=pki.client.key,
        chain=pki.client.chain,
        trusted=served.anchor,
        message_timeout=20,
    )
    with pytest.raises(osslcmp.RejectedError):
        stranger.ir(make_key(), subject=make_name("x"))
    for _ in range(30):
        ask(served, b"nobody", b"x")
    told = lines(served, log)
    for line, begin in zip(
        told,
        (
            "'nobody\\n\\x1b[2J' was refused: rejection (badMessageCheck)",
            "'ref' was refused: rejection (badMessageCheck)",
            "'CN=client,O=osslcmp tests' was refused: rejection (signerNotTrusted)",
        ),
        strict=False,
    ):
        assert line.startswith(f"WARNING 127.0.0.1 {begin}")
        assert line.isprintable()
    assert len(told) == 21
    assert told[-1].startswith(
        "WARNING 13 more like this were suppressed, the last: 127.0.0.1 'nobody' was refused"
    )


def test_absent_clients(serve: Serving, tmp_path: Path) -> None:
    """Those who go away, before or after their message was whole, who send what is no HTTP or no CMP: not a word."""
    log = tmp_path / "log"
    served = serve(log=log)
    message = Forger(reference=REFERENCE.encode(), secret=SECRET).request()
    kind = b"Host: x\r\nContent-Type: application/pkixcmp\r\n"
    whole = b"POST / HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (kind, len(message), message)
    where = urlsplit(served.url)
    for sent in (b"", b"POST", whole[:-100], whole, b"\xff\r\n\r\n", whole.replace(b"\x30", b"\x31")):
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as connection:
            connection.sendall(sent)
    assert ask(served) == 200
    assert lines(served, log) == []


def test_dead_database(serve: Serving, tmp_path: Path) -> None:
    """A line for the operator, not one for each message that comes meanwhile, and no traceback."""
    log = tmp_path / "log"
    served = serve(log=log)
    with closing(sqlite3.connect(serve.directory / "ca.db")) as database:
        database.execute("ALTER TABLE transactions RENAME TO gone")
    assert {ask(served) for _ in range(30)} == {503}
    told = [line for line in lines(served, log) if "once a second" not in line]
    why = "a CMP message could not be answered: OperationalError: (sqlite3.OperationalError) no such table: transactions"
    assert told == [f"ERROR {why}"] * 20 + [f"WARNING 10 more like this were suppressed, the last: {why}"]


@pytest.mark.parametrize("kind", ["disk", "limit"])
def test_full_disk(kind: str, tmp_path: Path) -> None:
    """The same; and when there is space again, it goes on."""
    log = tmp_path / "log"
    with tmpfs(1 << 20) if kind == "disk" else nullcontext(tmp_path) as path, Serving(path) as serving:
        served = serving(log=log)
        assert ask(served) == 200
        with full_disk(kind, serving.directory, served.process.pid):
            assert [ask(served) for _ in range(3)] == [503] * 3
        assert ask(served) == 200
        told = [line for line in lines(served, log) if "once a second" not in line]
    why = "database or disk is full" if kind == "disk" else "disk I/O error"
    answered = "ERROR a CMP message could not be answered: OperationalError: (sqlite3.OperationalError)"
    assert told == [f"{answered} {why}"] * 3


def test_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    handler = BoundedHandler(most=3, seconds=60)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("osslcmp.test_bounded")
    logger.propagate = False
    logger.addHandler(handler)
    for number in range(10):
        logger.warning("client %d", number)
    logger.warning("another kind")
    try:
        raise OSError(28, "No space left on device")
    except OSError as error:
        log_failure(logger, "failed", error)
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
    assert lines[-1] == "WARNING 7 more like this were suppressed, the last: client 9"
