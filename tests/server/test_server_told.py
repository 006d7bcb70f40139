"""What the authority is told of certificates that nobody confirmed."""

from __future__ import annotations

from typing import Any

import pytest
from support.authorities import Scripted
from support.forge import (
    Forger,
)
from support.pki import PKI

from osslcmp.server import Issued, Server, Waiting
from osslcmp.server.transaction_store import TransactionStore


class Watching(Scripted):
    """Remembers what has expired."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(**answers)
        self.late: list[tuple[Any, Any]] = []

    def expired(self, request: Any, certificate: Any) -> None:
        self.late.append((request, certificate))
        if "expired" in self.answers:
            raise self.answers["expired"]


def test_expired(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    authority = Watching(issue=Issued(pki.client.certificate), expired=RuntimeError("no database"))
    server = Server(authority, transaction_timeout=10, transactions=TransactionStore(clock=lambda: now[0]))
    client = Forger()
    server.process(client.request())
    now[0] = 11
    server.sweep()
    assert [(r.transaction_id, c) for r, c in authority.late] == [
        (client.transaction_id, pki.client.certificate)
    ]
    assert "no database" in caplog.text
    now[0] = 50
    server.sweep()
    assert len(authority.late) == 1
    assert server.open_transactions == 0


def test_expired_while_waiting() -> None:
    now = [0.0]
    authority = Watching(issue=Waiting(100))
    server = Server(authority, transaction_timeout=10, transactions=TransactionStore(clock=lambda: now[0]))
    server.process(Forger().request())
    now[0] = 105
    server.sweep()
    assert authority.late == []
    now[0] = 111
    server.sweep()
    assert [c for _, c in authority.late] == [None]


def test_authority_that_does_not_want_to_know(pki: PKI) -> None:
    """One that only has the methods of before."""

    class Old:
        def __getattr__(self, name: str) -> Any:
            if name == "expired":
                raise AttributeError(name)
            return getattr(Scripted(issue=Issued(pki.client.certificate)), name)

    now = [0.0]
    server = Server(Old(), transaction_timeout=10, transactions=TransactionStore(clock=lambda: now[0]))
    server.process(Forger().request())
    now[0] = 11
    server.sweep()
    assert server.open_transactions == 0
