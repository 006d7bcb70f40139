"""``cancel()``: from another thread, within a callable or a signal handler; the context works afterwards."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.alarm import LIMIT, SOON
from support.descriptors import open_descriptors
from support.inprocess import Peer, execute, new_context, ready
from support.pki import PKI, make_key
from support.stuck import PLACES, at, works

import osslcmp
from osslcmp import Client

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers"),
    pytest.mark.usefixtures("nothing_printed"),  # cffi would print the exception that it lost
]


@contextmanager
def cancelled(cancel: Callable[[], object], seconds: float = SOON) -> Iterator[None]:
    """``cancel`` is called from another thread in so many seconds."""
    timer = threading.Timer(seconds, cancel)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
@pytest.mark.parametrize("place", PLACES)
def test_cancel(place: str, kind: str, pki: PKI, peer: Peer) -> None:
    """From another thread, while it connects or waits: TransferError, and the connection is closed."""
    context = ready(new_context(pki), kind, pki)
    with PLACES[place]() as port:
        at(context, port)
        before, start = open_descriptors(), time.monotonic()
        with cancelled(context.cancel), pytest.raises(osslcmp.TransferError, match="cancelled") as caught:
            execute(context, kind)
        assert not isinstance(caught.value, osslcmp.TransferTimeout)
        assert time.monotonic() - start < LIMIT
        assert open_descriptors() == before
    works(context, pki, peer)


def test_cancel_between_polls(pki: PKI, peer: Peer) -> None:
    """Ends the sleep, and does not ask the server all the time instead."""
    peer.script.waits, peer.script.check_after = 1000, 3600
    context = new_context(pki)
    context.set_transfer_cb(peer)
    start = time.monotonic()
    with cancelled(context.cancel), pytest.raises(osslcmp.TransferError, match="cancelled"):
        context.exec_ir_ses()
    assert time.monotonic() - start < LIMIT
    assert len(peer.requests) == 2, "the request and one poll"
    assert context.try_certreq(-1) is None, "it can still be aborted"
    assert peer.calls[-1] == "error"


def test_cancel_within_a_callable(pki: PKI, peer: Peer) -> None:
    """A callable that is cancelled while it works is not asked again."""
    context = new_context(pki)

    def transfer(request: bytes) -> bytes:
        context.cancel()
        return peer(request)

    context.set_transfer_cb(transfer)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__cause__, osslcmp.TransferError)
    assert "cancelled" in str(caught.value.__cause__)
    assert peer.calls == ["cert_request"]


def test_cancel_beforehand(pki: PKI, peer: Peer) -> None:
    """The next call fails, the one after that does not; nor does one after reinit."""
    context = peer.attach(new_context(pki))
    context.cancel()
    context.cancel()
    with pytest.raises(osslcmp.TransferError, match="cancelled"):
        context.exec_ir_ses()
    assert peer.calls == []
    assert context.exec_ir_ses() == pki.enrolled.certificate
    context.cancel()
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_cancel_while_another_one_is_forgotten(pki: PKI, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that cancel at nearly the same time: the second one counts from then on, and not for ever."""
    context = peer.attach(new_context(pki))
    forgetting = context.calls.wakeup.clear

    def second_thread() -> None:
        monkeypatch.undo()
        forgetting()
        context.cancel()

    context.cancel()
    monkeypatch.setattr(context.calls.wakeup, "clear", second_thread)
    for _ in range(2):
        with pytest.raises(osslcmp.TransferError, match="cancelled"):
            context.exec_ir_ses()
    assert peer.calls == []
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_cancel_by_a_signal_handler(pki: PKI, peer: Peer) -> None:
    """A handler may cancel instead of raising; also while the call sleeps."""
    peer.script.waits, peer.script.check_after = 1000, 3600
    context = new_context(pki)
    context.set_transfer_cb(peer)
    before = signal.signal(signal.SIGALRM, lambda *_: context.cancel())
    signal.setitimer(signal.ITIMER_REAL, SOON)
    try:
        with pytest.raises(osslcmp.TransferError, match="cancelled"):
            context.exec_ir_ses()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_cancel_of_a_transaction(pki: PKI) -> None:
    """Of a Client, in the middle of its wait; it may still be aborted."""
    peer = Peer(pki)
    peer.script.waits, peer.script.check_after = 1000, 3600
    client = Client(
        transport=peer,
        certificate=pki.client.certificate,
        key=pki.client.key,
        untrusted=pki.issuing.certificate,
        trusted=pki.root.certificate,
    )
    transaction = client.begin("ir", key=make_key(), subject="CN=x")
    with cancelled(transaction.cancel), pytest.raises(osslcmp.TransferError, match="cancelled"):
        transaction.wait()
    assert not transaction.done
    transaction.abort()
    assert transaction.done
    assert peer.calls[-1] == "error"
