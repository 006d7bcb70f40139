"""How long good clients wait at ``osslcmp serve`` while 600 connections keep it busy, beside how long they wait without."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from support.attacks import attacks
from support.flood import Flood
from support.forge import Forger
from support.serving import REFERENCE, SECRET, Served, Serving, client

from .rounds import Run

CONNECTIONS = 600


def _enrolment(served: Served, key: Any, count: int) -> float:
    """Seconds of an enrolment over a connection of its own; the median."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        client(served.url, message_timeout=60).ir(key, subject="CN=x")
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def bench_floods(run: Run) -> None:
    """Good clients during floods, one kind after the other, beside the same server without one."""
    message = Forger(reference=REFERENCE.encode(), secret=SECRET).request()
    key, rounds = run.pki.enrolled.key, run.rounds
    title = f"ir with certConf during floods from {CONNECTIONS} connections"
    run.report.title(title)
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as path, Serving(Path(path)) as serve:
        served = serve("--timeout", "600", "--request-time", "600")
        _enrolment(served, key, rounds)
        for name, attack in attacks(message).items():
            base = _enrolment(served, key, rounds)
            with Flood(served.url, *attack, connections=CONNECTIONS):
                found = _enrolment(served, key, rounds)
            run.report.ratio(title, name, [found / base], "without a flood")
