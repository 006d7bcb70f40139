"""Answers that are kept in C and given out again: transactions that are dumped, resumed, dropped and refused."""

from __future__ import annotations

import contextlib

from cryptography.hazmat.primitives.asymmetric import ec

import osslcmp
from osslcmp.server import EmbeddedCA, Server, waiting

KEY = ec.generate_private_key(ec.SECP256R1())


class _Losing:
    """A server, one of whose answers is lost."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.loses = False

    def __call__(self, request: bytes) -> bytes:
        answer = self._server.process(request)
        if self.loses:
            self.loses = False
            raise OSError("lost")
        return answer


def once(server: Server | None = None) -> None:
    """Everything that can become of kept answers, once."""
    server = server or Server(EmbeddedCA({"ref": b"secret"}, policy=waiting(8, 0)))
    transport = _Losing(server)
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
        transport.loses = True
        with contextlib.suppress(OSError):
            again.poll()
        transaction = client.resume(again.dump(), key=KEY)
        transaction.poll()
    transaction.wait(60)
    assert transaction.result.certificate
