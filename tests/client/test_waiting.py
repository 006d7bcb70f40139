"""Waiting for a certificate: told about, bounded, interruptible, and how deadline grows."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.clients import CERTIFICATE_REQUESTS, secret_context
from support.waiting import SECRET, TYPES, Site

import osslcmp
from osslcmp import BodyType, Context, Option
from osslcmp.context.deadline import Deadline

# -- certificates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CERTIFICATE_REQUESTS)
def test_on_wait(kind: str, site: Site) -> None:
    """It is called before each sleep with the transaction, which can be dumped there."""
    told: list[tuple[Any, ...]] = []
    dumps: list[bytes] = []

    def on_wait(transaction: osslcmp.Transaction) -> None:
        told.append((transaction.type, transaction.check_after, transaction.polls))
        assert transaction.elapsed >= 0
        dumps.append(transaction.dump())
        site.released = len(told) == 3

    result = getattr(site.client(), kind)(**site.request(kind), on_wait=on_wait)
    assert result.certificate.public_key() == site.new_key.public_key()
    assert told == [(TYPES[kind], 0, 1), (TYPES[kind], 0, 2), (TYPES[kind], 0, 3)]
    assert len(set(dumps)) == 3


def test_on_wait_that_raises(site: Site) -> None:
    """What it raises ends the call, unchanged."""

    class EnoughError(Exception):
        pass

    def enough(_: object) -> None:
        raise EnoughError("enough")

    with pytest.raises(EnoughError, match="enough"):
        site.client().ir(**site.request("ir"), on_wait=enough)


def test_begun_then_waited_for(site: Site) -> None:
    """wait() lets the time pass that begin() was told."""
    site.check_after = 3600
    transaction = site.begin()
    polls = site.polls
    with pytest.raises(osslcmp.TransferTimeout):
        transaction.wait(3)
    assert site.polls == polls + 1, "only the last one, when the time was nearly over"


def test_last_poll(site: Site) -> None:
    """A server that wants to be asked later than there is time is asked once more, a tenth of the time before its end."""
    site.check_after = 3600
    transaction = site.begin()
    site.released = True
    assert transaction.wait(6).certificate


def test_total_timeout_bounds_a_message(site: Site) -> None:
    """Also one that is under way when the time is over, here by HTTP, without a message timeout."""
    from support.silence import mute

    with mute() as port:
        cmp = site.client(url=f"http://127.0.0.1:{port}/", message_timeout=0, total_timeout=0.3)
        for kind in CERTIFICATE_REQUESTS:
            with pytest.raises(osslcmp.TransferTimeout) as caught:
                getattr(cmp, kind)(**site.request(kind))
            assert caught.value.transaction is None
        for call in (cmp.genm, cmp.ca_certs, lambda: cmp.rr(site.own.certificate)):
            with pytest.raises(osslcmp.TransferTimeout):
                call()


def test_context_waits(site: Site) -> None:
    """exec_*_ses() of a context calls its own on_wait, and keeps to the option."""
    told: list[osslcmp.Progress] = []

    def on_wait(progress: osslcmp.Progress) -> None:
        told.append(progress)
        site.released = len(told) == 2

    context = secret_context(site.server, SECRET)
    context.set_new_pkey(site.new_key)
    context.set_subject_name("CN=new")
    context.on_wait = on_wait
    assert context.exec_ir_ses().public_key() == site.new_key.public_key()
    assert [(p.type, p.check_after, p.polls) for p in told] == [(BodyType.IR, 0, 1), (BodyType.IR, 0, 2)]
    context.reinit()
    site.released, site.check_after = False, 3600
    context.set_option(Option.TOTAL_TIMEOUT, 1)
    with pytest.raises(osslcmp.TransferTimeout):
        context.exec_ir_ses()
    assert context.pending
    assert context.get_option(Option.TOTAL_TIMEOUT) == 1


# -- how long -------------------------------------------------------------------------------------------------


def test_deadline() -> None:
    """No limit: what the server says. A limit: no longer than there is time, but for one last poll."""
    for total in (None, 0):
        endless = Deadline(total)
        assert endless.left is None
        assert endless.sleep(5) == 5
        assert endless.sleep(2**31 - 1) == 2**31 - 1
        assert 0 < endless.sleep(0) < 0.1  # type: ignore[operator]
        assert 0 < endless.sleep(-5) < 0.1  # type: ignore[operator]
        assert endless.sleep(1e300) is not None
    deadline = Deadline(100)
    assert deadline.sleep(5) == 5
    cut = deadline.sleep(3600)
    assert cut is not None
    assert 90 < cut <= 95
    assert deadline.sleep(3600) is None
    assert deadline.elapsed >= 0
    over = Deadline(1e-9)
    assert over.sleep(0) is None


def test_deadline_after_a_long_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last poll is not left out because the sleep before it took too long."""
    late = Deadline(3600)
    now = time.monotonic() + 3599
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert late.sleep(5) is not None
    assert late.sleep(5) is None


def test_pending_context_refuses_another_request(site: Site) -> None:
    """What waits must be finished, aborted or given up first."""
    context: Context = site.begin().context
    with pytest.raises(ValueError, match="still waits for an ir"):
        context.try_certreq(osslcmp.CR)
    context.reinit()
    assert not context.pending
    with pytest.raises(ValueError, match="nothing is waiting"):
        context.try_certreq(-1)
