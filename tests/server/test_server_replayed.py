"""A recorded request is not taken twice, however long it would be fresh and whatever came in between."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support import postgresql
from support.forge import IMPLICIT_CONFIRM, Forger, enroll, now, read, refused, sequence, sha256
from support.persistent import Worker, opened
from support.work import with_extra

from osslcmp import BodyType, FailureInfo, PKIStatus, RevocationReason
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, Rejected, Server, reply_cache, waiting, wire
from osslcmp.server.ca.profiles import Profile
from osslcmp.server.http import paths
from osslcmp.server.transactions import UsedIDs

SECRETS = {"ref": "secret", "other": "another secret"}
IN_USE = FailureInfo.transactionIdInUse
Start = Callable[..., Server]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Make a server; with a database each call is a restart. ``server.authority`` is its CA."""
    if request.param == "memory":
        servers: list[Server] = []

        def once(**options: Any) -> Server:
            if not servers:
                servers.append(EmbeddedCA(SECRETS).server(**options))
            return servers[0]

        yield once
        return
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    if url is not None:
        url = postgresql.create(url)
    with opened(tmp_path, secrets=SECRETS, database=url) as ca:
        yield ca.server


def records(server: Server) -> Any:
    """What the CA of a server has issued."""
    ca = server.authority
    assert isinstance(ca, EmbeddedCA)
    return ca.records


def with_other_certificates(message: bytes) -> bytes:
    """The same message with an extraCerts that it did not have: nothing protects that."""
    return with_extra(message, EmbeddedCA().root)


def confirmed(server: Server, client: Forger) -> tuple[bytes, Any]:
    """Enrol; the recorded ir and the certificate."""
    message = client.request()
    response = server.process(message)
    certificate = read(response).certificate
    done = server.process(client.answering(response).cert_conf(sha256(certificate)))
    assert read(done).kind == BodyType.PKICONF
    return message, certificate


@pytest.mark.parametrize("variant", ["same", "other extraCerts"])
def test_ir(start: Start, variant: str) -> None:
    """After its confirmation, and after a restart."""
    server = start()
    message, _ = confirmed(server, Forger())
    if variant == "other extraCerts":
        message = with_other_certificates(message)
    for again in (server, start()):
        refused(again, message, IN_USE)
        refused(again, message, IN_USE)
    assert len(records(server)) == 1


def test_implicitly_confirmed(start: Start) -> None:
    server = start()
    message = Forger(info=(IMPLICIT_CONFIRM,)).request()
    first = server.process(message)
    assert read(first).status == PKIStatus.accepted
    assert start().process(message) == first  # the answer again, not another one
    refused(start(), with_other_certificates(message), IN_USE)
    assert len(records(server)) == 1


def test_refused(start: Start) -> None:
    """What was refused is not taken later, when it would be allowed."""
    server = start()
    ca = server.authority
    assert isinstance(ca, EmbeddedCA)
    ca.policy = lambda _: Rejected(FailureInfo.notAuthorized, "not today")
    message = Forger().request()
    assert read(server.process(message)).failure == FailureInfo.notAuthorized
    ca.policy = None
    refused(start(), with_other_certificates(message), IN_USE)
    assert not records(server)


def test_remove_from_crl(start: Start) -> None:
    start = partial(start, strictness="rfc9810")
    server = start()
    _, certificate = confirmed(server, Forger())
    name = (certificate.issuer, certificate.serial_number)
    hold, release = RevocationReason.certificateHold, RevocationReason.removeFromCRL
    recorded = []
    for reason in (hold, release, hold):
        recorded.append(Forger().rr(*name, reason))
        assert read(server.process(recorded[-1])).status == PKIStatus.accepted
    for message in recorded:
        start().process(message)
        refused(start(), with_other_certificates(message), IN_USE)
    assert records(server)[0].revoked is hold


def test_client_that_did_not_come_back(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction is closed much sooner than its request ceases to be fresh."""
    options = {"transaction_timeout": 0.05, "clock_tolerance": 300.0}
    server = start(**options)
    message = Forger().request()
    assert read(server.process(message)).kind == BodyType.IP
    end = time.monotonic() + 20
    while server.open_transactions:
        assert time.monotonic() < end
        time.sleep(0.05)
        server.sweep()
    for again in (server, start(**options)):
        again.sweep()
        refused(again, with_other_certificates(message), IN_USE)
    assert len(records(server)) == 1


def test_late_transaction_that_nobody_has_closed_yet(tmp_path: Path) -> None:
    with opened(tmp_path, secrets=SECRETS) as ca:
        server = ca.server(transaction_timeout=0.01)
        message = Forger().request()
        server.process(message)
        time.sleep(0.05)
        server.transactions.next_sweep = float("inf")  # type: ignore[attr-defined]
        refused(server, with_other_certificates(message), IN_USE)
        assert len(ca.records) == 1


def test_after_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are forgotten for want of room, what was answered is not."""
    monkeypatch.setattr(reply_cache, "LIMIT", 3)
    server = EmbeddedCA(SECRETS).server()
    server.transactions.replies = reply_cache.Replies(limit=3)
    message = Forger(info=(IMPLICIT_CONFIRM,)).request()
    server.process(message)
    for _ in range(5):
        assert read(server.process(Forger().genm())).kind == BodyType.GENP
    refused(server, message, IN_USE)
    assert len(records(server)) == 1


def test_after_close() -> None:
    server = EmbeddedCA(SECRETS).server()
    message, _ = confirmed(server, Forger())
    server.close()
    refused(server, message, IN_USE)


def test_from_the_future(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose clock is ahead: its request is fresh for twice the tolerance."""
    client = Forger(time=now() + datetime.timedelta(seconds=290))
    server = start()
    message, _ = confirmed(server, client)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 580)
    server.transactions.used.sweep()
    refused(start(), message, IN_USE)
    assert len(records(server)) == 1


def test_forgotten_when_no_longer_fresh(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    message, _ = confirmed(server, Forger())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 620)
    server.sweep()
    server.transactions.used.sweep()
    assert len(server.transactions.used) == 0
    refused(start(), message, FailureInfo.badTime)


@pytest.mark.parametrize("kind", ["ir", "certConf", "genm"])
def test_no_message_time(kind: str) -> None:
    """``strict`` needs it where there is a protection: else a message would be fresh for ever."""

    class Timeless(Forger):
        def _header(self) -> bytes:
            header = super()._header()
            return sequence(*(part.encoding for part in der.sequence(header) if part.tag != explicit(0)))

    server = EmbeddedCA(SECRETS).server()
    client: Forger = Timeless()
    if kind == "certConf":
        response = server.process(Forger(transaction_id=client.transaction_id).request())
        client = client.answering(response)
        message = client.cert_conf(sha256(read(response).certificate))
    else:
        message = client.request() if kind == "ir" else client.genm()
    assert wire.read_message(message).header.message_time is None
    refused(server, message, FailureInfo.badTime)
    lenient = EmbeddedCA(SECRETS).server(strictness="openssl")
    timeless = Timeless().request()
    assert read(lenient.process(timeless)).kind == BodyType.IP
    refused(lenient, with_other_certificates(timeless), FailureInfo.transactionIdInUse)
    open_ = EmbeddedCA(SECRETS).server(accept_unprotected=True)
    assert read(open_.process(Timeless(protected=False).request())).kind == BodyType.IP


def test_forged_request_takes_no_room(start: Start) -> None:
    """What proves nothing is not remembered, nor does it spoil a transactionID for its client."""
    server = start(max_remembered=1)
    client = Forger()
    for _ in range(3):
        refused(server, client.but(secret=b"guess").request(), FailureInfo.badMessageCheck)
    enroll(server, client)


def test_no_room(start: Start) -> None:
    """A request that cannot be remembered is refused; those that can be, are."""
    server = start(max_remembered=8)
    implicit: dict[str, Any] = {"info": (IMPLICIT_CONFIRM,)}
    recorded = []
    for _ in range(6):
        recorded.append(Forger(**implicit).request())
        assert read(server.process(recorded[-1])).status == PKIStatus.accepted
        server.transactions.next_count = 0.0  # type: ignore[attr-defined]
    refused(server, Forger(**implicit).request(), FailureInfo.systemUnavail)
    other = Forger(reference=b"other", secret=b"another secret", **implicit)
    for _ in range(2):
        client = other.but(transaction_id=Forger().transaction_id)
        assert read(server.process(client.request())).status == PKIStatus.accepted
        server.transactions.next_count = 0.0  # type: ignore[attr-defined]
    refused(server, other.but(transaction_id=Forger().transaction_id).request(), FailureInfo.systemUnavail)
    for message in recorded:
        server.process(message)
    assert len(records(server)) == 8


def test_one_client_by_many_names(start: Start) -> None:
    """Other spellings of its name, another certificate, with a senderKID and without: it is the same client."""

    class Nameless(Forger):
        def _header(self) -> bytes:
            fields = der.sequence(super()._header())
            return sequence(*(field.encoding for field in fields if field.tag != explicit(2)))

    server = start(max_transactions=8, strictness="rfc9810")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    certificates = []
    for key in keys:
        client = Forger()
        answer = server.process(client.request(key=key, name="device"))
        certificates.append(read(answer).certificate)
        server.process(client.answering(answer).cert_conf(sha256(certificates[-1])))
    statuses = []
    for kind, which, name in product((Forger, Nameless), range(2), ("device", "DEVICE", "\\  device")):
        client = kind(
            secret=None,
            reference=None,
            certificate=certificates[which],
            key=keys[which],
            sender=encode(explicit(4), x509.Name.from_rfc4514_string(f"CN={name}").public_bytes()),
        )
        statuses.append(read(server.process(client.request(2, name="device"))).status)
        server.transactions.next_count = 0.0  # type: ignore[attr-defined]
    assert statuses == [PKIStatus.accepted] * 6 + [PKIStatus.rejection] * 6
    enroll(server, Forger())


def test_other_process(tmp_path: Path) -> None:
    """What one process has answered another one does not answer."""
    with Worker(tmp_path, secrets=SECRETS) as first, Worker(tmp_path) as second:
        client = Forger()
        message = client.request()
        response = first(message)
        client = client.answering(response)
        assert read(second(client.cert_conf(sha256(read(response).certificate)))).kind == BodyType.PKICONF
        for worker in (first, second):
            assert FailureInfo(read(worker(message)).failure) == IN_USE


def test_general_message(start: Start) -> None:
    """A copy is refused where the first one was answered: it changes nothing, so only the memory of a process knows it."""
    message = Forger().genm()
    server = start()
    assert read(server.process(message)).kind == BodyType.GENP
    refused(server, with_other_certificates(message), IN_USE)
    other = start()
    assert other is server or read(other.process(message)).kind == BodyType.GENP


def test_used_ids() -> None:
    moment = [1000.0]
    used = UsedIDs(4, lambda: moment[0])
    used.add(b"1", b"a", 1100)
    used.add(b"2", b"b", 1050)
    used.add(b"1", b"a", 1200)
    assert len(used) == 2
    moment[0] = 1051
    used.sweep()
    assert b"2" in used
    moment[0] = 1070
    used.sweep()
    assert b"2" not in used
    assert b"1" in used
    for number in (b"3", b"4"):
        assert not used.is_full(b"a")
        used.add(number, b"a", 1300)
    assert used.is_full(b"a")
    assert not used.is_full(b"b")
    used.add(b"5", b"b", 1300)
    assert used.is_full(b"b")
    moment[0] = 2000
    assert not used.is_full(b"a")
    assert len(used) == 0


def test_label_survives(tmp_path: Path) -> None:
    """After a restart a poll under another path gets the profile of the request's path."""
    subject = "CN=forged"
    profiles = {
        name: Profile.from_table(name, {"validity": f"{days}d", "subject": subject})
        for name, days in (("short", 1), ("long", 9))
    }

    def at(server: Server, label: str | None, message: bytes) -> bytes:
        return server.process(message, paths.Place(label))

    client = Forger()
    with opened(tmp_path, secrets=SECRETS, policy=waiting(2, 0), profiles=profiles) as ca:
        client = client.answering(at(ca.server(), "short", client.request()))
    for label in ("long", None):
        with opened(tmp_path, policy=waiting(2, 0), profiles=profiles) as ca:
            response = at(ca.server(), label, client.poll())
            client = client.answering(response)
    certificate = read(response).certificate
    assert certificate is not None
    length = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert length < datetime.timedelta(days=2)
