"""What becomes of clients that do not come back, when the server has been restarted meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forger, enroll, read, refused, sha256
from support.persistent import REFERENCE, SECRET, Worker, opened

from osslcmp import FailureInfo, PKIStatus, RevocationReason
from osslcmp.server import EmbeddedCA, waiting
from osslcmp.server.ca.persistent import PersistentCA
from osslcmp.server.steps import TransactionSteps

LATE = 1000.0


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What the authority was told of."""
    found: list[tuple[Any, Any]] = []
    expired = EmbeddedCA.expired

    def note(self: EmbeddedCA, request: Any, certificate: Any) -> None:
        found.append((request, certificate))
        expired(self, request, certificate)

    monkeypatch.setattr(PersistentCA, "expired", note)
    return found


def later(monkeypatch: pytest.MonkeyPatch, seconds: float = LATE) -> None:
    """The clock of this process goes ahead."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


@pytest.mark.parametrize("unconfirmed", ["revoke", "keep"])
def test_unconfirmed(
    unconfirmed: Any, tmp_path: Path, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(tmp_path, secrets={REFERENCE: SECRET}) as worker:
        response = worker(Forger().request())
    client = Forger().answering(response)
    certificate = read(response).certificate
    with opened(tmp_path, unconfirmed=unconfirmed) as ca:
        server = ca.server()
        server.sweep()
        assert told == []
        later(monkeypatch)
        ca.server().sweep()
        assert [(request.reference, found) for request, found in told] == [(REFERENCE.encode(), certificate)]
        ca.server().sweep()
        assert len(told) == 1
        assert server.open_transactions == 0
        expected = RevocationReason.cessationOfOperation if unconfirmed == "revoke" else None
        assert ca.records[0].revoked == expected
        assert not ca.records[0].confirmed
        refused(server, client.cert_conf(sha256(certificate)), FailureInfo.badRequest)


def test_still_waiting(tmp_path: Path, told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the time that it was told to wait, besides."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}, policy=waiting(9, 600)) as ca:
        client = Forger()
        assert read(ca.server().process(client.request())).status == PKIStatus.waiting
    with opened(tmp_path) as ca:
        later(monkeypatch, 500)
        ca.server().sweep()
        assert told == []
        later(monkeypatch, 500)
        ca.server().sweep()
        assert [(request.transaction_id, found) for request, found in told] == [(client.transaction_id, None)]


def test_nothing_to_tell(tmp_path: Path, told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a revocation that waits, and of what was confirmed."""
    with Worker(tmp_path, secrets={REFERENCE: SECRET}, delays=5) as worker:
        assert read(worker(Forger().genm())).status == PKIStatus.waiting
    with opened(tmp_path) as ca:
        server = ca.server()
        client, answer = enroll(server, Forger())
        server.process(client.cert_conf(sha256(answer.certificate)))
        later(monkeypatch)
        ca.server().sweep()
        assert told == []
        assert server.open_transactions == 0


def test_client_without_a_secret_meanwhile(
    tmp_path: Path, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who it was can no longer be verified, but what it asked for is known."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        enroll(ca.server(), Forger())
        ca.remove_secret(REFERENCE)
        later(monkeypatch)
        ca.server().sweep()
        ((request, certificate),) = told
        assert (request.reference, request.signer) == (None, None)
        assert certificate == ca.records[0].certificate


def test_authority_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no mood")

    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        enroll(ca.server(), Forger())
        monkeypatch.setattr(PersistentCA, "expired", fail)
        later(monkeypatch)
        ca.server().sweep()
        assert "no mood" in caplog.text
        assert ca.server().open_transactions == 0


def test_a_failure_is_not_for_other_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        server = ca.server()
        enroll(server, Forger())
        later(monkeypatch)

        def fail(*_: object) -> None:
            raise OSError("no such token")

        monkeypatch.setattr(TransactionSteps, "replay", fail)
        server.transactions.next_sweep = 0.0  # type: ignore[attr-defined]
        assert read(server.process(Forger().request())).status == PKIStatus.accepted
        assert "no such token" in caplog.text
