"""``python -m benchmarks [ir] [http] [load] [floods] [threads] [start] [memory]``: ratios, not times. See README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.mock_server import MockServer
from support.pki import PKI

from . import contestants, native
from .floods import bench_floods
from .load import bench_load
from .memory import bench_memory
from .rounds import compare
from .start import bench_start
from .threads import bench_threads

PROTECTIONS = (native.MAC, native.SIGNATURE)


def bench_ir(directory: Path, pki: PKI, rounds: int, seconds: float) -> None:
    """An ir with certConf within the process, client and C-side server joined by OpenSSL."""
    program, helper = native.program(directory), native.Helper(directory)
    for protection in PROTECTIONS:
        with native.CProgram(program, pki.directory, protection) as c:
            runs = {
                "C": c.run,
                "Python, osslcmp.lib": contestants.raw(helper, pki.directory, protection),
                "Python, osslcmp.Context": contestants.in_process(helper, pki.directory, pki, protection),
            }
            compare(f"ir, in process, {protection}", runs, rounds, seconds)


def bench_http(directory: Path, pki: PKI, rounds: int, seconds: float) -> None:
    """An ir with certConf over a kept-alive connection to ``openssl cmp -port``."""
    program = native.program(directory)
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
            native.CProgram(program, pki.directory, protection, server.port) as c,
        ):
            runs = {
                "C, OpenSSL's HTTP": c.run,
                "Python, osslcmp's HTTP": contestants.over_http(pki, protection, server.port),
            }
            compare(f"ir, HTTP, {protection}", runs, rounds, seconds)


ON_REQUEST = ("memory",)
"""Takes long, so it is not among those that run by default."""
BENCHMARKS = {
    "ir": bench_ir,
    "http": bench_http,
    "load": bench_load,
    "floods": bench_floods,
    "threads": bench_threads,
    "start": bench_start,
}


def main() -> None:
    """Run the chosen benchmarks, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join([*BENCHMARKS, *ON_REQUEST])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{names} (default: all but the last)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant runs (default 7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one round in C (default 1)")
    parser.add_argument("--enrolments", type=int, default=10_000, help="of memory (default 10000)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {*BENCHMARKS, *ON_REQUEST}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as name:
        directory = Path(name)
        pki = PKI(directory)
        for identity in (pki.root, pki.issuing, pki.server, pki.client, pki.enrolled):
            identity.cert_file, identity.key_file  # noqa: B018 - written when asked for
        for benchmark in arguments.names or BENCHMARKS:
            if benchmark == "memory":
                bench_memory(directory, pki, arguments.enrolments)
                continue
            BENCHMARKS[benchmark](directory, pki, arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
