"""``./dev fuzz``: fuzz everything that reads what comes from a network or a file, in child processes.

Messages of live sessions are changed as trees and as bytes, most often protected again, and given to clients, servers and
readers. Findings are crashes, hangs, memory that grows, exceptions that are not documented, output on stderr, control
characters for a terminal, and messages of nobody that change something at a server. They are written to build/fuzz.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path

from .runner import Totals, minimise, replay, run

_ROUND = 300.0


def _options() -> argparse.Namespace:
    from .libfuzzer import HARNESSES
    from .targets import TARGETS

    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long (without --count: 2)")
    parser.add_argument("--count", type=int, help="how many cases for each target")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1 << 32), help="a number; the same cases for the same"
    )
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument(
        "--target",
        action="append",
        choices=[*TARGETS, *HARNESSES],
        help="only this one; may be given several times",
    )
    parser.add_argument("--out", type=Path, default=Path("build", "fuzz"), help="folder for findings")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run a finding again")
    parser.add_argument(
        "--c", action="store_true", help="libFuzzer on the C that reads; --count is its executions"
    )
    parser.add_argument(
        "--guided", action="store_true", help="atheris on one --target (server, message, trace)"
    )
    parser.add_argument("--no-minimise", action="store_true", help="keep findings as they are")
    options = parser.parse_args()
    names = options.target or list(HARNESSES if options.c else TARGETS)
    if not set(names) <= set(HARNESSES if options.c else TARGETS):
        parser.error("--target: those of --c go with it, the others without")
    options.shares = {} if options.c else {name: TARGETS[name].share for name in names}
    if options.minutes is None:
        options.minutes = 2.0 if options.count is None else 1e6
    return options


def main() -> int:
    """The command: exit status 1 if something was found."""
    options = _options()
    if options.replay:
        return replay(options.replay)
    if options.guided:
        # In a process of its own: what is to be followed must not have been imported yet.
        limits = (str(options.count or -1), str(options.minutes), str(options.seed))
        command = [sys.executable, "-m", "fuzz.guided", (options.target or ["server"])[0], *limits]
        return subprocess.run(command, check=False).returncode
    if options.c:
        from . import libfuzzer

        return libfuzzer.main(options.out, options.count, options.minutes, options.seed, options.target)
    print(f"fuzz: --seed {options.seed}", flush=True)
    totals = {name: Totals() for name in options.shares}
    numbers = dict.fromkeys(options.shares, options.start)
    left = options.minutes * 60
    while left > 0:
        turn = left if options.count is not None else min(left, _ROUND)
        for name, share in options.shares.items():
            begun = time.monotonic()
            seconds = turn * share / sum(options.shares.values())
            count = options.count if options.count is not None else 1 << 60
            known = set(totals[name].findings)
            numbers[name] = run(name, options.seed, numbers[name], count, seconds, totals[name])
            print(f"fuzz: {name}: {totals[name].cases} cases, {time.monotonic() - begun:.0f} s", flush=True)
            for signature in totals[name].findings.keys() - known:
                finding = totals[name].findings[signature]
                if not options.no_minimise:
                    finding = minimise(finding)
                print(
                    f"\nFOUND {finding.save(options.out)}: {signature} {finding.note}\n{finding.what[-6_000:]}",
                    flush=True,
                )
        left = 0 if options.count is not None else left - turn
    found = sum(len(total.findings) for total in totals.values())
    print(f"\n{'target':<12} {'cases':>9} {'seconds':>8} findings")
    for name, total in totals.items():
        print(f"{name:<12} {total.cases:>9} {total.seconds:>8.0f} {len(total.findings) or 'none'}")
    print(
        f"fuzz: {sum(total.cases for total in totals.values())} cases, {found} findings, seed {options.seed}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
