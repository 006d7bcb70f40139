"""Revocations and general messages of a Context with a server in this process."""

from __future__ import annotations

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context, ready
from support.pki import PKI

import osslcmp
from osslcmp import (
    FailureInfo,
    InfoTypeAndValue,
    PKIStatus,
)

SIGN_KEY_TYPES = x509.ObjectIdentifier("1.3.6.1.5.5.7.4.2")


# -- revocation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 4, 5])
def test_rr(status: int, pki: PKI, peer: Peer) -> None:
    """Statuses that are no refusal; the warning is there to be read."""
    peer.script.status, peer.script.text = status, "so be it"
    context = peer.attach(ready(new_context(pki), "rr", pki))
    context.exec_rr_ses()
    assert context.status == status
    assert context.status_string == ["so be it"]
    assert peer.calls == ["revocation"]


@pytest.mark.parametrize("status", [2, 3, 6])
def test_rr_refused(status: int, pki: PKI, peer: Peer) -> None:
    """Refusals; the next request is not mistaken for a poll."""
    peer.script.status, peer.script.failure_info = status, FailureInfo.certRevoked
    context = peer.attach(ready(new_context(pki), "rr", pki))
    with pytest.raises(osslcmp.RejectedError) as caught:
        context.exec_rr_ses()
    assert caught.value.status == status
    assert caught.value.failure_info == FailureInfo.certRevoked
    peer.script.status = PKIStatus.accepted
    if context.status is PKIStatus.waiting:
        with pytest.raises(ValueError, match="reinit"):
            context.exec_ir_ses()
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_rr_of_nothing(pki: PKI, peer: Peer) -> None:
    """No certificate was named."""
    context = peer.attach(new_context(pki))
    with pytest.raises(osslcmp.OpenSSLError):
        context.exec_rr_ses()
    assert peer.calls == []


# -- general messages -----------------------------------------------------------------------------------


def test_genm(pki: PKI, peer: Peer) -> None:
    """Items go out and come in with their DER."""
    sent = InfoTypeAndValue(SIGN_KEY_TYPES)
    answered = [
        InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.4"), b"\x02\x01\x05"),
        InfoTypeAndValue(x509.ObjectIdentifier("1.2.3.5"), None),
        InfoTypeAndValue(x509.ObjectIdentifier("2.999.2147483647"), b"\x30\x03\x01\x01\xff"),
    ]
    peer.script.infos = answered
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.push_genm_itav(sent)
    assert context.exec_genm_ses() == answered
    assert context.status is PKIStatus.accepted
    assert bytes.fromhex("06082b06010505070402") in peer.requests[0]
    context.reinit()
    context.exec_genm_ses()
    assert bytes.fromhex("06082b06010505070402") not in peer.requests[1]


def test_genm_refused(pki: PKI, peer: Peer) -> None:
    """An error message instead of a genp."""

    def fail(_name: str) -> None:
        raise ValueError("no")

    peer.script.on_call = fail
    context = peer.attach(new_context(pki))
    with pytest.raises(osslcmp.RejectedError):
        context.exec_genm_ses()
