"""Where a transaction gets stuck, and whether its context works afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from osslcmp import Context, Option

from .inprocess import Peer
from .pki import PKI
from .served import Served
from .silence import mute, unreachable

#: What hangs there, and the context manager that tells the port.
PLACES: dict[str, Callable[[], Any]] = {"connecting": unreachable, "waiting": mute}


def works(context: Context, pki: PKI, peer: Peer) -> None:
    """A context that was interrupted can be used for another transaction."""
    context.set_transfer_cb(None)
    context.reinit()
    with Served(peer) as server:
        assert server.point(context).exec_ir_ses() == pki.enrolled.certificate
        context.disconnect()


def at(context: Context, port: int) -> Context:
    """A context whose server is there."""
    context.set_server("127.0.0.1")
    context.set_server_port(port)
    context.set_server_path("pkix/")
    context.set_no_proxy("*")
    context.set_option(Option.KEEP_ALIVE, 2)
    return context
