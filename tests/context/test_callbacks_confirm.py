"""The certConf callback: what it is told, what its verdicts do, what becomes of what it raises."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context
from support.pki import PKI, make_key
from support.raising import OwnError, raiser

import osslcmp
from osslcmp import FailureInfo

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")

NOTHING = FailureInfo(0)


@pytest.mark.parametrize("verdict", [None, True, NOTHING, 0])
def test_accepted(verdict: object, pki: PKI, peer: Peer) -> None:
    """It gets the certificate and what is wrong so far: nothing."""
    seen: list[tuple[x509.Certificate, FailureInfo]] = []

    def decide(certificate: x509.Certificate, failure_info: FailureInfo) -> object:
        seen.append((certificate, failure_info))
        return verdict

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert seen == [(pki.enrolled.certificate, NOTHING)]
    assert isinstance(seen[0][1], FailureInfo)
    assert pki.issuing.certificate in context.new_chain


@pytest.mark.parametrize(
    ("verdict", "bits", "text"),
    [
        (False, FailureInfo.incorrectData, b"CMP client did not accept it"),
        ("", FailureInfo.incorrectData, b"CMP client did not accept it"),
        ("not mine", FailureInfo.incorrectData, b"not mine"),
        (FailureInfo.badTime, FailureInfo.badTime, b"CMP client did not accept it"),
        (FailureInfo.badAlg | FailureInfo.duplicateCertReq, None, b"CMP client did not accept it"),
        (FailureInfo((1 << 27) - 1), None, b"CMP client did not accept it"),
    ],
)
def test_refused(verdict: object, bits: FailureInfo | None, text: bytes, pki: PKI, peer: Peer) -> None:
    """The server hears why, the caller gets the certificate with the exception."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_cert_conf_cb(lambda *_: verdict)
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    assert caught.value.rejected is None
    assert text.decode() in str(caught.value)
    assert text in peer.requests[-1]
    if bits is not None:
        length = (int(bits).bit_length() + 7) // 8
        assert bytes([3, length + 1]) in peer.requests[-1], "PKIFailureInfo is a BIT STRING"
    assert context.new_cert == pki.enrolled.certificate


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("ä€𝄞", "ä€𝄞".encode()),
        ("a\0b", b"ab"),
        ("€" * 1000, ("€" * 333).encode()),
        ("x" * 5000, b"x" * 1000),
        ("lone \udc80", b"lone ?"),
    ],
)
def test_texts(text: str, arrives: bytes, pki: PKI, peer: Peer) -> None:
    """Whatever the text is, the server gets valid UTF-8 of a sensible length."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    for callback in (lambda *_: text, raiser(OwnError(text))):
        context.set_cert_conf_cb(callback)
        with pytest.raises((osslcmp.ConfirmError, OwnError)):
            context.exec_ir_ses()
        assert arrives in peer.requests[-1]
        assert arrives + arrives[-1:] not in peer.requests[-1], "longer"
        context.reinit()


@pytest.mark.parametrize("verdict", ["accept", b"no", 1.5, [], 1 << 27, -1, FailureInfo(1 << 30), object()])
def test_no_verdict(verdict: Any, pki: PKI, peer: Peer) -> None:
    """What is neither yes nor no refuses, and is told as a TypeError."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(lambda *_: verdict)
    expected = osslcmp.ConfirmError if isinstance(verdict, str) else TypeError
    with pytest.raises(expected) as caught:
        context.exec_ir_ses()
    confirm = caught.value if isinstance(verdict, str) else caught.value.__context__
    assert isinstance(confirm, osslcmp.ConfirmError)
    assert confirm.enrollment.certificate == pki.enrolled.certificate


def test_cert_conf_raises(exception: BaseException, pki: PKI, peer: Peer) -> None:
    """The very exception comes out, the certificate is on its context, its text reached the server."""
    context = new_context(pki)
    context.set_transfer_cb(peer)
    context.set_cert_conf_cb(raiser(exception))
    for _ in range(2):  # the same object again: the certificate is that of the second time
        with pytest.raises(type(exception)) as caught:
            context.exec_ir_ses()
        assert caught.value is exception
        confirm = exception.__context__
        assert isinstance(confirm, osslcmp.ConfirmError)
        assert confirm.enrollment.certificate == pki.enrolled.certificate
        assert str(exception).encode() in peer.requests[-1]
        assert peer.calls[-1] == "cert_conf"
        context.reinit()
    context.set_cert_conf_cb(None)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_cert_conf_raises_from_another(pki: PKI, peer: Peer) -> None:
    """An exception that has a context of its own keeps it, behind ours."""

    def decide(*_: object) -> None:
        try:
            raise LookupError("first")
        except LookupError:
            raise OwnError("second")  # noqa: B904

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    confirm = caught.value.__context__
    assert isinstance(confirm, osslcmp.ConfirmError)
    assert isinstance(confirm.__context__, LookupError)


def test_errors_attribute_of_another(pki: PKI, peer: Peer) -> None:
    """An exception that happens to have ``errors`` is not taken for one of ours."""

    class ValidationError(Exception):
        errors = ("wrong field",)

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(raiser(ValidationError("no")))
    with pytest.raises(ValidationError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__context__, osslcmp.ConfirmError)


def test_notes(pki: PKI, peer: Peer) -> None:
    """OpenSSL's errors stand on the exception as notes, where Python has them (3.11)."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(raiser(OwnError("no")))
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    notes = getattr(caught.value, "__notes__", ())
    assert any(note.startswith("OpenSSL: ") for note in notes) is hasattr(BaseException, "add_note")


def test_wrong_key_is_told(pki: PKI, peer: Peer) -> None:
    """What OpenSSL found wrong is there. None leaves it at that, True has the last word."""
    told: list[FailureInfo] = []
    context = peer.attach(new_context(pki))
    context.set_new_pkey(make_key())

    def look_on(_certificate: x509.Certificate, info: FailureInfo) -> None:
        told.append(info)

    for callback in (look_on, lambda _certificate, info: info, lambda *_: False, lambda *_: "no"):
        context.set_cert_conf_cb(callback)
        with pytest.raises(osslcmp.ConfirmError) as caught:
            context.exec_ir_ses()
        assert caught.value.enrollment.certificate == pki.enrolled.certificate
        context.reinit()
    for verdict in (True, 0, NOTHING):
        context.set_cert_conf_cb(lambda *_, verdict=verdict: verdict)
        assert context.exec_ir_ses() == pki.enrolled.certificate
        context.reinit()
    assert told == [FailureInfo.incorrectData]


def test_untrusted_certificate_is_told(pki: PKI, peer: Peer) -> None:
    """The same for what OpenSSL's own check of the new certificate finds."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb_arg([pki.other_root.certificate])
    context.set_cert_conf_cb(lambda *_: None)
    with pytest.raises(osslcmp.ConfirmError):
        context.exec_ir_ses()
    context.reinit()
    context.set_cert_conf_cb(lambda *_: True)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_results_within_the_callback(pki: PKI, peer: Peer) -> None:
    """The context can be read there."""
    peer.script.ca_pubs = [pki.root.certificate]
    context = peer.attach(new_context(pki))
    seen: list[object] = []

    def look(certificate: x509.Certificate, _info: FailureInfo) -> None:
        seen.extend(
            [context.new_cert == certificate, context.ca_pubs, context.status, context.untrusted != []]
        )

    context.set_cert_conf_cb(look)
    context.exec_ir_ses()
    assert seen == [True, [pki.root.certificate], osslcmp.PKIStatus.accepted, True]
