"""OpenSSL's own certConf check and C functions as callbacks, and what is no callback at all."""

from __future__ import annotations

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context
from support.pki import PKI

import osslcmp
from osslcmp import Context, FailureInfo, certconf, ffi, lib

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")

NOTHING = FailureInfo(0)


def test_certconf(pki: PKI, peer: Peer) -> None:
    """OpenSSL's check takes what chains to the given anchors, and refuses the rest."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(certconf)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert context.cert_conf_cb_arg is None
    context.reinit()
    context.set_cert_conf_cb_arg([pki.root.certificate])
    assert context.cert_conf_cb_arg == [pki.root.certificate]
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert context.new_chain[-1] == pki.root.certificate or pki.issuing.certificate in context.new_chain
    context.reinit()
    context.set_cert_conf_cb_arg([pki.other_root.certificate])
    with pytest.raises(osslcmp.ConfirmError) as caught:
        context.exec_ir_ses()
    assert caught.value.enrollment.certificate == pki.enrolled.certificate
    context.reinit()
    context.set_cert_conf_cb_arg(None)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert repr(certconf) == "osslcmp.certconf"


def test_anchors_and_a_callable(pki: PKI, peer: Peer) -> None:
    """With anchors the callable is told what OpenSSL's check says."""
    told: list[FailureInfo] = []

    def decide(_certificate: x509.Certificate, info: FailureInfo) -> bool:
        told.append(info)
        return True

    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(decide)
    for anchor in (pki.root, pki.other_root):
        context.set_cert_conf_cb_arg([anchor.certificate])
        context.exec_ir_ses()
        context.reinit()
    assert told == [NOTHING, FailureInfo.incorrectData]


def test_c_function(pki: PKI, peer: Peer) -> None:
    """A C function by its pointer, with a C argument."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb(ffi.addressof(lib, "OSSL_CMP_certConf_cb"))
    assert context.exec_ir_ses() == pki.enrolled.certificate
    store = ffi.gc(lib.X509_STORE_new(), lib.X509_STORE_free)
    context.set_cert_conf_cb_arg(store)
    assert context.cert_conf_cb_arg == store
    context.reinit()
    with pytest.raises(osslcmp.ConfirmError):  # an empty store trusts nothing
        context.exec_ir_ses()


def test_c_argument_and_a_callable(pki: PKI, peer: Peer) -> None:
    """A C argument may be anything: OpenSSL's check, which takes it for a trust store, is not asked then."""
    context = peer.attach(new_context(pki))
    context.set_cert_conf_cb_arg(ffi.new("char[]", b"no trust store"))
    context.set_cert_conf_cb(lambda *_: None)
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_cert_conf_cb", "set_transfer_cb", "set_http_cb", "set_log_cb"])
@pytest.mark.parametrize("callback", [1, "x", b"x", object()])
def test_no_callback(setter: str, callback: object, pki: PKI, peer: Peer) -> None:
    """What cannot be called is refused at once."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError, match="callback"):
        getattr(context, setter)(callback)
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_cert_conf_cb", "set_transfer_cb", "set_http_cb", "set_log_cb"])
def test_c_function_of_another_type(setter: str, pki: PKI, peer: Peer) -> None:
    """cffi knows the types of functions."""
    context = peer.attach(new_context(pki))
    with pytest.raises(TypeError):
        getattr(context, setter)(ffi.addressof(lib, "ERR_clear_error"))
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.mark.parametrize("setter", ["set_transfer_cb_arg", "set_http_cb_arg"])
def test_arguments(setter: str, pki: PKI) -> None:
    """C pointers, or None."""
    context = Context()
    pointer = ffi.new("int[4]")
    getattr(context, setter)(pointer)
    assert getattr(context, setter[len("set_") :]) == pointer
    getattr(context, setter)(None)
    assert getattr(context, setter[len("set_") :]) is None
    with pytest.raises(TypeError, match="pointer"):
        getattr(context, setter)(b"bytes")
