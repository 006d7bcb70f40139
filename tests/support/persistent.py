"""Processes around a persistent CA: servers that are killed, clients that go on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import osslcmp
from osslcmp.server import CertificateRequest, EmbeddedCA, delayed, waiting
from osslcmp.server.ca.database import Database, Unit
from osslcmp.server.ca.persistent import PersistentCA

from . import postgresql

REFERENCE, SECRET = "ref", "secret"
POINTS = ("while deciding", "before the commit", "within the commit", "after the commit", "before the answer")
"""Where a worker can kill itself."""

# Quick to start: what takes long is imported once, and forked.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["osslcmp", "osslcmp.server.ca.persistent", "support.persistent"])


class KilledError(Exception):
    """The worker died before it answered."""


def _work(pipe: Connection, directory: Path, options: dict[str, Any]) -> None:
    """Be a server until the pipe is closed."""
    polls, (point, at) = options.pop("polls", 0), options.pop("dies", None) or (None, 0)
    delays, strictness = options.pop("delays", 0), options.pop("strictness", "rfc9810")
    ca = EmbeddedCA.open(
        directory,
        policy=waiting(polls, 0) if polls else None,
        delay=delayed(delays, 0) if delays else None,
        **options,
    )
    server = ca.server(strictness=strictness)
    count = 0

    def die(*_: object) -> None:
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    policy, commit, process = ca.policy, Database.commit, server.process

    def deciding(request: CertificateRequest) -> Any:
        die()
        return policy and policy(request)

    def committing(self: Database, unit: Unit) -> None:
        if point == "before the commit":
            die()
        if point == "within the commit":
            unit.changes.insert(1, die)
        commit(self, unit)
        if point == "after the commit":
            die()

    if point == "while deciding":
        ca.policy = deciding
    Database.commit = committing  # type: ignore[method-assign]
    pipe.send("ready")
    while True:
        try:
            message = pipe.recv_bytes()
        except EOFError:
            return
        count += 1
        answer = process(message)
        if point == "before the answer":
            die()
        pipe.send_bytes(answer)


class Worker:
    """A process with a server; an instance takes a message and returns its answer, as a transport does.

    Args:
        directory: of the CA.
        options: of EmbeddedCA.open; ``polls`` lets clients wait for certificates, ``delays`` for the rest;
            ``dies``: where (POINTS) and at which message it kills itself.
    """

    def __init__(self, directory: Path, **options: Any) -> None:
        self._pipe, other = _processes.Pipe()
        self._process = _processes.Process(target=_work, args=(other, directory, options), daemon=True)
        self._process.start()
        other.close()
        self.messages: list[bytes] = []
        assert self._pipe.recv() == "ready"

    def __call__(self, message: bytes) -> bytes:
        self.messages.append(message)
        try:
            self._pipe.send_bytes(message)
            return self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise KilledError from None

    def kill(self) -> None:
        """Kill it, at once."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def killed(self) -> bool:
        """Whether it was killed by SIGKILL."""
        self._process.join(20)
        return self._process.exitcode == -signal.SIGKILL

    def __enter__(self) -> Worker:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Reviving:
    """A transport to a worker; when that dies, a new one gets the message again."""

    def __init__(self, directory: Path, dies: tuple[str, int], **options: Any) -> None:
        self._directory, self._options = directory, options
        self._worker = Worker(directory, dies=dies, **options)
        self.deaths = 0

    def __call__(self, message: bytes) -> bytes:
        try:
            return self._worker(message)
        except KilledError:
            assert self._worker.killed()
            self.deaths += 1
            self._worker.kill()
            self._worker = Worker(self._directory, **self._options)
            return self._worker(message)

    def __enter__(self) -> Reviving:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.kill()


@contextmanager
def opened(directory: Path, **options: Any) -> Iterator[PersistentCA]:
    """A persistent CA of this process."""
    ca = EmbeddedCA.open(directory, **options)
    try:
        yield ca
    finally:
        ca.close()


@contextmanager
def ca_in(
    where: str, directory: Path, request: pytest.FixtureRequest, **options: Any
) -> Iterator[EmbeddedCA]:
    """A CA whose records are in ``memory``, ``sqlite`` or ``postgresql``."""
    if where == "memory":
        yield EmbeddedCA(**options)
        return
    if where == "postgresql":
        options["database"] = postgresql.create(request.getfixturevalue("postgresql_url"))
    with opened(directory, **options) as ca:
        yield ca


@contextmanager
def listening(event: str, listener: Callable[..., object]) -> Iterator[None]:
    """Within this SQLAlchemy tells of an event of every engine."""
    sa.event.listen(sa.Engine, event, listener)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, event, listener)


def client(transport: Any, **options: Any) -> osslcmp.Client:
    """A client with the shared secret."""
    return osslcmp.Client(transport=transport, reference=REFERENCE, secret=SECRET, **options)
