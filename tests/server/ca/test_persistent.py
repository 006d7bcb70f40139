"""The persistent CA: two of them on one database, opened again, clients that are lost or forged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.forge import Forger, enroll, read, sha256
from support.persistent import REFERENCE, SECRET, client
from support.pki import make_key, make_name
from support.threads import at_once

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, RejectedError, RevocationReason, features
from osslcmp.server import persistent, waiting
from osslcmp.server.ca.persistent import PersistentCA

Open = Callable[..., PersistentCA]


@pytest.fixture
def open_ca(database_url: str, tmp_path: Path) -> Iterator[Open]:
    """Open the same CA once more, as another process would."""
    found: list[PersistentCA] = []

    def start(**options: object) -> PersistentCA:
        secrets: dict[str | bytes, str | bytes] = {REFERENCE: SECRET}
        found.append(PersistentCA(tmp_path / "ca", secrets, database=database_url, **options))  # type: ignore[arg-type]
        return found[-1]

    yield start
    for ca in found:
        ca.close()


def test_opened_again(open_ca: Open) -> None:
    first = open_ca()
    certificate = (
        client(first.server()).ir(make_key(), subject=make_name("x"), sans=["a.example"]).certificate
    )
    again = open_ca()
    assert (again.root, again.issuer) == (first.root, first.issuer)
    assert again.server().certificate == first.server().certificate
    record = again.record(certificate)
    assert record is not None
    assert (record.confirmed, record.reference, record.revoked) == (True, b"ref", None)
    assert again.shared_secret(b"ref") == b"secret"
    assert again.shared_secret(b"other") is None
    again.remove_secret("ref")
    assert first.shared_secret(b"ref") is None


def test_secret_is_sealed(open_ca: Open, tmp_path: Path) -> None:
    ca = open_ca()
    row = ca.store.secret(b"ref")
    assert row is not None
    assert b"secret" not in row.sealed
    ca.store.set_secret(replace(row, reference=b"other"))
    with pytest.raises(ValueError, match=r"seal\.key"):  # it is sealed for its reference
        ca.shared_secret(b"other")
    for reference, secret in (("", "x"), ("x", "")):
        with pytest.raises(ValueError, match="empty"):
            ca.add_secret(reference, secret)


def test_every_kind_of_request(open_ca: Open) -> None:
    ca, key = open_ca(), make_key()
    server = ca.server()
    by_mac = client(server)
    mine = by_mac.ir(key, subject=make_name("x"), implicit_confirm=True)
    assert [record.confirmed for record in ca.records] == [True]
    me = osslcmp.Client(
        transport=server, certificate=mine.certificate, key=key, chain=[ca.issuer], trusted=[ca.root]
    )
    ca.policy = waiting(2, 0)
    new = me.kur(make_key()).certificate
    assert me.rr(new, reason=RevocationReason.superseded).status == PKIStatus.accepted
    with pytest.raises(RejectedError) as caught:
        me.rr(new)
    assert caught.value.failure_info == FailureInfo.certRevoked
    assert [c.subject for c in me.ca_certs()] == [ca.issuer.subject, ca.root.subject]
    assert server.open_transactions == 0


def test_message_that_comes_twice(open_ca: Open) -> None:
    """It gets the same answer, here and in another process, and has its effect once."""
    ca = open_ca()
    first, second = ca.server(), open_ca().server()
    forger = Forger()
    request = forger.request()
    answers = [server.process(request) for server in (first, second, first)]
    assert len(set(answers)) == 1
    assert len(ca.records) == 1
    follower = forger.answering(answers[0])
    confirmation = follower.cert_conf(sha256(read(answers[0]).certificate))
    answers = [server.process(confirmation) for server in (second, first)]
    assert read(answers[0]).kind == BodyType.PKICONF
    assert answers[0] == answers[1]


def test_two_servers_at_once(open_ca: Open) -> None:
    """The same message at the same moment: one process wins, the other one repeats its answer."""
    servers = [open_ca().server() for _ in range(4)]
    forger = Forger()
    request = forger.request()
    answers = at_once(lambda server: server.process(request), servers)
    assert len(set(answers)) == 1
    assert len(open_ca().records) == 1


def test_many_clients_of_two_servers(open_ca: Open) -> None:
    servers = [open_ca().server() for _ in range(2)]
    turns = itertools.count()

    def transport(message: bytes) -> bytes:
        return servers[next(turns) % 2](message)

    def work(_: int) -> None:
        for _ in range(4):
            client(transport).ir(make_key(), subject=make_name("x"))

    at_once(work, range(6))
    records = open_ca().records
    assert len(records) == 24
    assert all(record.confirmed for record in records)


def test_forged_messages_change_nothing(open_ca: Open) -> None:
    ca = open_ca()
    server = ca.server()
    forger = Forger()
    follower, answer = enroll(server, forger)
    name = forger.transaction_id
    assert name is not None
    before = ca.store.transaction(name)
    forged = follower.but(secret=b"wrong").cert_conf(sha256(answer.certificate))
    assert read(server.process(forged)).kind == BodyType.ERROR
    assert ca.store.transaction(name) == before
    other = open_ca().server()
    assert read(other.process(forged)).kind == BodyType.ERROR
    assert read(other.process(follower.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


def test_transaction_id_in_use_elsewhere(open_ca: Open) -> None:
    first, second = open_ca().server(), open_ca().server()
    forger = Forger()
    first.process(forger.request())
    answer = read(second.process(forger.but(nonce=b"n" * 16).request()))
    assert answer.failure == FailureInfo.transactionIdInUse


def test_one_client_cannot_have_all_transactions(open_ca: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three quarters at most, in all processes together; others get on, a client whose number is full, too, in the end."""
    monkeypatch.setattr(persistent, "COUNT_INTERVAL", 0.0)
    first, second = open_ca(), open_ca()
    first.add_secret("other", "secret")
    servers = [ca.server(max_transactions=8) for ca in (first, second)]

    def ask(number: int, reference: bytes) -> Any:
        return read(servers[number % 2].process(Forger(reference=reference).request()))

    assert [ask(number, b"ref").status for number in range(6)] == [PKIStatus.accepted] * 6
    assert FailureInfo(ask(6, b"ref").failure) == FailureInfo.systemUnavail
    assert [ask(number, b"other").status for number in range(2)] == [PKIStatus.accepted] * 2
    assert FailureInfo(ask(1, b"other").failure) == FailureInfo.systemUnavail
    assert servers[0].open_transactions == 8


def test_too_many_transactions(open_ca: Open) -> None:
    first, second = open_ca().server(), open_ca().server(max_transactions=1)
    first.process(Forger().request())
    answer = read(second.process(Forger().request()))
    assert answer.failure == FailureInfo.systemUnavail


def test_only_few_are_at_hand(open_ca: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistent, "CACHE", 2)
    server = open_ca().server()
    clients = [enroll(server, Forger()) for _ in range(6)]
    assert len(server.transactions.table) < 6
    for follower, answer in clients:
        assert read(server.process(follower.cert_conf(sha256(answer.certificate)))).kind == BodyType.PKICONF


def test_failure_of_the_database(open_ca: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is answered that could not be written; the client may try again."""
    ca = open_ca()
    server = ca.server()
    forger = Forger()
    request = forger.request()

    def broken(unit: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(ca.store, "commit", broken)
        with pytest.raises(OSError, match="disk full"):
            server.process(request)
    assert list(ca.records) == []
    answer = read(server.process(request))
    assert [record.certificate for record in ca.records] == [answer.certificate]


def test_crl_is_kept(open_ca: Open) -> None:
    ca, other = open_ca(), open_ca()
    first = ca.crl()
    assert other.crl() == first
    certificate = client(ca.server(strictness="rfc9810")).ir(make_key(), subject=make_name("x")).certificate
    assert ca.crl() == first
    client(ca.server(strictness="rfc9810")).rr(certificate)
    second = other.crl()
    assert second.get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert ca.crl() == second
    numbers = [c.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for c in (first, second)]
    assert numbers == [1, 2]
    assert second.last_update_utc > first.last_update_utc


def test_crl_update(open_ca: Open) -> None:
    if not features["crl_update"]:
        with pytest.raises(osslcmp.UnsupportedError):
            client(open_ca().server()).crl_update(certificate=open_ca().root)
        return
    ca = open_ca()
    cmp = client(ca.server(strictness="rfc9810"))
    certificate = cmp.ir(make_key(), subject=make_name("x")).certificate
    first = ca.crl()
    assert cmp.crl_update(last_crl=first) is None
    cmp.rr(certificate)
    assert cmp.crl_update(last_crl=first) == ca.crl()
