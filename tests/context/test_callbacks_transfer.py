"""The transfer callback, in Python and in C: what it returns and what it raises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.inprocess import Peer, execute, new_context
from support.mock_server import MockServer
from support.pki import PKI
from support.raising import OwnError, raiser

import osslcmp
from osslcmp import ffi, lib

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")


def test_transfer(pki: PKI, peer: Peer) -> None:
    """Bytes to bytes; a bytearray or memory of one's own is taken as well."""
    context = new_context(pki)
    kinds: list[type] = []

    def carry(request: bytes) -> bytearray:
        kinds.append(type(request))
        return bytearray(peer(request))

    context.set_transfer_cb(carry)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert kinds == [bytes, bytes]


@pytest.mark.parametrize("answer", [None, "text", 5, [b"x"], memoryview(b"x"), object()])
def test_transfer_returns_something_else(answer: object, pki: PKI, peer: Peer) -> None:
    """A TypeError that says what was wanted."""
    context = new_context(pki)
    context.set_transfer_cb(lambda _: answer)  # type: ignore[return-value]
    with pytest.raises(TypeError, match="transport: must return the response as bytes"):
        context.exec_ir_ses()
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\0",
        lambda _: b"garbage",
        lambda _: b"\x30\x80\x00\x00",
        lambda _: b"\x30\x84\xff\xff\xff\xff",
        lambda answer: answer[:-1],
        lambda answer: answer[:40],
        lambda answer: answer + b"\0",
        lambda answer: answer + answer,
        lambda answer: b"\x30\x03" + answer,
    ],
)
def test_garbage(damage: Callable[[bytes], bytes], pki: PKI, peer: Peer) -> None:
    """What does not decode is a TransferError with OpenSSL's reasons; so is something behind the message."""
    context = new_context(pki)
    context.set_transfer_cb(lambda request: damage(peer(request)))
    with pytest.raises(osslcmp.TransferError) as caught:
        context.exec_ir_ses()
    assert caught.value.errors
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("kind", ["ir", "rr", "genm"])
def test_transfer_raises(kind: str, exception: BaseException, pki: PKI, peer: Peer) -> None:
    """The very exception comes out of any request."""
    context = new_context(pki)
    context.set_old_cert(pki.enrolled.certificate)
    context.set_transfer_cb(raiser(exception))
    with pytest.raises(type(exception)) as caught:
        execute(context, kind)
    assert caught.value is exception
    assert exception.__context__ is None
    context.set_transfer_cb(peer)
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_transfer_raises_in_the_confirmation(pki: PKI, peer: Peer) -> None:
    """Then the certificate is there."""
    context = new_context(pki)

    def once(request: bytes) -> bytes:
        if peer.requests:
            raise OwnError("cable cut")
        return peer(request)

    context.set_transfer_cb(once)
    with pytest.raises(OwnError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__context__, osslcmp.ConfirmError)
    assert caught.value.__context__.enrollment.certificate == pki.enrolled.certificate


def test_transfer_garbage_in_the_confirmation(pki: PKI, peer: Peer) -> None:
    """Here it is OpenSSL that complains: ConfirmError, the TransferError behind it."""
    context = new_context(pki)
    context.set_transfer_cb(lambda request: b"junk" if peer.requests else peer(request))
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert isinstance(caught.value.__cause__, osslcmp.TransferError)


def test_transfer_in_c(pki: PKI, peer: Peer) -> None:
    """OpenSSL's own function between client and server, and back to a callable and to none."""
    context = peer.attach(new_context(pki))
    assert context.transfer_cb_arg == peer.pointer
    context.exec_ir_ses()
    context.set_transfer_cb(peer)
    context.set_transfer_cb_arg(None)
    context.reinit()
    context.exec_ir_ses()
    context.set_transfer_cb(None)
    context.reinit()
    with pytest.raises(osslcmp.TransferError, match="no server is set"):
        context.exec_ir_ses()
    context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_CTX_server_perform"))
    context.reinit()
    with pytest.raises(osslcmp.TransferError):  # its argument is gone
        context.exec_ir_ses()


def test_transfer_by_openssl_itself(pki: PKI, mock_server: Callable[..., MockServer]) -> None:
    """OpenSSL's HTTP client can be set as well."""
    server = mock_server()
    context = new_context(pki)
    context.set_server("127.0.0.1")
    context.set_server_port(server.port)
    context.set_server_path("pkix/")
    context.set_transfer_cb(ffi.addressof(lib, "OSSL_CMP_MSG_http_perform"))
    assert context.exec_ir_ses() == pki.enrolled.certificate
