"""What must not add up: memory over many calls, and file descriptors."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.descriptors import open_descriptors
from support.inprocess import Peer, new_context
from support.pki import PKI
from support.served import Served

import osslcmp
from osslcmp import Option, lib

# -- leaks ------------------------------------------------------------------------------------------------

_LOOP = """
    import gc, sys, tempfile
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from support.inprocess import Peer, new_context
    from support.pki import PKI
    import osslcmp

    pki, peer = PKI(Path(tempfile.mkdtemp())), None
    pki.server, pki.enrolled, pki.client

    def size():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * {page}

    {body}

    # Without a GIL, what was freed may be used again only when all threads have been seen to let go of it.
    for warm in range({count} if getattr(sys, "_is_gil_enabled", lambda: True)() else 3 * {count}):
        once()
    before = size()
    for again in range({count}):
        once()
    print(size() - before)
"""

BODIES = {
    "untrusted clients at a server": """
    from support.forge import Forger
    from osslcmp.server import EmbeddedCA
    server = EmbeddedCA().server(trusted=[pki.root.certificate])
    other = pki.issue("somebody", pki.other_root)
    message = Forger.signing(pki).but(certificate=other.certificate, key=other.key).request()
    def once():
        server.process(message)
    """,
    "answers that are kept": """
    from support.replays import once
    """,
    "keys of a store that sign": """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from osslcmp.server import token_key
    def once():
        key = token_key(f"file:{pki.client.key_file}")
        key.sign(b"data", ec.ECDSA(hashes.SHA256()))
        for wrong in (hashes.SHAKE128(32), hashes.SM3()):
            try:
                key.sign(b"data", ec.ECDSA(wrong))
            except osslcmp.OpenSSLError:
                pass
        try:
            token_key("file:/nothing")
        except ValueError:
            pass
    """,
    "a new context for each": """
    def once():
        peer = Peer(pki)
        context = peer.attach(new_context(pki, "mac"))
        context.exec_ir_ses()
    """,
    "one context": """
    peer = Peer(pki)
    context = peer.attach(new_context(pki, "mac"))
    context.set_cert_conf_cb(lambda *_: None)
    def once():
        context.reinit()
        context.exec_ir_ses()
    """,
    "through DER, refused, raised": """
    def refuse(*_):
        raise LookupError("no")
    def once():
        peer = Peer(pki)
        context = new_context(pki, "mac")
        context.set_transfer_cb(peer)
        context.set_cert_conf_cb(refuse)
        try:
            context.exec_ir_ses()
        except LookupError:
            pass
        context.reinit()
        context.set_transfer_cb(lambda _: b"junk")
        try:
            context.exec_genm_ses()
        except osslcmp.TransferError:
            pass
    """,
}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("a new context for each", 300),
        ("one context", 1000),
        ("keys of a store that sign", 500),
        ("through DER, refused, raised", 250),
        ("untrusted clients at a server", 250),
        ("answers that are kept", 40),
    ],
)
def test_memory_does_not_grow(what: str, count: int) -> None:
    """After a warm-up, the process stays as large as it is. The smallest leak would be more in so many rounds."""
    script = textwrap.dedent(_LOOP).format(
        tests=str(Path(__file__).parents[1]),
        body=textwrap.dedent(BODIES[what]),
        page=os.sysconf("SC_PAGE_SIZE"),
        count=count,
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert int(done.stdout) < 512 * 1024, f"{int(done.stdout)} bytes more after {count} rounds"


# -- file descriptors -------------------------------------------------------------------------------------


def test_connections_are_closed(pki: PKI, peer: Peer) -> None:
    """By disconnect, reinit, a new server and what else changes the way."""
    with Served(peer) as server:
        context = server.point(new_context(pki))
        context.set_option(Option.KEEP_ALIVE, 2)
        context.set_option(Option.DISABLE_CONFIRM, 1)
        before = open_descriptors()

        def connected() -> bool:
            return bool(lib.osslcmp_session_connected(context.calls.session))

        for close in (
            context.disconnect,
            context.reinit,
            lambda: context.set_server("127.0.0.1"),
            lambda: context.set_proxy(""),
            lambda: context.set_no_proxy("*"),
            lambda: context.set_http_cb(None),
        ):
            context.reinit()
            assert not connected()
            context.exec_ir_ses()
            assert connected()
            close()
            assert not connected()
    assert open_descriptors() <= before


def test_connection_of_a_dropped_context(pki: PKI, peer: Peer) -> None:
    """The end of a context is the end of its connection."""
    with Served(peer) as server:
        before = open_descriptors()
        context = server.point(new_context(pki))
        context.set_option(Option.KEEP_ALIVE, 2)
        context.set_option(Option.DISABLE_CONFIRM, 1)
        context.exec_ir_ses()
        assert open_descriptors() == before + 2, "both ends are in this process"
        del context
        gc.collect()
        assert server.gone(), "the server has seen the end"


def test_descriptors_do_not_add_up(pki: PKI, peer: Peer) -> None:
    """Many contexts over HTTP, good and bad."""

    def run(rounds: int) -> None:
        with Served(peer) as server:
            for number in range(rounds):
                context = server.point(new_context(pki, "mac"))
                context.set_option(Option.KEEP_ALIVE, number % 3)
                if number % 4 == 0:
                    context.set_secret_value(b"wrong")
                    with pytest.raises(osslcmp.CMPError):
                        context.exec_ir_ses()
                else:
                    context.exec_ir_ses()

    run(5)
    gc.collect()  # an exception keeps its context until then
    before = open_descriptors()
    run(30)
    gc.collect()
    assert open_descriptors() <= before
