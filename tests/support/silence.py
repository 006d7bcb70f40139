"""Addresses on loopback where nothing happens: one that never accepts, one that never answers."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unreachable() -> Iterator[int]:
    """A port where connecting neither succeeds nor fails: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        assert not select.select([], [filler], [], 0.05)[1], "the backlog does not fill on this system"
        yield address[1]


@contextmanager
def mute() -> Iterator[int]:
    """A port where connections are accepted (by the kernel) and nobody reads or answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
