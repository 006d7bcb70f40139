"""A message that the signer of the one before has not signed, for a child process that must live on.

libcrypto looks at the certificate of that signer again after it has let go of it. ``python -m support.resigned WHO`` plays
it at a client, a server or the mock server; in an environment with ``OVERWRITING`` what was freed is no certificate any
more.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import osslcmp
from osslcmp.server import EmbeddedCA, Server, waiting

from . import hostile, work
from .forge import Forger
from .pki import cert_pem, key_pem
from .rogue import damaged_protection

#: Lets glibc overwrite all that is freed.
OVERWRITING = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}

OWN = work.certify("me", "root", work.ROOT_KEY)
SERVER = work.certify("server", "root", work.ROOT_KEY)


def _server(ca: EmbeddedCA) -> Server:
    return Server(ca, certificate=SERVER, key=work.KEY, trusted=[work.ROOT])


class _Answers:
    """A server, one of whose answers is damaged."""

    def __init__(self) -> None:
        self._process: Callable[[bytes], bytes] = _server(
            EmbeddedCA({"ref": hostile.SECRET}, policy=waiting(4, 0))
        ).process
        self.left = 0
        """Answers before that one."""

    def __call__(self, request: bytes) -> bytes:
        answer = self._process(request)
        self.left -= 1
        return damaged_protection(answer) if self.left == 0 else answer


def at_client() -> None:
    """It knows the server's certificate, or has had it in an earlier transaction."""
    for wrong in range(1, 6):
        for untrusted in ([], [SERVER]):
            answers = _Answers()
            context = osslcmp.Context()
            context.set_transfer_cb(answers)
            context.set_cert(OWN)
            context.set_pkey(work.KEY)
            context.set_trusted([work.ROOT])
            if untrusted:
                context.set_untrusted(untrusted)
            context.set_new_pkey(hostile.KEY)
            context.set_subject_name("CN=x")
            context.exec_ir_ses()
            context.reinit()  # it goes on knowing the certificates
            answers.left = wrong
            with contextlib.suppress(osslcmp.ProtectionError):
                context.exec_ir_ses()
                raise AssertionError("a wrong signature is taken")


def at_server() -> None:
    """It has begun anew while a client waits, and has its certificate from the database."""
    client = Forger(secret=None, reference=None, certificate=OWN, key=work.KEY)
    with tempfile.TemporaryDirectory() as folder:
        for message in range(3):
            ca = EmbeddedCA.open(Path(folder), {"ref": hostile.SECRET}, policy=waiting(9, 0))
            with contextlib.closing(ca):
                server = _server(ca)
                client = client.answering(server.process(client.poll() if message else client.request()))
                for _ in range(2):
                    server.process(damaged_protection(client.poll()))


def at_mock() -> None:
    """It has the client's certificate among those that help."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"srv_trusted": cert_pem(work.ROOT), "srv_untrusted": cert_pem(OWN),
                 "srv_cert": cert_pem(SERVER), "srv_key": key_pem(work.KEY)}  # fmt: skip
        options = []
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
            options += [f"-{name}", str(Path(folder) / name)]
        with hostile.mock(*options) as (url, server):
            for _ in range(3):
                client = Forger(secret=None, reference=None, certificate=OWN, key=work.KEY)
                client = client.answering(hostile.post(url, client.request()))
                assert hostile.post(url, damaged_protection(client.cert_conf(b"h" * 32)))
            assert server.poll() is None


if __name__ == "__main__":
    {"client": at_client, "server": at_server, "mock": at_mock}[sys.argv[1]]()
    print("END", flush=True)
