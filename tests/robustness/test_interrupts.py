"""Signals and timeouts: whatever a call waits for, it ends soon, and the context works afterwards.

Times are bounded only generously: what would end by itself does so after the message timeout of 60 seconds.
"""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from support.alarm import LIMIT, SOON, AlarmError, alarm, missed_alarm
from support.descriptors import open_descriptors
from support.inprocess import Peer, execute, new_context, ready
from support.pki import PKI
from support.served import Served
from support.silence import mute
from support.stuck import PLACES, at, works

import osslcmp
from osslcmp import IR, Client, Context, Option, lib
from osslcmp.cli.openssl_cmp import command
from osslcmp.cli.openssl_cmp.console import Console

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers"),
    pytest.mark.usefixtures("nothing_printed"),  # cffi would print the exception that it lost
]

Alarm = Callable[[], AbstractContextManager[None]]
KINDS = ["ir", "p10cr", "kur", "rr", "genm"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_signal(place: str, kind: str, pki: PKI, peer: Peer) -> None:
    """While it connects, and while it waits for the answer; the connection is closed."""
    context = ready(new_context(pki), kind, pki)
    with PLACES[place]() as port:
        at(context, port)
        before, start = open_descriptors(), time.monotonic()
        with pytest.raises(AlarmError, match="it is time") as caught, alarm():
            execute(context, kind)
        assert time.monotonic() - start < LIMIT
        assert time.monotonic() - start > SOON / 2, "it did not even wait"
        assert caught.value.__context__ is None
        assert open_descriptors() == before, "the connection is still open"
        assert not lib.osslcmp_session_connected(context.calls.session)
    works(context, pki, peer)


@pytest.mark.parametrize("place", PLACES)
def test_signals_that_do_not_raise(place: str, pki: PKI) -> None:
    """They are handled, again and again, and the call goes on waiting, up to its own timeout."""
    rung: list[int] = []
    context = new_context(pki)
    context.set_option(Option.MSG_TIMEOUT, 1)
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with PLACES[place]() as port, pytest.raises(osslcmp.TransferTimeout):
            at(context, port).exec_ir_ses()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(rung) > 2


@pytest.mark.parametrize("comes", [alarm, missed_alarm])
def test_signal_between_polls(comes: Alarm, pki: PKI, peer: Peer) -> None:
    """While it sleeps; then the transaction may go on."""
    peer.script.waits, peer.script.check_after = 2, 3600
    context = new_context(pki)
    context.set_transfer_cb(peer)
    start = time.monotonic()
    stack = ExitStack()
    context.on_wait = lambda _: stack.enter_context(comes())
    with pytest.raises(AlarmError), stack:
        context.exec_ir_ses()
    context.on_wait = None
    assert time.monotonic() - start < LIMIT
    assert context.status is osslcmp.PKIStatus.waiting
    peer.script.check_after = 0
    assert context.exec_ir_ses() == pki.enrolled.certificate
    assert peer.calls.count("cert_request") == 2, "the first one, and its answer"


@pytest.mark.parametrize("comes", [alarm, missed_alarm])
def test_signal_between_polls_of_a_client(comes: Alarm, pki: PKI, peer: Peer) -> None:
    """The same for a transaction of a Client."""
    peer.script.waits, peer.script.check_after = 3, 3600
    client = Client(
        transport=peer,
        certificate=pki.client.certificate,
        key=pki.client.key,
        untrusted=pki.issuing.certificate,
        trusted=pki.root.certificate,
    )
    transaction = client.begin(IR, key=pki.enrolled.key, subject=pki.enrolled.subject)
    assert not transaction.done
    start = time.monotonic()
    with pytest.raises(AlarmError), comes():
        transaction.wait()
    assert time.monotonic() - start < LIMIT
    assert not transaction.done
    while not transaction.done:
        transaction.poll()
    assert transaction.result.certificate == pki.enrolled.certificate


@pytest.mark.parametrize("comes", [alarm, missed_alarm])
def test_signal_while_the_command_waits(comes: Alarm) -> None:
    """Between its polls, without a terminal."""
    start = time.monotonic()
    with pytest.raises(AlarmError), comes():
        command.wait(3600, Console())
    assert time.monotonic() - start < LIMIT


def test_signal_in_a_poll(pki: PKI, peer: Peer) -> None:
    """While the answer to a poll is awaited; the transaction may go on elsewhere."""
    peer.script.waits, peer.script.check_after = 3, 0
    context = new_context(pki)
    context.set_transfer_cb(peer)
    assert context.try_certreq(IR) is None
    context.set_transfer_cb(None)
    with mute() as port, pytest.raises(AlarmError), alarm():
        at(context, port).exec_ir_ses()
    context.set_transfer_cb(peer)
    assert context.exec_ir_ses() == pki.enrolled.certificate


def test_signal_in_the_confirmation(pki: PKI, peer: Peer) -> None:
    """When the certificate has come already, it is not lost."""
    stop = threading.Event()

    def answer(request: bytes) -> bytes:
        if peer.requests:
            stop.wait(LIMIT)
        return peer(request)

    context = new_context(pki)
    with Served(answer) as server:
        with pytest.raises(AlarmError) as caught, alarm(1.0):
            server.point(context).exec_ir_ses()
        stop.set()
    confirm = caught.value.__context__
    assert isinstance(confirm, osslcmp.ConfirmError)
    assert confirm.enrollment.certificate == pki.enrolled.certificate


def again_and_again(context: Context, deadline: float) -> None:
    while time.monotonic() < deadline:
        context.exec_ir_ses()
        context.reinit()


def test_signal_while_c_computes(pki: PKI) -> None:
    """Pending when C calls back: handled before the callback runs, and not lost.

    OpenSSL signs with long keys here, so that most of the time is spent there.
    """
    peer = Peer(pki)
    context = peer.attach(new_context(pki, me=pki.rsa_client))
    context.set_log_cb(lambda *_: None)
    context.set_log_verbosity(osslcmp.Severity.TRACE)
    context.set_cert_conf_cb(lambda *_: None)
    for wait in (0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006):
        deadline = time.monotonic() + LIMIT
        with pytest.raises(AlarmError), alarm(wait):
            again_and_again(context, deadline)
        context.reinit()
    assert context.exec_ir_ses() == pki.enrolled.certificate


@pytest.fixture
def weakrefs_may_lose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of CPython: what a handler raises within the callback of a weak reference goes no further.

    Only that is let pass: the alarm, and only in the callbacks of the standard library's weak collections.
    """
    tell = sys.unraisablehook

    def hook(lost: sys.UnraisableHookArgs) -> None:
        trace = lost.exc_traceback
        where = None if trace is None else trace.tb_frame.f_globals["__name__"]
        if not (isinstance(lost.exc_value, AlarmError) and where in ("_weakrefset", "weakref")):
            tell(lost)

    monkeypatch.setattr(sys, "unraisablehook", hook)


@pytest.mark.usefixtures("weakrefs_may_lose_it")
def test_signals_at_any_moment(pki: PKI) -> None:
    """Wherever they strike, nothing breaks: neither the context nor its thread's state is stuck."""
    peer = Peer(pki)
    context = new_context(pki, "mac")
    context.set_transfer_cb(peer)
    context.set_log_verbosity(osslcmp.Severity.TRACE)
    context.set_log_cb(lambda *_: None)
    gc.collect()  # the signals are not for what earlier tests left
    deadline = time.monotonic() + 1.5
    struck = 0
    pause = 0.0003
    while time.monotonic() < deadline:
        pause = 0.0003 + (pause * 7.3) % 0.009
        try:
            with alarm(pause):
                while time.monotonic() < deadline:
                    context.reinit()
                    context.exec_ir_ses()
        except AlarmError:
            struck += 1
    assert struck
    fresh = Peer(pki)
    context.reinit()
    fresh.attach(context)
    assert context.exec_ir_ses() == pki.enrolled.certificate
    context.reinit()
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(lambda: context.status).result(LIMIT)
    assert status is osslcmp.PKIStatus.unspecified, "another thread may use it as well"


_SCRIPT = """
import os, signal, sys, tempfile, threading, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from support.pki import PKI, make_key
from support.silence import mute, unreachable
import osslcmp

signal.signal(signal.SIGINT, signal.default_int_handler)
pki = PKI(Path(tempfile.mkdtemp()))
with {place}() as port:
    client = osslcmp.Client(f"http://127.0.0.1:{{port}}/", reference=b"ref", secret=b"secret", no_proxy="*",
                            recipient="CN=server")
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    try:
        client.{call}
    except KeyboardInterrupt:
        assert time.monotonic() - start < 20
        print("interrupted", flush=True)
    try:
        client.{call}
    finally:
        pass
"""


@pytest.mark.parametrize("place", ["unreachable", "mute"])
@pytest.mark.parametrize("call", ["ir(make_key(), subject='CN=x')", "genm()"])
def test_keyboard_interrupt(place: str, call: str) -> None:
    """Ctrl-C in a program of its own; a second one ends it like any Python program."""
    script = textwrap.dedent(_SCRIPT).format(tests=str(Path(__file__).parents[1]), place=place, call=call)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "interrupted\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGINT
    assert "\nKeyboardInterrupt\n" in error
    assert "cffi callback" not in error


def test_reinit_in_a_signal_handler(pki: PKI, peer: Peer) -> None:
    """A handler that would take away what C is waiting on gets an error, not a crash."""
    context = new_context(pki)
    told: list[str] = []

    def handler(*_: object) -> None:
        for meddle in (context.reinit, context.disconnect, lambda: context.set_proxy("")):
            with pytest.raises(RuntimeError, match="while a transaction runs") as caught:
                meddle()
            told.append(str(caught.value))
        raise AlarmError

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, SOON)
    try:
        with mute() as port, pytest.raises(AlarmError):
            at(context, port).exec_ir_ses()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(told) == 3
    works(context, pki, peer)


# -- timeouts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_message_timeout(place: str, pki: PKI, peer: Peer) -> None:
    """Ends by itself after the message timeout, which may be changed."""
    context = new_context(pki)
    context.set_option(Option.MSG_TIMEOUT, 1)
    with PLACES[place]() as port:
        before = open_descriptors()
        with pytest.raises(osslcmp.TransferTimeout) as caught:
            at(context, port).exec_ir_ses()
        assert isinstance(caught.value, TimeoutError)
        assert f"127.0.0.1:{port}" in str(caught.value)
        assert open_descriptors() == before
    works(context, pki, peer)


def test_without_timeout(pki: PKI) -> None:
    """0 means none: only a signal ends it."""
    context = new_context(pki)
    context.set_option(Option.MSG_TIMEOUT, 0)
    context.set_option(Option.TOTAL_TIMEOUT, 0)
    with mute() as port, pytest.raises(AlarmError), alarm(1.2):
        at(context, port).exec_ir_ses()
