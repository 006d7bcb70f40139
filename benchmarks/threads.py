"""Two threads on two cores: how close the rate comes to twice that of one thread.

A machine that has other things to do gives two threads less than that: the first line tells how much.
"""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from time import perf_counter
from typing import Any

import osslcmp

from .contestants import joined, new_context
from .native import MAC, SIGNATURE, Helper
from .rounds import Run, Work, repeated


def _in_c(helper: Helper, pki: Any, protection: str) -> Work:
    """The C loop: what libcrypto itself allows."""
    client = helper.client(pki.directory, protection, helper.server(pki.directory))
    return lambda count: helper.enrol(client, count)


def _one_context(helper: Helper, pki: Any, protection: str) -> Work:
    """One context, reinitialized for each transaction."""
    context = new_context(pki, protection)
    joined(helper, pki.directory)(context)

    def transaction() -> None:
        context.reinit()
        context.exec_ir_ses()

    return repeated(transaction)


def _client(helper: Helper, pki: Any, protection: str) -> Work:
    """A client, which makes a context for each transaction."""
    if protection == MAC:
        credentials: dict[str, Any] = {"reference": b"ref", "secret": b"secret"}
    else:
        me = pki.client
        credentials = {"certificate": me.certificate, "key": me.key, "trusted": pki.root.certificate}
        credentials["untrusted"] = pki.issuing.certificate
    client = osslcmp.Client(transport=bytes, recipient=pki.server.subject, **credentials)
    join, fresh = joined(helper, pki.directory), client._settings.context

    def context() -> osslcmp.Context:
        made = fresh()
        join(made)
        return made

    client._settings.context = context  # type: ignore[method-assign]
    key, subject = pki.enrolled.key, pki.enrolled.subject
    return repeated(partial(client.ir, key, subject=subject, confirm=osslcmp.certconf))


def _hashing(_helper: Helper, _pki: Any, _protection: str) -> Work:
    """Nothing to wait for: what the machine gives two threads at the moment."""
    return repeated(partial(hashlib.sha256, bytes(1_000_000)))


CONTESTANTS = {
    "SHA-256 alone": _hashing,
    "C": _in_c,
    "osslcmp.Context": _one_context,
    "osslcmp.Client": _client,
}


def _together(work: list[Work], count: int) -> float:
    """Seconds until all of them have done so many."""
    barrier = threading.Barrier(len(work) + 1)

    def run(one: Work) -> None:
        barrier.wait()
        one(count)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = perf_counter()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def _ratio(work: list[Work], count: int) -> float:
    """The rate of all over that of one, which runs before and after."""
    before, both, after = _together(work[:1], count), _together(work, count), _together(work[1:], count)
    return (before + after) / both


def bench_threads(run: Run) -> None:
    """An ir with certConf in process: two threads, each with its own client and C-side server, over one."""
    helper, pki = Helper(run.directory), run.pki
    title = "ir, C-side server in process, rate of two threads"
    run.report.title(title)
    for protection in (MAC, SIGNATURE):
        for name, make in CONTESTANTS.items():
            work = [make(helper, pki, protection) for _ in range(2)]
            for one in work:
                one(3)
            count = max(5, int(run.seconds * 10 / _together(work[:1], 10)))
            ratios = [_ratio(work, count) for _ in range(run.rounds)]
            goal = 1.9 if name == "osslcmp.Client" else None
            run.report.ratio(
                title, f"{name}, {protection}", ratios, "one thread", goal=goal, more_is_better=True
            )
