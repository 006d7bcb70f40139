"""Threads and forks: many contexts at once, one context in one thread, none across a fork."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context, ready
from support.pki import PKI
from support.served import Served

import osslcmp
from osslcmp import IR, Context, Option, Severity

#: Seconds that a thread may take for what it should do at once.
GRACE = 20.0


class Busy:
    """A context whose call is under way in another thread until the block ends."""

    def __init__(self, pki: PKI, peer: Peer, kind: str = "ir") -> None:
        self.context = ready(new_context(pki), kind, pki)
        self.context.set_transfer_cb(self._transfer)
        self._peer, self._kind = peer, kind
        self._inside, self._go_on = threading.Event(), threading.Event()
        self.result: Any = None
        self._thread = threading.Thread(target=self._run)

    def _transfer(self, request: bytes) -> bytes:
        self._inside.set()
        assert self._go_on.wait(GRACE)
        return self._peer(request)

    def _run(self) -> None:
        try:
            self.result = getattr(self.context, f"exec_{self._kind}_ses")()
        except BaseException as error:
            self.result = error

    def __enter__(self) -> Busy:  # noqa: PYI034
        self._thread.start()
        assert self._inside.wait(GRACE)
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._thread.join(GRACE)


USES: dict[str, Callable[[Context, PKI], object]] = {
    "exec": lambda c, _: c.exec_ir_ses(),
    "try": lambda c, _: c.try_certreq(IR),
    "abort": lambda c, _: c.try_certreq(-1),
    "rr": lambda c, _: c.exec_rr_ses(),
    "genm": lambda c, _: c.exec_genm_ses(),
    "reinit": lambda c, _: c.reinit(),
    "disconnect": lambda c, _: c.disconnect(),
    "status": lambda c, _: c.status,
    "new_cert": lambda c, _: c.new_cert,
    "ca_pubs": lambda c, _: c.ca_pubs,
    "untrusted": lambda c, _: c.untrusted,
    "status_string": lambda c, _: c.status_string,
    "trusted": lambda c, _: c.trusted_store,
    "set_srv_cert": lambda c, pki: c.set_srv_cert(pki.server.certificate),
    "set_server": lambda c, _: c.set_server("127.0.0.1"),
    "set_server_port": lambda c, _: c.set_server_port(5),
    "set_option": lambda c, _: c.set_option(Option.KEEP_ALIVE, 1),
    "get_option": lambda c, _: c.get_option(Option.KEEP_ALIVE),
    "set_transfer_cb": lambda c, _: c.set_transfer_cb(None),
    "set_log_cb": lambda c, _: c.set_log_cb(None),
    "print_errors": lambda c, _: c.print_errors(),
    "push": lambda c, _: c.push_genm_itav(osslcmp.InfoTypeAndValue(x509.ObjectIdentifier("1.2.3"))),
}


@pytest.mark.parametrize("what", USES)
def test_second_thread(what: str, pki: PKI, peer: Peer) -> None:
    """Whatever it wants from a busy context, it gets a clear error; the first one is not disturbed."""
    with Busy(pki, peer) as busy, pytest.raises(RuntimeError, match="in use by another thread"):
        USES[what](busy.context, pki)
    assert busy.result == pki.enrolled.certificate
    assert busy.context.status is osslcmp.PKIStatus.accepted, "afterwards any thread may use it"


@pytest.mark.parametrize("kind", ["cr", "p10cr", "kur", "rr", "genm"])
def test_second_thread_with_other_requests(kind: str, pki: PKI, peer: Peer) -> None:
    """During any kind of request."""
    with Busy(pki, peer, kind) as busy, pytest.raises(RuntimeError, match="in use by another thread"):
        busy.context.reinit()
    assert not isinstance(busy.result, BaseException)


def test_second_thread_while_one_sleeps(pki: PKI, peer: Peer) -> None:
    """Between two polls the context is busy as well."""
    peer.script.waits, peer.script.check_after = 2, 3600
    context = new_context(pki)
    context.set_transfer_cb(peer)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(context.exec_ir_ses)
        while "poll" not in peer.calls or context.check_after is None:
            pass
        with pytest.raises(RuntimeError, match="in use by another thread"):
            context.try_certreq(IR)
        context.cancel()
        with pytest.raises(osslcmp.TransferError):
            running.result(GRACE)


def test_from_thread_to_thread(pki: PKI, peer: Peer) -> None:
    """One after the other is fine: a context belongs to no thread."""
    context = peer.attach(new_context(pki))
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(context.exec_ir_ses).result(GRACE) == pki.enrolled.certificate
            pool.submit(context.reinit).result(GRACE)


def test_attacked_from_all_sides(pki: PKI, peer: Peer) -> None:
    """Threads that all want the same context: each gets its turn or the error, nothing breaks."""
    context = peer.attach(new_context(pki, "mac"))
    refused = done = 0
    count = threading.Lock()

    def strike(way: int) -> bool:
        try:
            if way % 3 == 0:
                assert context.new_cert in (None, pki.enrolled.certificate)
            elif way % 3 == 1:
                context.reinit()
            else:
                context.exec_ir_ses()
        except RuntimeError as error:
            assert "another thread" in str(error)  # noqa: PT017
            return False
        return True

    def fight(number: int) -> None:
        nonlocal refused, done
        for i in range(60):
            good = strike(i + number)
            with count:
                done, refused = done + good, refused + (not good)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(fight, number) for number in range(4)]:
            future.result(60)
    assert done
    context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_contexts_run_at_once(pki: PKI) -> None:
    """While one waits for its server in C, others go on: all requests arrive before any is answered."""
    number = 5
    everybody = threading.Barrier(number)
    peers = threading.local()

    def answer(request: bytes) -> bytes:
        # Nobody gets an answer before all have asked: with the GIL held nobody else could.
        everybody.wait(GRACE)
        return Peer(pki)(request)

    with Served(answer) as server, ThreadPoolExecutor(number) as pool:

        def ask() -> Any:
            peers.context = server.point(new_context(pki))
            peers.context.set_option(Option.DISABLE_CONFIRM, 1)
            return peers.context.exec_ir_ses()

        for future in [pool.submit(ask) for _ in range(number)]:
            assert future.result(2 * GRACE) == pki.enrolled.certificate


def test_python_runs_while_c_waits(pki: PKI) -> None:
    """The answer is made by Python code of this process, in another thread, while C waits for it."""
    with Served(Peer(pki)) as server:
        assert server.point(new_context(pki)).exec_ir_ses() == pki.enrolled.certificate


def test_many_threads(pki: PKI) -> None:
    """Contexts with servers of their own, in C, in many threads, with logs and callbacks."""

    def work(number: int) -> int:
        peer = Peer(pki)
        context = peer.attach(new_context(pki, ("mac", "signature")[number % 2]))
        seen: list[str] = []
        context.set_log_verbosity(Severity.DEBUG)
        context.set_log_cb(lambda *line: seen.append(line[4]))
        good = 0
        for i in range(10):
            verdict = None if (i + number) % 2 else "not today"
            context.set_cert_conf_cb(lambda *_, answer=verdict: answer)
            try:
                context.exec_ir_ses()
                good += 1
            except osslcmp.ConfirmError as error:
                assert "not today" in str(error)  # noqa: PT017
            context.reinit()
        assert sum("sending IR" in text for text in seen) == 10, "the log of this context alone"
        return good

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == [5] * 16


def test_error_queues_are_per_thread(pki: PKI) -> None:
    """A failure in one thread is not told in another."""
    barrier = threading.Barrier(2)

    def fail(secret: bytes) -> str:
        context = Peer(pki).attach(new_context(pki, "mac"))
        context.set_secret_value(secret)
        barrier.wait(GRACE)
        try:
            context.exec_ir_ses()
        except osslcmp.CMPError as error:
            return str(error)
        return ""

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            good, bad = pool.submit(fail, b"secret"), pool.submit(fail, b"wrong")
            assert good.result(GRACE) == ""
            assert bad.result(GRACE)
            assert pool.submit(osslcmp.lib.ERR_peek_error).result(GRACE) == 0


# -- forks ------------------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

_FORK = """
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, {tests!r})
from cryptography import x509
from support.inprocess import Peer, new_context
from support.pki import PKI
from support.served import Served
import osslcmp

pki = PKI(Path(tempfile.mkdtemp()))
peer = Peer(pki)
{body}
"""


def in_child(body: str) -> str:
    """Run a script in a process of its own (which then forks); what it printed."""
    script = _FORK.format(tests=str(Path(__file__).parents[1]), body=body)
    done = subprocess.run(
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@needs_fork
def test_fork(pki: PKI) -> None:
    """The child gets the clear error, and may make its own context; the parent goes on."""
    out = in_child("""
context = peer.attach(new_context(pki))
context.exec_ir_ses()
context.reinit()
pid = os.fork()
if pid == 0:
    for use in (context.exec_ir_ses, context.reinit, context.disconnect, lambda: context.status,
                lambda: context.set_server("127.0.0.1"), lambda: context.new_cert):
        try:
            use()
        except RuntimeError as error:
            assert "fork" in str(error), error
        else:
            os._exit(2)
    own = Peer(pki).attach(new_context(pki))
    assert own.exec_ir_ses() == pki.enrolled.certificate
    del context, own
    import gc; gc.collect()
    print("child", flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert context.exec_ir_ses() == pki.enrolled.certificate
print("parent")
""")
    assert out.split() == ["child", "parent"]


@needs_fork
def test_fork_within_a_callback(pki: PKI) -> None:
    """Also there, where the child's only thread has the number of the one that is busy."""
    out = in_child("""
context = new_context(pki)
def transfer(request):
    pid = os.fork()
    if pid == 0:
        try:
            context.status
        except RuntimeError as error:
            assert "fork" in str(error), error
            os._exit(0)
        os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    return peer(request)
context.set_transfer_cb(transfer)
assert context.exec_ir_ses() == pki.enrolled.certificate
print("parent")
""")
    assert out.split() == ["parent"]


@needs_fork
def test_fork_with_a_connection(pki: PKI) -> None:
    """What the child frees does not end the parent's conversation with its server."""
    out = in_child("""
with Served(peer) as server:
    context = server.point(new_context(pki))
    context.set_option(osslcmp.Option.KEEP_ALIVE, 2)
    context.set_option(osslcmp.Option.DISABLE_CONFIRM, 1)
    context.exec_ir_ses()
    assert osslcmp.lib.osslcmp_session_connected(context.calls.session)
    pid = os.fork()
    if pid == 0:
        del context
        import gc; gc.collect()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert osslcmp.lib.osslcmp_session_connected(context.calls.session)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert server.connections == 1, "the same connection"
    del context
    print("parent")
""")
    assert out.split() == ["parent"]


def test_contexts_made_and_dropped_in_threads(pki: PKI) -> None:
    """Destroyed in another thread than they were made in."""
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            contexts = list(pool.map(lambda _: new_context(pki), range(4)))
            gone = [weakref.ref(context) for context in contexts]
            for future in [pool.submit(contexts.pop) for _ in range(4)]:
                future.result(GRACE)
            del future
            gc.collect()
            assert [one() for one in gone] == [None] * 4
