"""The database of the persistent CA, on SQLite and PostgreSQL, and the CA that keeps its records there."""

from __future__ import annotations

import itertools
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support import postgresql
from support.forge import Forger, enroll, read, sha256
from support.persistent import REFERENCE, SECRET, client, opened
from support.pki import PKI, make_key, make_name

import osslcmp
from osslcmp import BodyType, FailureInfo, PKIStatus, RejectedError, RevocationReason, features
from osslcmp.server import EmbeddedCA, resuming, waiting
from osslcmp.server.persistent import PersistentCA
from osslcmp.server.store import CertificateRow, ConflictError, Store, TransactionRow

NAMES = itertools.count()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    reason = postgresql.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgresql.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return postgresql.create(request.getfixturevalue("postgresql_url"), f"test{next(NAMES)}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store(url)
    yield found
    found.close()


Open = Callable[..., PersistentCA]


@pytest.fixture
def open_ca(url: str, tmp_path: Path) -> Iterator[Open]:
    """Open the same CA once more, as another process would."""
    found: list[PersistentCA] = []

    def start(**options: object) -> PersistentCA:
        secrets: dict[str | bytes, str | bytes] = {REFERENCE: SECRET}
        found.append(PersistentCA(tmp_path / "ca", secrets, database=url, **options))  # type: ignore[arg-type]
        return found[-1]

    yield start
    for ca in found:
        ca.close()


def row(serial: int = 1, **given: object) -> CertificateRow:
    values: dict[str, object] = {
        "der": b"der",
        "key_hash": b"hash",
        "reference": None,
        "confirmed": False,
        "confirm_by": 100.0,
    }
    return CertificateRow(serial=serial, **{**values, **given})  # type: ignore[arg-type]


def transaction(name: bytes = b"id", **given: object) -> TransactionRow:
    values: dict[str, object] = {
        "version": 0,
        "open": True,
        "request": b"request",
        "outcome": b"{}",
        "polls": 0,
        "sent_nonce": b"nonce",
        "last_hash": b"hash",
        "last_response": b"response",
        "last_meaning": b"",
        "deadline": 50.0,
    }
    return TransactionRow(id=name, **{**values, **given})  # type: ignore[arg-type]


# -- the database ----------------------------------------------------------------------------------------------


def test_secrets(store: Store) -> None:
    assert store.secret(b"\x00\xff") is None
    for sealed in (b"one", b"\x00two"):
        store.set_secret(b"\x00\xff", sealed)
        assert store.secret(b"\x00\xff") == sealed
    store.set_secret(b"\x00\xff", None)
    assert store.secret(b"\x00\xff") is None


def test_certificates(store: Store) -> None:
    large = 2**159 + 1
    for number, reference in ((1, None), (large, b"ref")):
        store.add_certificate(row(number, reference=reference))
    assert store.certificate(large) == row(large, reference=b"ref")
    assert store.certificate(2) is None
    assert [found.serial for found in store.certificates()] == [1, large]
    assert store.certificates(b"hash") == store.certificates()
    assert store.certificates(b"other") == []
    with pytest.raises(ConflictError):
        store.add_certificate(row(1))


def test_revocation_of_what_has_changed(store: Store) -> None:
    store.add_certificate(row())
    assert store.revocations() == 0
    store.revoke(row(), 6, 20.0)
    assert store.revoked() == [row(revoked=6, revoked_at=20.0)]
    with pytest.raises(ConflictError):
        store.revoke(row(), 1, 30.0)
    assert store.revocations() == 1
    with pytest.raises(ConflictError):
        store.confirm(1)
    store.revoke(row(revoked=6), None, None)
    store.confirm(1)
    assert store.certificate(1) == row(confirmed=True)
    assert store.revocations() == 2


def test_unit_is_written_whole_or_not_at_all(store: Store) -> None:
    store.add_certificate(row(1))
    with store.unit() as unit:
        store.add_certificate(row(2))
        assert store.certificate(2) == row(2)
        store.confirm(2)
        assert store.certificates() == [row(1)]
        store.commit(unit)
    assert store.certificate(2) == row(2, confirmed=True)
    with store.unit() as unit:
        store.add_certificate(row(3))
        store.add_certificate(row(1))
        with pytest.raises(ConflictError):
            store.commit(unit)
    assert store.certificate(3) is None
    with store.unit():
        store.add_certificate(row(4))
    assert store.certificate(4) is None


def test_transaction_of_two_writers(store: Store) -> None:
    assert store.transaction(b"id") is None
    store.save_transaction(transaction())
    first = store.transaction(b"id")
    assert first == transaction(version=1)
    with pytest.raises(ConflictError):
        store.save_transaction(transaction())
    assert first is not None
    store.save_transaction(first)
    with pytest.raises(ConflictError):
        store.save_transaction(first)
    assert store.open_transactions(40) == 1
    assert store.open_transactions(60) == 0


def test_sweep(store: Store) -> None:
    store.save_transaction(transaction(open=False))
    store.save_transaction(transaction(b"open"))
    store.add_certificate(row(1))
    store.add_certificate(row(2, confirmed=True))
    store.add_certificate(row(3, confirm_by=300.0))
    assert store.sweep(40, 5) == 0
    assert store.transaction(b"id") is not None
    assert store.sweep(200, None) == 0
    assert store.transaction(b"id") is None
    assert store.revocations() == 0
    assert store.sweep(200, 5) == 1
    assert store.sweep(200, 5) == 0
    assert store.revoked() == [row(1, revoked=5, revoked_at=200.0)]
    assert store.revocations() == 1
    assert store.late_transactions(40) == []
    (late,) = store.late_transactions(200)
    assert late == transaction(b"open", version=1)
    with pytest.raises(ConflictError):
        store.forget_transaction(transaction(b"open", version=2))
    store.forget_transaction(late)
    assert store.transaction(b"open") is None


def test_crls(store: Store) -> None:
    assert store.crl() is None
    store.add_crl(1, b"first", 0)
    store.add_crl(2, b"second", 7)
    assert store.crl() == (2, b"second", 7)
    with pytest.raises(ConflictError):
        store.add_crl(2, b"other", 7)


def test_many_processes_make_the_tables(url: str) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            Store(url).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_databases_that_do_not_fit(tmp_path: Path, store: Store) -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="file"):
            Store(url)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE counters SET value = 99 WHERE name = 'schema'")
    with pytest.raises(ValueError, match="schema 99"):
        Store(store._engine.url.render_as_string(hide_password=False))


# -- the CA ----------------------------------------------------------------------------------------------------


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
    sealed = ca.store.secret(b"ref")
    assert sealed is not None
    assert b"secret" not in sealed
    ca.store.set_secret(b"other", sealed)
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
    barrier = threading.Barrier(len(servers))
    answers: list[bytes] = []

    def work(server: resuming.PersistentServer) -> None:
        barrier.wait()
        answers.append(server.process(request))

    threads = [threading.Thread(target=work, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(servers)
    assert len(set(answers)) == 1
    assert len(open_ca().records) == 1


def test_many_clients_of_two_servers(open_ca: Open) -> None:
    servers = [open_ca().server() for _ in range(2)]
    turns, errors = itertools.count(), []

    def transport(message: bytes) -> bytes:
        return servers[next(turns) % 2](message)

    def work() -> None:
        try:
            for _ in range(4):
                client(transport).ir(make_key(), subject=make_name("x"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
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
    monkeypatch.setattr(resuming, "_COUNT_INTERVAL", 0.0)
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
    monkeypatch.setattr(resuming, "_CACHE", 2)
    server = open_ca().server()
    clients = [enroll(server, Forger()) for _ in range(6)]
    assert len(server._table) < 6
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
    certificate = client(ca.server()).ir(make_key(), subject=make_name("x")).certificate
    assert ca.crl() == first
    client(ca.server()).rr(certificate)
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
    cmp = client(ca.server())
    certificate = cmp.ir(make_key(), subject=make_name("x")).certificate
    first = ca.crl()
    assert cmp.crl_update(last_crl=first) is None
    cmp.rr(certificate)
    assert cmp.crl_update(last_crl=first) == ca.crl()


# -- the directory ---------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "ca") as ca:
        path = tmp_path / "new" / "ca"
        assert x509.load_pem_x509_certificate((path / "root.pem").read_bytes()) == ca.root
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("ca-1/root.key", "ca-1/issuing.key", "server.pem", "seal.key", "ca.db"):
        assert stat.S_IMODE((path / name).stat().st_mode) == 0o600, name


def test_what_a_killed_first_start_leaves(tmp_path: Path) -> None:
    (tmp_path / "ca-1.new").mkdir()
    (tmp_path / "ca-1.new" / "root.key").write_bytes(b"half")
    (tmp_path / "root.pem.new").write_bytes(b"half")
    (tmp_path / "seal.key.new").write_bytes(b"half")
    with opened(tmp_path) as ca:
        root = ca.root
    with opened(tmp_path) as ca:
        assert ca.root == root


def test_first_start_of_many(tmp_path: Path) -> None:
    roots: list[x509.Certificate] = []

    def work() -> None:
        with opened(tmp_path / "ca") as ca:
            roots.append(ca.root)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(roots) == 4
    assert len(set(roots)) == 1


def test_given_authorities(tmp_path: Path, pki: PKI) -> None:
    root, issuer = (pki.root.certificate, pki.root.key), (pki.issuing.certificate, pki.issuing.key)
    for _ in range(2):
        with opened(tmp_path, root=root, issuer=issuer, secrets={REFERENCE: SECRET}) as ca:
            certificate = client(ca.server()).ir(make_key(), subject=make_name("x")).certificate
            certificate.verify_directly_issued_by(pki.issuing.certificate)
            with pytest.raises(ValueError, match="key"):
                ca.update_root()
    assert not (tmp_path / "ca-1").exists()
    assert (tmp_path / "root.pem").read_bytes() == pki.root.certificate.public_bytes(Encoding.PEM)
    with pytest.raises(ValueError, match="issuing"):
        PersistentCA(tmp_path, root=root)


def test_wrong_arguments(tmp_path: Path) -> None:
    for options in ({"unconfirmed": "forget"}, {"confirm_within": 0}):
        with pytest.raises(ValueError, match=r"unconfirmed|confirm_within"):
            EmbeddedCA.open(tmp_path, **options)


def test_root_update(tmp_path: Path) -> None:
    """Who trusts the old root is served, and learns of the new one step by step."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        roots, key = [ca.root], make_key()
        mine = client(ca.server()).ir(key, subject=make_name("x")).certificate
        assert ca.root_update(ca.root) is None
        for _ in range(2):
            ca.update_root()
            roots.append(ca.root)
        server = ca.server()
    with opened(tmp_path) as ca:
        assert ca.root == roots[2]
        assert ca.roots == (roots[2], roots[1], roots[0])
        steps = [ca.root_update(root) for root in roots]
        assert [step and step.new_with_new for step in steps] == [roots[1], roots[2], None]
        for old, step in zip(roots, steps[:2], strict=False):
            assert step is not None
            assert step.new_with_old is not None
            assert step.old_with_new is not None
            step.new_with_old.verify_directly_issued_by(old)
            step.old_with_new.verify_directly_issued_by(step.new_with_new)
        server = ca.server()
        for root in roots:
            cmp = osslcmp.Client(
                transport=server, certificate=mine, key=key, chain=[ca.issuer], trusted=[root]
            )
            assert cmp.cr(make_key(), subject=make_name("y")).certificate
        if features["root_ca_update"]:
            update = cmp.root_ca_update(roots[0], accept=lambda _: True)
            assert update is not None
            assert update.new_with_new == roots[1]


def test_late_confirmation(tmp_path: Path) -> None:
    with opened(tmp_path, secrets={REFERENCE: SECRET}, confirm_within=0.05) as ca:
        server = ca.server()
        follower, answer = enroll(server, Forger())
        time.sleep(0.2)
        ca.tidy(now=True)
        assert read(server.process(follower.cert_conf(sha256(answer.certificate)))).kind == BodyType.ERROR
        assert ca.records[0].revoked == RevocationReason.cessationOfOperation
