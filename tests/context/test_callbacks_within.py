"""What may be done with a context, and what may not, while its callbacks run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.inprocess import Peer, new_context
from support.pki import PKI

import osslcmp
from osslcmp import Context, Option, Severity, lib

# Neither OpenSSL nor cffi writes anything.
pytestmark = pytest.mark.usefixtures("nothing_printed")

MEDDLING: dict[str, Callable[[Context, PKI], object]] = {
    "reinit": lambda c, _: c.reinit(),
    "disconnect": lambda c, _: c.disconnect(),
    "set_server": lambda c, _: c.set_server("127.0.0.1"),
    "set_server_port": lambda c, _: c.set_server_port(80),
    "set_proxy": lambda c, _: c.set_proxy(None),
    "set_http_cb": lambda c, _: c.set_http_cb(None),
    "set_transfer_cb": lambda c, _: c.set_transfer_cb(None),
    "set_srv_cert": lambda c, pki: c.set_srv_cert(pki.server.certificate),
    "set_trusted_store": lambda c, pki: c.set_trusted_store([pki.root.certificate]),
    "set_pkey": lambda c, pki: c.set_pkey(pki.client.key),
    "set_new_pkey": lambda c, pki: c.set_new_pkey(None),
    "digest": lambda c, _: c.set_option(Option.DIGEST_ALGNID, lib.NID_sha384),
    "exec": lambda c, _: c.exec_genm_ses(),
    "try": lambda c, _: c.try_certreq(osslcmp.IR),
}


@pytest.mark.parametrize("where", ["transfer", "cert_conf", "log"])
@pytest.mark.parametrize("what", MEDDLING)
def test_meddling(what: str, where: str, pki: PKI, peer: Peer) -> None:
    """What would free or replace that which C is working with is refused while it works."""
    context = peer.attach(new_context(pki))

    def meddle(*arguments: Any) -> Any:
        with pytest.raises(RuntimeError, match="while a transaction runs"):
            MEDDLING[what](context, pki)
        return peer(arguments[0]) if where == "transfer" else None

    if where == "log":
        context.set_log_verbosity(Severity.INFO)
    {
        "transfer": context.set_transfer_cb,
        "cert_conf": context.set_cert_conf_cb,
        "log": context.set_log_cb,
    }[where](meddle)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_harmless_settings_within_callbacks(pki: PKI, peer: Peer) -> None:
    """Numbers and nonces may be set."""
    context = new_context(pki)

    def transfer(request: bytes) -> bytes:
        context.set_option(Option.DISABLE_CONFIRM, 1)
        return peer(request)

    context.set_transfer_cb(transfer)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert "cert_conf" not in peer.calls


def test_another_context_within_a_callback(pki: PKI, peer: Peer) -> None:
    """A callback may use other contexts; each keeps its own callbacks."""
    second = Peer(pki)
    outer, inner = new_context(pki), second.attach(new_context(pki, "mac"))
    order: list[str] = []

    def transfer(request: bytes) -> bytes:
        order.append("outer sends")
        assert inner.exec_ir_ses() == pki.enrolled.certificate
        inner.reinit()
        return peer(request)

    outer.set_transfer_cb(transfer)
    outer.set_cert_conf_cb(lambda *_: order.append("outer confirms"))
    inner.set_cert_conf_cb(lambda *_: order.append("inner confirms"))
    assert outer.exec_ir_ses() == pki.enrolled.certificate
    assert order == ["outer sends", "inner confirms", "outer confirms", "outer sends", "inner confirms"]
