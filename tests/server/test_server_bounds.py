"""What many transactions and revocations cost the server: bounded memory, and a CRL that is not signed all the time."""

from __future__ import annotations

import datetime
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.forge import Forger, read
from support.pki import PKI, make_key

import osslcmp
from osslcmp import PKIStatus
from osslcmp.server import EmbeddedCA, Server
from osslcmp.server.ca import crls
from osslcmp.server.engine import SPARE, Pool, Settings
from osslcmp.server.transactions import LIVE_ENGINES, Transaction


def entries(server: Server) -> list[Transaction]:
    table = server.transactions.table
    return [entry for entry in map(table.get, table.ids()) if entry is not None]


def test_open_transactions_hold_few_contexts() -> None:
    """The first of many is confirmed although its context was given back meanwhile."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    count = LIVE_ENGINES + SPARE + 20
    mine = [Forger(reference=b"ref", secret=b"secret") for _ in range(count)]
    answers = [read(server.process(one.request())) for one in mine]
    assert {answer.status for answer in answers} == {PKIStatus.accepted}
    assert server.open_transactions == count
    assert sum(entry.engine is not None for entry in entries(server)) == LIVE_ENGINES


def test_spare_credentials() -> None:
    """As many as are used at once are there for the next, and no more of those that many messages at once have needed."""
    pool = Pool(Settings())
    used = [pool.acquire() for _ in range(SPARE + 5)]
    for credentials in used:
        pool.release(credentials)
    again = [pool.acquire() for _ in used]
    assert len({id(one) for one in again} & {id(one) for one in used}) == SPARE


def test_transaction_without_its_context() -> None:
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    transactions = 0

    def forgetful(message: bytes) -> bytes:
        nonlocal transactions
        for entry in entries(server):
            if entry.engine is not None:
                transactions += 1
                entry.drop_engine()
        return server.process(message)

    client = osslcmp.Client(transport=forgetful, reference="ref", secret="secret")
    certificate = client.ir(make_key(), subject="CN=x").certificate
    assert transactions == 1
    record = ca.record(certificate)
    assert record is not None
    assert record.confirmed


def revoke(ca: EmbeddedCA, count: int = 1) -> None:
    client = osslcmp.Client(transport=ca.server(strictness="rfc9810"), reference="ref", secret="secret")
    for _ in range(count):
        client.rr(client.ir(make_key(), subject="CN=x").certificate)


def test_large_crl_is_not_signed_for_each_revocation(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is good for a second; a small one shows each change at once."""
    ca = EmbeddedCA({"ref": "secret"})
    monkeypatch.setattr(crls, "FEW_ENTRIES", 2)
    monkeypatch.setattr(crls, "CRL_INTERVAL", 1000.0)
    revoke(ca, 2)
    assert len(ca.crl()) == 2
    revoke(ca)
    large = ca.crl()
    assert len(large) == 3
    revoke(ca)
    assert ca.crl() is large
    later = time.monotonic() + crls.CRL_INTERVAL
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert len(ca.crl()) == 4


def test_nobody_waits_for_the_next_large_crl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once asked for, it is made once a second beside the requests; who asks meanwhile gets the last one."""
    ca = EmbeddedCA({"ref": "secret"})
    monkeypatch.setattr(crls, "FEW_ENTRIES", 2)
    server = ca.server(strictness="rfc9810")
    revoke(ca, 3)
    server.sweep()
    asked_in: list[threading.Thread] = []
    make = crls.make_crl

    def slowly(*arguments: Any) -> x509.CertificateRevocationList:
        asked_in.append(threading.current_thread())
        if len(asked_in) == 2:
            begun.set()
            assert go_on.wait(30)
        return make(*arguments)

    monkeypatch.setattr(crls, "make_crl", slowly)
    begun, go_on = threading.Event(), threading.Event()
    first = ca.crl()
    assert asked_in == [threading.current_thread()]
    revoke(ca)
    clock = threading.Thread(target=server.sweep)
    clock.start()
    assert begun.wait(30)
    assert ca.crl() is first
    go_on.set()
    clock.join()
    assert len(ca.crl()) == 4
    assert asked_in[1:] == [clock]


def test_expired_certificates_leave_the_crl(pki: PKI) -> None:
    expired = pki.expired_client.certificate
    now = datetime.datetime.now(datetime.timezone.utc)
    for grace, count in (
        (now - expired.not_valid_after_utc + datetime.timedelta(hours=1), 1),
        (datetime.timedelta(), 0),
    ):
        ca = EmbeddedCA({"ref": "secret"}, crl_grace=grace)
        revoke(ca)
        ca.records[0].certificate = expired
        assert len(ca.crl()) == count


FORGETS = """
import osslcmp, sys, threading
from cryptography.hazmat.primitives.asymmetric import ec
from osslcmp.server import EmbeddedCA
ca = EmbeddedCA.open(sys.argv[1], {"ref": "secret"}) if sys.argv[1:] else EmbeddedCA({"ref": "secret"})
running = ca.server().serve()
client = osslcmp.Client(running.url, reference="ref", secret="secret")
print(client.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=x").certificate)
"""
BUSY = """
begun = threading.Event()

def never(message, place):
    begun.set()
    threading.Event().wait()

from osslcmp.server.http import webserver
from osslcmp.server.http.app import Application
from osslcmp.server.http.serving import serve
webserver.STOP_TIME = 0.2
second = serve(Application(never, 1000), "127.0.0.1", 0, threads=1, timeout=20)
client = osslcmp.Client(second.url, reference="ref", secret="x")

def ask():
    try:
        client.ca_certs()
    except osslcmp.CMPError:
        pass

threading.Thread(target=ask, daemon=True).start()
begun.wait()
"""


@pytest.mark.parametrize(
    ("directory", "more", "status"),
    [(False, "", 0), (True, "", 0), (False, BUSY, 0), (False, "raise SystemExit(3)", 3)],
)
def test_script_that_forgets_to_stop(directory: bool, more: str, status: int, tmp_path: Path) -> None:
    """It ends all the same, without a word, whatever it does last and whatever the server is busy with."""
    script = FORGETS + more
    done = subprocess.run(
        [sys.executable, "-c", script, *([str(tmp_path)] if directory else [])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout
