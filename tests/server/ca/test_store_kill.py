"""A CA whose process is killed at any moment, and transactions that several processes share."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from support.persistent import POINTS, REFERENCE, SECRET, KilledError, Reviving, Worker, client, opened
from support.pki import make_key, make_name

import osslcmp
from osslcmp import FailureInfo, PKIStatus, RejectedError, RevocationReason
from osslcmp.server.ca.persistent import PersistentCA

MESSAGES = {"ir": 1, "certConf": 2}
POLLING = {"ir": 1, "pollReq": 2, "last pollReq": 3, "certConf": 4}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with opened(tmp_path / "ca", secrets={REFERENCE: SECRET}):
        return tmp_path / "ca"


def the_only_one_is_good(directory: Path, certificate: object) -> None:
    with opened(directory) as ca:
        (record,) = ca.records
        assert record.certificate == certificate
        assert record.confirmed
        assert record.revoked is None
        assert ca.server().open_transactions == 0


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("point", POINTS)
def test_killed(directory: Path, point: str, message: str) -> None:
    """The client sends its message again: there is one certificate, and both sides know of it."""
    if (point, message) == ("while deciding", "certConf"):
        point = "before the commit"  # nothing is decided about a certConf
    with Reviving(directory, (point, MESSAGES[message])) as transport:
        result = client(transport).ir(make_key(), subject=make_name("x"))
        assert transport.deaths == 1
    the_only_one_is_good(directory, result.certificate)


@pytest.mark.parametrize("message", POLLING)
@pytest.mark.parametrize("point", ["before the commit", "within the commit", "after the commit"])
def test_killed_while_the_client_waits(directory: Path, point: str, message: str) -> None:
    with Reviving(directory, (point, POLLING[message]), polls=2) as transport:
        result = client(transport).ir(make_key(), subject=make_name("x"))
        assert transport.deaths == 1
    the_only_one_is_good(directory, result.certificate)


@pytest.mark.parametrize("point", POINTS[1:])
def test_killed_in_a_revocation(directory: Path, point: str) -> None:
    """The client learns that the certificate is revoked, not that somebody else had done that."""
    with Reviving(directory, (point, 3)) as transport:
        cmp = client(transport)
        certificate = cmp.ir(make_key(), subject=make_name("x")).certificate
        assert cmp.rr(certificate, reason=RevocationReason.keyCompromise).status == PKIStatus.accepted
        assert transport.deaths == 1
        crl = cmp.current_crl()
        assert crl is not None
        assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number)


@pytest.mark.parametrize("point", ["before the commit", "after the commit"])
def test_killed_in_an_update(directory: Path, point: str) -> None:
    with Reviving(directory, (point, 4), polls=0) as transport:
        key = make_key()
        old = client(transport).ir(key, subject=make_name("x")).certificate
        with opened(directory) as ca:
            signing = osslcmp.Client(
                transport=transport, certificate=old, key=key, chain=[ca.issuer], trusted=[ca.root]
            )
        signing.kur(make_key())
        assert transport.deaths == 1
    with opened(directory) as ca:
        assert [record.confirmed for record in ca.records] == [True, True]


def test_answer_that_got_lost(directory: Path) -> None:
    """Whoever never comes back leaves a certificate that is revoked after a while."""
    with Worker(directory, dies=("before the answer", 1), confirm_within=0.2) as worker:
        with pytest.raises(KilledError):
            client(worker).ir(make_key(), subject=make_name("x"))
        assert worker.killed()
    with opened(directory, unconfirmed="keep") as ca:
        _wait_for_deadline(ca)
        ca.tidy(now=True)
        (record,) = ca.records
        assert (record.confirmed, record.revoked) == (False, None)
    with opened(directory) as ca:
        ca.tidy(now=True)
        (record,) = ca.records
        assert record.revoked == RevocationReason.cessationOfOperation
        assert ca.crl().get_revoked_certificate_by_serial_number(record.certificate.serial_number)
        assert ca.server().open_transactions == 0


def _wait_for_deadline(ca: PersistentCA) -> None:
    (row,) = ca.store.certificates()
    while time.time() <= row.confirm_by + 0.1:
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["mac", "signature"])
@pytest.mark.parametrize("polls", [0, 3])
def test_two_processes(directory: Path, polls: int, kind: str) -> None:
    """Each message of a transaction goes to the other one."""
    with Worker(directory, polls=polls) as first, Worker(directory, polls=polls) as second:
        turns = itertools.cycle((first, second))

        def transport(message: bytes) -> bytes:
            return next(turns)(message)

        key = make_key()
        cmp = client(transport)
        if kind == "signature":
            mine = cmp.ir(key, subject=make_name("x")).certificate
            with opened(directory) as ca:
                cmp = osslcmp.Client(
                    transport=transport, certificate=mine, key=key, chain=[ca.issuer], trusted=[ca.root]
                )
        for _ in range(3):
            certificate = cmp.cr(make_key(), subject=make_name("x")).certificate
        cmp.rr(certificate)
        with pytest.raises(RejectedError) as caught:
            cmp.rr(certificate)
        assert caught.value.failure_info == FailureInfo.certRevoked
        assert first.messages
        assert second.messages
    with opened(directory) as ca:
        assert all(record.confirmed for record in ca.records)
        assert [record.revoked is None for record in ca.records][-1] is False
        assert ca.server().open_transactions == 0


def test_restart_between_polls(directory: Path) -> None:
    """What waits is answered by whoever comes after; the client's credentials are checked again."""
    workers: list[Worker] = []

    def transport(message: bytes) -> bytes:
        for worker in workers:
            worker.kill()
        workers[:] = [Worker(directory, polls=2)]
        return workers[0](message)

    try:
        result = client(transport).ir(make_key(), subject=make_name("x"))
    finally:
        for worker in workers:
            worker.kill()
    the_only_one_is_good(directory, result.certificate)
