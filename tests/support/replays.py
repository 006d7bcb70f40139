"""Answers that are kept in C and given out again: transactions that are dumped, resumed, dropped and refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp import BodyType
from osslcmp.server import EmbeddedCA, Server, waiting, wire

KEY = ec.generate_private_key(ec.SECP256R1())


class Losing:
    """A transport that loses the answers to messages of these types, once each."""

    def __init__(self, server: Callable[[bytes], bytes], *types: BodyType) -> None:
        self.server, self.types = server, list(types)

    def __call__(self, message: bytes) -> bytes:
        answer = self.server(message)
        kind = BodyType(wire.read_message(message).body_type)
        if kind in self.types:
            self.types.remove(kind)
            raise ConnectionResetError("the answer is lost")
        return answer


def once() -> None:
    """Everything that can become of kept answers, once."""
    transport = Losing(Server(EmbeddedCA({"ref": b"secret"}, policy=waiting(8, 0))))
    client = osslcmp.Client(transport=transport, reference="ref", secret=b"secret")
    stranger = osslcmp.Client(transport=transport, reference="ref", secret=b"another")
    transaction = client.begin("ir", key=KEY, subject="CN=x")
    for _ in range(3):
        dump = transaction.dump()
        client.resume(dump, key=KEY)  # dropped as it is
        again = client.resume(dump, key=KEY)
        assert again.dump()
        with contextlib.suppress(osslcmp.CMPError):
            stranger.resume(dump, key=KEY).poll()
        transport.types = [BodyType.POLLREQ]
        with contextlib.suppress(OSError):
            again.poll()
        transaction = client.resume(again.dump(), key=KEY)
        transaction.poll()
    transaction.wait(60)
    assert transaction.result.certificate
