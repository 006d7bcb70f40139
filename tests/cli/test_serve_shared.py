"""Several ``osslcmp serve`` processes on one database, SQLite and PostgreSQL, killed at any moment, with ``openssl cmp`` as
their client; and a backup."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from support import openssl
from support.load import Load
from support.persistent import opened
from support.pki import make_key, make_name
from support.raw_server import free_port
from support.serving import MAC, SECRET, Peer, Serving, client, get, load, signing


def url_of(database: list[str]) -> dict[str, str]:
    return {"database": database[1]} if database else {}


@pytest.mark.peer
def test_openssl_client_of_two_processes(serve: Serving, database: list[str], tmp_path: Path) -> None:
    """On one port, so that each connection goes to either; the client polls, updates, revokes."""
    port = free_port()
    polls = ["--polls", "2", "--check-after", "0"]
    first, _ = (serve("--reuse-port", *polls, *database, port=port) for _ in range(2))
    peer = Peer(first, tmp_path / "peer", keep_alive=0)
    for _ in range(4):
        old = peer.enroll(**MAC)
    new = peer.enroll("kur", **peer.signed_with(old))
    peer.cmp("rr", **peer.signed_with(new), oldcert=old).must()
    for _ in range(4):
        crl = x509.load_der_x509_crl(get(f"{first.base}/crl"))
        assert crl.get_revoked_certificate_by_serial_number(load(old).serial_number)
    with opened(serve.directory, **url_of(database)) as ca:
        assert [record.confirmed for record in ca.records] == [True] * 5


@pytest.mark.peer
def test_killed_while_openssl_waits(serve: Serving, database: list[str], tmp_path: Path) -> None:
    """kill -9 of one of two processes between two polls of ``openssl cmp``: the other one goes on."""
    port = free_port()
    options = ["--reuse-port", "--polls", "2", "--check-after", "3", *database]
    served, _ = (serve(*options, port=port) for _ in range(2))
    peer = Peer(served, tmp_path / "peer")
    arguments = openssl.arguments({**MAC, "newkey": peer.key, "subject": "/CN=x", "certout": "new.pem"})
    command = [*openssl.command(), "cmp", "-config", "", "-batch", "-cmd", "ir", "-server", served.url]
    command += ["-keep_alive", "0", *arguments]
    with subprocess.Popen(
        command,
        cwd=peer.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=openssl.clean_environment(),
    ) as waiting:
        with opened(serve.directory, **url_of(database)) as ca:
            deadline = time.monotonic() + 30
            while not ca.store.open_transactions(time.time()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        time.sleep(0.5)  # the answer leaves after it is in the database
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
        told, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, told
    openssl.verify(
        peer.path / "new.pem", trusted=served.root, untrusted=_issuer(served.root, peer.path)
    ).must()


def _issuer(root: Path, path: Path) -> Path:
    shutil.copy(root.parent / "ca-1/issuing.pem", path / "issuer.pem")
    return path / "issuer.pem"


def test_killed_under_load(serve: Serving, database: list[str]) -> None:
    """Two processes on one port, one of which is killed again and again while clients enrol without a pause.

    Whatever a client has got is known afterwards, confirmed where it was confirmed, and no certificate is there twice.
    """
    port = free_port()
    serve("--reuse-port", *database, port=port)
    victim = serve("--reuse-port", *database, port=port)
    with Load(victim, options={"keep_alive": False}, patience=30) as load:  # to either, each time
        for _ in range(2):
            load.wait(5)
            victim.end(signal.SIGKILL)
            victim = serve("--reuse-port", *database, port=port)
    load.nothing_is_lost(serve.directory, **url_of(database))


def test_secrets_are_sealed(serve: Serving, database: list[str]) -> None:
    """In a dump of the database, whichever it is."""
    serve(*database).end()
    with opened(serve.directory, **url_of(database)) as ca:
        row = ca.store.secret(b"ref")
        assert row is not None
        assert SECRET not in row.sealed
        assert ca.shared_secret(b"ref") == SECRET
    (serve.directory / "seal.key").write_bytes(os.urandom(32))
    with pytest.raises(ValueError, match=r"seal\.key"), opened(serve.directory, **url_of(database)):
        pass


def test_backup(serve: Serving, tmp_path: Path) -> None:
    """As the guide says, taken while the server runs: a server made of it knows all that there was."""
    served = serve()
    key = make_key()
    mine = client(served.url).ir(key, subject=make_name("x"))
    copy = tmp_path / "copy"
    copy.mkdir()
    with (
        closing(sqlite3.connect(serve.directory / "ca.db")) as live,
        closing(sqlite3.connect(copy / "ca.db")) as to,
    ):
        live.backup(to)
    shutil.copytree(serve.directory / "ca-1", copy / "ca-1")
    shutil.copy(serve.directory / "seal.key", copy)
    served.end(signal.SIGKILL)
    serve.directory = copy
    served = serve()
    owner = signing(served.url, mine, key, served.anchor)
    assert owner.kur(make_key()).certificate.subject == mine.certificate.subject
