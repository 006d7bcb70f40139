"""How long things live: results, callbacks and their arguments, contexts that nobody holds any more."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context
from support.pki import PKI

import osslcmp
from osslcmp import Context, InfoTypeAndValue, ffi
from osslcmp.context import calls

OID = x509.ObjectIdentifier("1.2.3.4")
ITAV = InfoTypeAndValue(OID, b"\x04\x01x")


# -- results ----------------------------------------------------------------------------------------------


def test_results_outlive_the_context(pki: PKI, peer: Peer) -> None:
    """What was read is ours: C's copies may go."""
    peer.script.ca_pubs = [pki.root.certificate]
    peer.script.infos = [ITAV]
    context = peer.attach(new_context(pki))
    certificate = context.exec_ir_ses()
    chain, pubs, extra, key = context.new_chain, context.ca_pubs, context.extra_certs_in, context.new_pkey
    context.reinit()
    items = context.exec_genm_ses()
    del context
    gc.collect()
    assert certificate == pki.enrolled.certificate
    assert pki.issuing.certificate in chain
    assert pubs == [pki.root.certificate]
    assert pki.server.certificate in extra
    assert key is not None
    assert items == [ITAV]


# -- callbacks and their arguments ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["transfer", "http", "cert_conf"])
def test_arguments_live_as_long_as_the_context(name: str) -> None:
    """C only borrows them: the context keeps them, until others replace them."""
    context = Context()
    pointer = ffi.new("char[16]")
    alive = weakref.ref(pointer)
    getattr(context, f"set_{name}_cb_arg")(pointer)
    del pointer
    gc.collect()
    assert alive() is not None
    getattr(context, f"set_{name}_cb_arg")(None)
    gc.collect()
    assert alive() is None


class Callback:
    """A callable that can be watched."""

    def __call__(self, *_: Any) -> None:
        """Nothing."""


@pytest.mark.parametrize("name", ["transfer", "http", "cert_conf", "log"])
def test_callbacks_live_as_long_as_the_context(name: str) -> None:
    """The same for callables; a cycle through the context is no leak."""
    context = Context()
    callback = Callback()
    callback.context = context  # type: ignore[attr-defined]
    alive = weakref.ref(callback)
    getattr(context, f"set_{name}_cb")(callback)
    del callback
    gc.collect()
    assert alive() is not None
    getattr(context, f"set_{name}_cb")(None)
    gc.collect()
    assert alive() is None


# -- contexts ---------------------------------------------------------------------------------------------


@pytest.fixture
def contexts_freed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    freed: list[Any] = []
    original = calls.free_context

    def counting(pointer: Any) -> None:
        freed.append(pointer)
        original(pointer)

    monkeypatch.setattr(calls, "free_context", counting)
    return freed


def test_context_is_freed(contexts_freed: list[Any], pki: PKI, peer: Peer) -> None:
    """With its last reference, used or not."""
    Context()
    assert len(contexts_freed) == 1
    peer.attach(new_context(pki)).exec_ir_ses()
    assert len(contexts_freed) == 2


def test_context_in_a_cycle_is_freed(contexts_freed: list[Any], pki: PKI, peer: Peer) -> None:
    """Callbacks that hold their own context: the garbage collector finds them."""
    context = new_context(pki)
    context.set_transfer_cb(lambda request, c=context: peer(request))  # type: ignore[misc]
    context.set_cert_conf_cb(lambda *_, c=context: None)
    context.set_log_cb(lambda *_, c=context: None)
    context.set_http_cb(lambda *_, c=context: None)
    context.exec_ir_ses()
    gone = weakref.ref(context)
    del context
    gc.collect()
    assert gone() is None
    assert len(contexts_freed) == 1


def test_context_of_an_exception_is_freed(contexts_freed: list[Any], pki: PKI, peer: Peer) -> None:
    """Also after failures, when the exception is gone."""
    peer.script.certificate, peer.script.chain, peer.script.status = None, (), 2
    context = peer.attach(new_context(pki))
    with pytest.raises(osslcmp.RejectedError):
        context.exec_ir_ses()
    del context
    gc.collect()
    assert len(contexts_freed) == 1


def test_collected_within_a_callback(contexts_freed: list[Any], pki: PKI, peer: Peer) -> None:
    """Garbage of other contexts may be collected while one is working, on the same thread."""
    garbage = [new_context(pki) for _ in range(5)]
    for context in garbage:
        context.set_cert_conf_cb(lambda *_, c=context: None)
    del context
    working = new_context(pki)

    def transfer(request: bytes) -> bytes:
        garbage.clear()
        gc.collect()
        return peer(request)

    working.set_transfer_cb(transfer)
    assert working.exec_ir_ses() == pki.enrolled.certificate
    assert len(contexts_freed) == 5
