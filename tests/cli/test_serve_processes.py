"""``osslcmp serve --processes N``: any process answers any message, and who dies is replaced."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import osslcmp as command
from support.load import Load
from support.persistent import opened
from support.pki import PKI, make_key, make_name
from support.processes import children, state, until
from support.serving import Serving, client


@contextmanager
def without(process: int) -> Iterator[None]:
    """Let another one answer."""
    os.kill(process, signal.SIGSTOP)
    try:
        until(lambda: state(process) == "T")
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_transaction_of_two_processes(serve: Serving, database: list[str]) -> None:
    """Each step is answered by the one that has not answered the step before."""
    served = serve("--processes", "2", "--polls", "4", "--check-after", "0", *database)
    first, second = children(served.process.pid)
    mine = client(served.url, keep_alive=False)
    with without(first):
        transaction = mine.begin("ir", key=make_key(), subject=make_name("x"))
    steps = 0
    for stopped in itertools.cycle((second, first)):
        if transaction.done:
            break
        with without(stopped):
            transaction.poll()
        steps += 1
    assert steps == 3
    assert served.end() == 0
    assert [state(process) for process in (first, second)] == ["", ""]
    with opened(serve.directory, **({"database": database[1]} if database else {})) as ca:
        (record,) = ca.records
        assert record.certificate == transaction.result.certificate
        assert record.confirmed


def test_one_is_killed(serve: Serving, tmp_path: Path) -> None:
    """Another one takes its place, and nothing is lost."""
    log = tmp_path / "log"
    served = serve("--processes", "2", log=log)
    with Load(served) as load:
        load.wait(2)
        killed, other = children(served.process.pid)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(children(served.process.pid)) == 2 and killed not in children(served.process.pid))
        assert other in children(served.process.pid)
        load.wait(2)
        os.kill(other, signal.SIGKILL)
        load.wait(2)
    assert served.end() == 0
    load.nothing_is_lost(serve.directory)
    lines = log.read_text().splitlines()
    assert [re.sub(r"^\S+ \S+ |\d+ has", "", line) for line in lines] == [
        "ERROR process  ended with status -9"
    ] * 2


def test_all_are_gone(serve: Serving) -> None:
    """When the first one is killed, the others end, too."""
    served = serve("--processes", "3")
    there = children(served.process.pid)
    assert len(there) == 3
    served.end(signal.SIGKILL)
    until(lambda: {state(process) for process in there} <= {"", "Z"})


@pytest.mark.parametrize(("what", "status"), [("port", 1), ("key", 1), ("number", 2)])
def test_cannot_start(what: str, status: int, pki: PKI, tmp_path: Path) -> None:
    """The reason is said once."""
    arguments: list[str | Path] = [
        "serve",
        "--directory",
        tmp_path / "ca",
        "--processes",
        "0" if what == "number" else "2",
    ]
    if what == "key":
        arguments += ["--tls-cert", pki.server.full_chain_file, "--tls-key", pki.client.key_file]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if what == "port" else 0
        done = command(*arguments, "--port", str(port), status=status)
    lines = [line for line in done.stderr.splitlines() if "osslcmp serve --help" not in line]
    assert len(lines) == 1
    assert done.stdout == ""
