"""A confirmation whose answer the server delays: waited for, bounded, interruptible, rejected."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from cryptography import x509
from support.alarm import LIMIT, AlarmError, alarm
from support.clients import CERTIFICATE_REQUESTS
from support.delays import client, delaying, error
from support.releases import CLIENT_WAITS_FOR_ALL, from_3_3
from support.waiting import Site

import osslcmp
from osslcmp import BodyType, PKIStatus


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after waiting"])
@pytest.mark.parametrize("polls", [0, 2])
@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_delayed_confirmation(kind: str, polls: int, waits: bool, site: Site) -> None:
    """The answer to a certConf may be late as well; the certificate is looked at only once."""
    transport = delaying(site, BodyType.CERTCONF, polls=polls)
    looked_at: list[x509.Certificate] = []
    told: list[BodyType] = []

    def on_wait(transaction: osslcmp.Transaction) -> None:
        told.append(transaction.type)
        site.released = True

    def request() -> osslcmp.Enrollment:
        site.released = not waits
        enrollment: osslcmp.Enrollment = getattr(client(transport), kind)(
            **site.request(kind), on_wait=on_wait, confirm=lambda cert, _found: looked_at.append(cert)
        )
        return enrollment

    if not CLIENT_WAITS_FOR_ALL:
        with pytest.raises(osslcmp.ConfirmError) as caught:
            request()
        assert caught.value.enrollment.certificate.public_key() == site.new_key.public_key()
        return
    result = request()
    assert looked_at == [result.certificate]
    assert result.certificate.public_key() == site.new_key.public_key()
    assert result.status is PKIStatus.accepted
    assert len(told) == polls + waits
    assert transport.seen.count(BodyType.CERTCONF) == 1
    record = site.ca.record(result.certificate)
    assert record is not None
    assert record.confirmed


@from_3_3
def test_delayed_confirmation_with_the_default_check(open_site: Site) -> None:
    """OpenSSL's own callback may be asked again: the chain is there."""
    for options in ({}, {"confirm_trusted": open_site.ca.root}, {"confirm": osslcmp.certconf}):
        transport = delaying(open_site, BodyType.CERTCONF)
        result = client(transport).ir(**open_site.request("ir"), **options)
        assert result.chain[0] == open_site.ca.issuer


def test_refusal_with_a_delayed_answer(open_site: Site) -> None:
    """A certificate that is refused here: the server's answer to that is waited for."""
    transport = delaying(open_site, BodyType.CERTCONF)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport).ir(**open_site.request("ir"), confirm=lambda *_: "not this one")
    assert caught.value.enrollment.certificate.public_key() == open_site.new_key.public_key()
    if CLIENT_WAITS_FOR_ALL:
        assert "not this one" in str(caught.value)
        assert transport.seen.count(BodyType.POLLREQ) == 3


@from_3_3
def test_rejected_confirmation_after_a_delay(open_site: Site) -> None:
    """The server says no to the certConf, late."""
    transport = delaying(open_site, BodyType.CERTCONF, finals=[error(2, b"no")])
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport).ir(**open_site.request("ir"))
    assert isinstance(caught.value.rejected, osslcmp.RejectedError)
    assert caught.value.rejected.text == "no"
    assert caught.value.enrollment.certificate.public_key() == open_site.new_key.public_key()


@from_3_3
def test_timeout_of_a_delayed_confirmation(open_site: Site) -> None:
    """The certificate is not lost, and neither is the transaction: it can be dumped and taken up elsewhere."""
    transport = delaying(open_site, BodyType.CERTCONF, polls=3, check_after=1)
    looked_at: list[x509.Certificate] = []
    with pytest.raises(osslcmp.ConfirmError) as caught:
        client(transport, total_timeout=0.2).ir(
            **open_site.request("ir"), confirm=lambda cert, _found: looked_at.append(cert)
        )
    certificate = caught.value.enrollment.certificate
    cause = caught.value.__cause__
    assert isinstance(cause, osslcmp.TransferTimeout)
    assert cause.transaction is not None
    dump = cause.transaction.dump()
    with pytest.raises(ValueError, match=r"^confirm: "):
        client(transport).resume(dump)
    resumed = client(transport).resume(dump, confirm=lambda cert, _found: looked_at.append(cert))
    assert resumed.poll() is None
    again = client(transport).resume(resumed.dump(), confirm=lambda *_: "asked again")
    result = again.wait()
    assert result.certificate == certificate
    assert looked_at == [certificate], "it was decided once and for all"
    assert transport.seen.count(BodyType.CERTCONF) == 1


@from_3_3
def test_lost_polls_for_a_confirmation(open_site: Site) -> None:
    """Each failure has the certificate; polling can go on."""
    broken = True

    def fail() -> None:
        if broken:
            raise osslcmp.TransferError("lost")

    transport = delaying(open_site, BodyType.CERTCONF, on_poll=fail)
    call: Callable[[], object] = partial(client(transport).begin, "ir", **open_site.request("ir"))
    for _ in range(3):
        with pytest.raises(osslcmp.ConfirmError) as caught:
            call()
        certificate = caught.value.enrollment.certificate
        assert certificate.public_key() == open_site.new_key.public_key()
        assert isinstance(caught.value.__cause__, osslcmp.TransferError)
        transaction = caught.value.__cause__.transaction
        assert transaction is not None
        assert not transaction.done
        call = transaction.poll
    broken = False
    assert call() is None
    assert transaction is not None
    assert transaction.wait().certificate == certificate
    assert transport.seen.count(BodyType.CERTCONF) == 1


@from_3_3
def test_signal_in_a_delayed_confirmation(open_site: Site) -> None:
    """The transaction can go on."""
    transport = delaying(open_site, BodyType.CERTCONF, check_after=3600)
    transaction = client(transport).begin("ir", **open_site.request("ir"))
    start = time.monotonic()
    with pytest.raises(AlarmError), alarm():
        transaction.wait()
    assert time.monotonic() - start < LIMIT
    assert not transaction.done
    while not transaction.done:
        transaction.poll()
    assert transaction.result.certificate


@from_3_3
def test_abort_of_a_delayed_confirmation(open_site: Site) -> None:
    """The server is told."""
    transport = delaying(open_site, BodyType.CERTCONF)
    transaction = client(transport).begin("ir", **open_site.request("ir"))
    transaction.abort()
    assert transport.seen[-1] is BodyType.ERROR


def test_abort_whose_answer_is_delayed(site: Site) -> None:
    """A server that wants to think about an error message has been told all the same."""
    transport = delaying(site, BodyType.ERROR)
    transaction = client(transport).begin("ir", **site.request("ir"))
    if CLIENT_WAITS_FOR_ALL:
        transaction.abort()
    else:
        with pytest.raises(osslcmp.CMPError):
            transaction.abort()
    assert transaction.done
    assert transport.seen[-1] is BodyType.ERROR
