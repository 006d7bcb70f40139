"""A second certificate for the same key, where the CA does not allow it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.forge import CR, Forger, enroll, read, refused, sha256
from support.persistent import ca_in
from support.pki import make_key

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, RevocationReason
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca import records
from osslcmp.server.transaction_store import TransactionStore

Make = Callable[..., EmbeddedCA]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make a CA."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            ca_in(request.param, tmp_path, request, secrets={"ref": "secret"}, **options)
        )


def test_allowed(make: Make) -> None:
    server, key = make().server(), ec.generate_private_key(ec.SECP256R1())
    for _ in range(2):
        assert read(server.process(Forger().request(key=key))).status == PKIStatus.accepted


def test_refused(make: Make) -> None:
    """In the answer that the request asks for; another key is welcome."""
    ca = make(duplicate_keys="refuse")
    server, key = ca.server(), ec.generate_private_key(ec.SECP256R1())
    enroll(server, Forger())
    assert read(server.process(Forger().request(key=key))).status == PKIStatus.accepted
    for kind, answer in ((CR, BodyType.CP), (0, BodyType.IP)):
        refused(server, Forger().request(kind, key=key), FailureInfo.badCertTemplate, answer)
    enroll(server, Forger())


def client(ca: EmbeddedCA) -> osslcmp.Client:
    return osslcmp.Client(transport=ca.server(strictness="rfc9810"), reference="ref", secret="secret")


def test_update_with_the_same_key(make: Make) -> None:
    ca, key = make(duplicate_keys="refuse"), make_key()
    old = client(ca).ir(key, subject="CN=x").certificate
    with pytest.raises(osslcmp.RejectedError) as caught:
        client(ca).kur(key, certificate=old)
    assert caught.value.failure_info == FailureInfo.badCertTemplate
    new = client(ca).kur(make_key(), certificate=old).certificate
    assert new.subject == old.subject


@pytest.mark.parametrize(
    ("reason", "failure"),
    [(RevocationReason.superseded, None), (RevocationReason.keyCompromise, FailureInfo.badCertTemplate)],
)
def test_key_of_a_revoked_certificate(make: Make, reason: Any, failure: FailureInfo | None) -> None:
    """It may be certified again, unless it was compromised."""
    ca, key = make(duplicate_keys="refuse"), make_key()
    cmp = client(ca)
    cmp.rr(cmp.ir(key, subject="CN=x").certificate, reason=reason)
    if failure is None:
        assert cmp.ir(key, subject="CN=x")
        return
    with pytest.raises(osslcmp.RejectedError) as caught:
        cmp.ir(key, subject="CN=x")
    assert caught.value.failure_info == failure


def test_key_of_an_expired_certificate(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ca, key = make(duplicate_keys="refuse"), make_key()
    later = client(ca).ir(key, subject="CN=x").certificate.not_valid_after_utc
    now = SimpleNamespace(now=lambda _: later)
    monkeypatch.setattr(records, "datetime", SimpleNamespace(datetime=now, timezone=datetime.timezone))
    assert client(ca).ir(key, subject="CN=x")


def test_unknown_policy() -> None:
    with pytest.raises(ValueError, match="duplicate_keys"):
        EmbeddedCA(duplicate_keys="sometimes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unconfirmed"):
        EmbeddedCA(unconfirmed="burn")  # type: ignore[arg-type]


@pytest.mark.parametrize("unconfirmed", ["keep", "revoke"])
def test_unconfirmed_in_memory(unconfirmed: Any) -> None:
    ca = EmbeddedCA({"ref": "secret"}, unconfirmed=unconfirmed)
    now = [0.0]
    server = ca.server(transaction_timeout=10, transactions=TransactionStore(clock=lambda: now[0]))
    follower, answer = enroll(server, Forger())
    confirmed, other = enroll(server, Forger())
    server.process(confirmed.cert_conf(sha256(other.certificate)))
    now[0] = 11
    server.sweep()
    first, second = ca.records
    assert (first.certificate, first.revoked is not None) == (answer.certificate, unconfirmed == "revoke")
    assert second.revoked is None
    refused(server, follower.cert_conf(sha256(answer.certificate)), FailureInfo.badRequest)
