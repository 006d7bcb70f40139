"""A Context whose certificate request has to wait: polled, tried again, given up, forgotten."""

from __future__ import annotations

import pytest
from support.inprocess import Peer, execute, new_context, ready
from support.pki import PKI
from support.waiting import TYPES

import osslcmp
from osslcmp import (
    CR,
    IR,
    BodyType,
    Message,
    Option,
    PKIStatus,
)
from osslcmp.context.polling import State


@pytest.mark.parametrize("kind", TYPES)
def test_exec_polls(kind: str, pki: PKI, peer: Peer) -> None:
    """exec_* polls until the certificate comes."""
    peer.script.waits = 3
    context = ready(new_context(pki), kind, pki)
    context.set_transfer_cb(peer)
    assert execute(context, kind) == pki.enrolled.certificate
    assert peer.calls == ["cert_request", "poll", "poll", "poll", "cert_request", "cert_conf"]
    assert context.check_after is None


@pytest.mark.parametrize("kind", TYPES)
def test_try(kind: str, pki: PKI, peer: Peer) -> None:
    """try_certreq asks once: None and check_after while it waits, then the certificate."""
    peer.script.waits, peer.script.check_after = 3, 77
    context = ready(new_context(pki), kind, pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(TYPES[kind]) is None
    assert context.check_after == 77
    assert context.status is PKIStatus.waiting
    assert context.try_certreq(TYPES[kind]) is None
    assert context.check_after == 77
    assert context.try_certreq(TYPES[kind]) == pki.enrolled.certificate
    assert context.check_after is None
    assert context.status is PKIStatus.accepted
    assert peer.calls[-1] == "cert_conf"


def test_states(pki: PKI, peer: Peer) -> None:
    """Each of a certificate request: DELAYED and LOST if a poll gets no answer, before and after the first pollRep."""
    peer.script.waits, peer.script.check_after = 3, 1
    lose = False

    def transport(request: bytes) -> bytes:
        if lose and Message.from_der(request).type is BodyType.POLLREQ:
            raise ConnectionError("lost")
        return peer(request)

    context = new_context(pki)
    context.set_transfer_cb(transport)

    def state() -> State:
        return context.polling.state

    assert state() is State.IDLE
    lose = True
    with pytest.raises(ConnectionError):
        context.try_certreq(IR)
    assert state() is State.DELAYED
    lose = False
    assert context.try_certreq(IR) is None
    assert state() is State.POLLING
    lose = True
    with pytest.raises(ConnectionError):
        context.try_certreq(IR)
    assert state() is State.LOST
    assert context.status is PKIStatus.waiting
    with pytest.raises(ValueError, match="still waits for an ir"):
        context.try_certreq(CR)
    lose = False
    while context.try_certreq(IR) is None:
        assert state() is State.POLLING
    assert state() is State.IDLE
    assert not context.pending


def test_abort(pki: PKI, peer: Peer) -> None:
    """-1 tells the server, which closes the transaction; the context is ready for another."""
    peer.script.waits, peer.script.check_after = 3, 5
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(IR) is None
    assert context.try_certreq(-1) is None
    assert context.check_after is None
    assert peer.calls[-1] == "error"
    assert b"polling aborted" in peer.requests[-1]
    peer.script.waits = 0
    context.reinit()
    assert context.exec_cr_ses() == pki.enrolled.certificate


def test_abort_of_nothing(pki: PKI, peer: Peer) -> None:
    """Nothing waits, nothing is sent."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    for _ in range(2):
        with pytest.raises(ValueError, match="nothing is waiting"):
            context.try_certreq(-1)
        assert len(peer.requests) in (0, 2)
        context.exec_ir_ses()


def test_abort_that_nobody_hears(pki: PKI, peer: Peer) -> None:
    """The server could not be told."""
    peer.script.waits = 3
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(IR) is None

    def broken(_request: bytes) -> bytes:
        raise ConnectionError("gone")

    context.set_transfer_cb(broken)
    with pytest.raises(ConnectionError, match="gone"):
        context.try_certreq(-1)


def test_another_request_while_one_waits(pki: PKI, peer: Peer) -> None:
    """C would poll for the first one, whatever it is asked for: refused."""
    peer.script.waits = 3
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(IR) is None
    sent = len(peer.requests)
    with pytest.raises(ValueError, match="still waits for an ir"):
        context.try_certreq(CR)
    with pytest.raises(ValueError, match="still waits for an ir"):
        context.exec_kur_ses()
    assert len(peer.requests) == sent
    assert context.exec_ir_ses() == pki.enrolled.certificate
    context.reinit()
    assert context.exec_cr_ses() == pki.enrolled.certificate


def test_reinit_forgets_what_waits(pki: PKI, peer: Peer) -> None:
    """A new transaction can begin; the server is not told."""
    peer.script.waits = 3
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(IR) is None
    context.reinit()
    peer.script.waits = 0
    assert context.status is PKIStatus.unspecified
    with pytest.raises(ValueError, match="nothing is waiting"):
        context.try_certreq(-1)
    # The server's only transaction was not closed; OpenSSL's server gives it up for the new one.
    assert context.exec_cr_ses() == pki.enrolled.certificate


def test_lost_poll(pki: PKI, peer: Peer) -> None:
    """A poll that gets no answer is no end: it may be tried again."""
    peer.script.waits = 3
    context = new_context(pki)
    lose = False

    def sometimes(request: bytes) -> bytes:
        if lose:
            raise ConnectionError("lost")
        return peer(request)

    context.set_transfer_cb(sometimes)
    assert context.try_certreq(IR) is None
    lose = True
    for _ in range(2):
        with pytest.raises(ConnectionError):
            context.try_certreq(IR)
        assert context.status is PKIStatus.waiting
    lose = False
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_total_timeout(pki: PKI, peer: Peer) -> None:
    """A transaction that waits too long ends."""
    peer.script.waits, peer.script.check_after = 1000, 0
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_option(Option.TOTAL_TIMEOUT, 1)
    with pytest.raises(osslcmp.TransferTimeout) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value, TimeoutError)
