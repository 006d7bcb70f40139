"""What many transactions and revocations cost the server: bounded memory, and a CRL that is not signed all the time."""

from __future__ import annotations

import datetime
import subprocess
import sys
from dataclasses import replace

import pytest
from support.forge import Forger, read
from support.pki import PKI, make_key

import osslcmp
from osslcmp import PKIStatus
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca import issuing
from osslcmp.server.engine import SPARE
from osslcmp.server.state import LIVE_ENGINES


def test_open_transactions_hold_few_contexts() -> None:
    """The first of many is confirmed although its context was given back meanwhile."""
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    count = LIVE_ENGINES + SPARE + 20
    mine = [Forger(reference=b"ref", secret=b"secret") for _ in range(count)]
    answers = [read(server.process(one.request())) for one in mine]
    assert {answer.status for answer in answers} == {PKIStatus.accepted}
    assert server.open_transactions == count
    alive = [entry for entry in server._transactions.table._open.values() if entry.engine is not None]
    assert len(alive) == LIVE_ENGINES
    server.close()
    assert len(server._pool._free) == SPARE


def test_transaction_without_its_context() -> None:
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    transactions = 0

    def forgetful(message: bytes) -> bytes:
        nonlocal transactions
        for entry in server._transactions.table._open.values():
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
    monkeypatch.setattr(issuing, "FEW_ENTRIES", 2)
    monkeypatch.setattr(issuing, "CRL_INTERVAL", 1000.0)
    revoke(ca, 2)
    assert len(ca.crl()) == 2
    revoke(ca)
    large = ca.crl()
    assert len(large) == 3
    revoke(ca)
    assert ca.crl() is large
    monkeypatch.setattr(ca._last_crl, "_good_until", 0.0)  # the time is over
    assert len(ca.crl()) == 4


def test_expired_certificates_leave_the_crl(pki: PKI) -> None:
    expired = pki.expired_client.certificate
    now = datetime.datetime.now(datetime.timezone.utc)
    for grace, count in (
        (now - expired.not_valid_after_utc + datetime.timedelta(hours=1), 1),
        (datetime.timedelta(), 0),
    ):
        ca = EmbeddedCA({"ref": "secret"}, crl_grace=grace)
        revoke(ca)
        ca._records = {0: replace(ca.records[0], certificate=expired)}
        assert len(ca.crl()) == count


def test_script_that_forgets_to_stop() -> None:
    """It ends all the same, without a word."""
    script = """
import osslcmp
from cryptography.hazmat.primitives.asymmetric import ec
from osslcmp.server import EmbeddedCA
running = EmbeddedCA({"ref": "secret"}).server().serve()
client = osslcmp.Client(running.url, reference="ref", secret="secret")
print(client.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=x").certificate)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
