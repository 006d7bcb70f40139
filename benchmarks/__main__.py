"""``python -m benchmarks [NAME...] [--publish]``: ratios, not times. See README.md."""

from __future__ import annotations

import argparse
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.mock_server import MockServer
from support.pki import PKI

import osslcmp

from . import contestants, native
from .enrolling import bench_counts, bench_curve, bench_enrol, bench_instructions
from .floods import bench_floods
from .load import bench_load
from .memory import bench_memory
from .report import Report
from .rounds import Run, compare
from .scale import bench_processes, bench_rows
from .start import bench_imports, bench_start
from .threads import bench_threads

PROTECTIONS = (native.MAC, native.SIGNATURE)
_LIMIT = 660.0
"""Seconds after which no further benchmark of ``--publish`` begins, unless told otherwise."""


def bench_ir(run: Run) -> None:
    """An ir with certConf within the process, client and C-side server joined by OpenSSL."""
    program, helper, pki = native.program(run.directory), native.Helper(run.directory), run.pki
    for protection in PROTECTIONS:
        with native.CProgram(program, pki.directory, protection) as c:
            runs = {
                "C": c.run,
                "osslcmp.lib": contestants.raw(helper, pki.directory, protection),
                "osslcmp.Context": contestants.in_process(helper, pki.directory, pki, protection),
            }
            compare(run, f"ir, C-side server in process, {protection}", runs)


def bench_http(run: Run) -> None:
    """An ir with certConf over a kept-alive connection to ``openssl cmp -port``."""
    program, pki = native.program(run.directory), run.pki
    options: dict[str, Any] = {
        "srv_ref": "ref",
        "srv_secret": b"secret",
        "srv_cert": pki.server.cert_file,
        "srv_key": pki.server.key_file,
        "srv_untrusted": pki.issuing.cert_file,
        "srv_trusted": pki.root.cert_file,
        "rsp_cert": pki.enrolled.cert_file,
        "verbosity": 3,
    }
    for protection in PROTECTIONS:
        with (
            MockServer(**options) as server,
            native.CProgram(program, pki.directory, protection, f"nodelay:{server.port}") as c,
        ):
            runs = {
                "C with TCP_NODELAY": c.run,
                "osslcmp.Context": contestants.over_http(pki, protection, server.port),
                "osslcmp.Client": contestants.client_over_http(pki, protection, server.port),
            }
            title = f"ir, HTTP to openssl cmp -port, {protection}"
            compare(run, title, runs, base="C with TCP_NODELAY", goals={"osslcmp.Client": 1.15})
            each, client = "openssl cmp -keep_alive 0, a process each", "osslcmp.Client"
            runs = {each: contestants.process_each(pki, protection, server.url), client: runs[client]}
            runs["C with TCP_NODELAY"] = c.run  # the floor
            compare(
                run,
                f"ir, {client} to a process for each, {protection}",
                runs,
                base="openssl",
                goals={client: 0.25},
            )


BENCHMARKS: dict[str, Callable[[Run], None]] = {
    "ir": bench_ir,
    "enrol": bench_enrol,
    "counts": bench_counts,
    "http": bench_http,
    "threads": bench_threads,
    "imports": bench_imports,
    "start": bench_start,
    "load": bench_load,
    "processes": bench_processes,
    "rows": bench_rows,
    "instructions": bench_instructions,
    "curve": bench_curve,
    "floods": bench_floods,
}
ON_REQUEST = ("memory",)
"""Takes long, so it is not among those that run by default."""


def main() -> None:
    """Run the chosen benchmarks, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join([*BENCHMARKS, *ON_REQUEST])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{names} (default: all but the last)")
    parser.add_argument(
        "--rounds", type=int, help="how often each contestant runs (default 7, 5 with --publish)"
    )
    parser.add_argument(
        "--seconds", type=float, help="length of one round in C (default 1, 0.5 with --publish)"
    )
    parser.add_argument("--enrolments", type=int, default=10_000, help="of memory (default 10000)")
    parser.add_argument("--json", type=Path, help="write what was found to this file, too")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write docs/performance.md",
    )
    parser.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="JSON",
        help="with --publish: another run's --json, such as one with another OpenSSL",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=_LIMIT,
        metavar="SECONDS",
        help="after which no benchmark of --publish begins (default %(default)g)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {*BENCHMARKS, *ON_REQUEST}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if arguments.publish:
        try:
            from . import publish
        except ImportError:
            parser.error("--publish needs matplotlib: pip install -e '.[bench]'")
    openssl = ".".join(map(str, osslcmp.openssl_version))
    report, load = Report(f"OpenSSL {openssl} and CPython {platform.python_version()}"), os.getloadavg()[0]
    others = [Report.load(path) for path in arguments.also]
    deadline = time.monotonic() + (arguments.limit if arguments.publish else math.inf)
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as name:
        directory = Path(name)
        pki = PKI(directory)
        for identity in (pki.root, pki.issuing, pki.server, pki.client, pki.enrolled):
            identity.cert_file, identity.key_file  # noqa: B018 - written when asked for
        rounds, seconds = (5, 0.5) if arguments.publish else (7, 1.0)
        run = Run(directory, pki, arguments.rounds or rounds, arguments.seconds or seconds, report, deadline)
        for benchmark in arguments.names or (
            name for name in BENCHMARKS if name != "floods" or not arguments.publish
        ):
            if time.monotonic() > deadline:
                report.title(f"{benchmark}: no time left")
                continue
            if benchmark == "memory":
                bench_memory(directory, pki, arguments.enrolments)
                continue
            try:
                BENCHMARKS[benchmark](run)
            except Exception as error:
                if not arguments.publish:
                    raise
                report.title(f"{benchmark}: {type(error).__name__}: {error}")  # the others count
    if arguments.json is not None:
        report.save(arguments.json)
    if arguments.publish:
        publish.publish(report, load < 1, others)


if __name__ == "__main__":
    main()
