"""``Client`` and ``Server`` with an EmbeddedCA in one process, beside ``issuing.c``, which does the same in C.

Both issue a certificate for each enrolment, make contexts anew for it, and carry messages as DER.
"""

from __future__ import annotations

import cProfile
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from time import process_time_ns
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import PKI

import osslcmp
from osslcmp.server import EmbeddedCA

from . import native
from .contestants import credentials
from .rounds import Round, Run, Work, compare, repeated, timed

GOAL = 1.25 if osslcmp.openssl_version < (3, 5) else 1.5
"""OpenSSL 3.0 spends more itself."""
OPERATIONS = {native.MAC: (2, 2), native.SIGNATURE: (6, 8)}
"""Signatures made and verified for an ir with certConf, that of the certificate included."""
_CALLGRIND = 60.0
"""Seconds for one process under callgrind, which takes some ten on a machine with nothing else to do."""
_PARTS: dict[str, str | tuple[str, ...]] = {
    "libcrypto": "libcrypto",
    "the interpreter": ("libpython", "python"),
    "cryptography": "_rust",
    "what osslcmp has in C": "_native",
}
"""By what they are called, how the names of their files begin."""
_LOOKS = (1, 100, 1_000, 10_000, 100_000)


def enrolling(pki: Any, protection: str) -> Work:
    """Does so many enrolments, with the identities that ``issuing.c`` has."""
    issuing, server = pki.issuing, pki.server
    ca = EmbeddedCA(
        {b"ref": b"secret"},
        root=(pki.root.certificate, pki.root.key),
        issuer=(issuing.certificate, issuing.key),
    )
    running = ca.server(certificate=server.certificate, key=server.key, chain=[issuing.certificate])
    client = osslcmp.Client(transport=running, **credentials(pki, protection))
    return repeated(partial(client.ir, pki.enrolled.key, subject=pki.enrolled.subject))


def public_key_operations(protection: str) -> Round:
    """Those of an enrolment alone: the floor for whoever does it."""
    made, verified = OPERATIONS[protection]
    key = ec.generate_private_key(ec.SECP256R1())
    public, data = key.public_key(), b"x" * 500
    algorithm = ec.ECDSA(hashes.SHA256())
    signature = key.sign(data, algorithm)

    def operations() -> None:
        for _ in range(made):
            key.sign(data, algorithm)
        for _ in range(verified):
            public.verify(signature, data, algorithm)

    return timed(repeated(operations), process_time_ns)


def bench_enrol(run: Run) -> None:
    """An ir with certConf, from the client's call to its certificate, all in one process."""
    program = native.program(run.directory)
    for protection in (native.MAC, native.SIGNATURE):
        with native.CProgram(program, run.pki.directory, protection, "fresh") as c:
            ours, floor = "Client and Server", "public-key operations alone"
            runs = {
                "C": c.run,
                ours: timed(enrolling(run.pki, protection), process_time_ns),
                floor: public_key_operations(protection),
            }
            compare(run, f"ir, Client to Server in process, {protection}", runs, goals={ours: GOAL})


def bench_counts(run: Run) -> None:
    """What an enrolment calls, at the client and at the server together: none of it depends on the machine."""
    run.report.title("calls for an ir with certConf, Client to Server in process")
    many = 10
    for protection in (native.MAC, native.SIGNATURE):
        work = enrolling(run.pki, protection)
        work(3)
        profile = cProfile.Profile()
        profile.runcall(work, many)
        entries = profile.getstats()
        ours = "osslcmp._native."
        for what, counts in (
            ("all functions", [entry.callcount for entry in entries]),
            (
                "from Python into C",
                [e.callcount for e in entries if isinstance(e.code, str) and ours in e.code],
            ),
            (
                "reads of DER in Python",
                [e.callcount for e in entries if getattr(e.code, "co_name", "") in ("read_at", "children")],
            ),
            (
                "certificates decoded by cryptography",
                [e.callcount for e in entries if isinstance(e.code, str) and "load_der_x509_cert" in e.code],
            ),
        ):
            run.report.count(f"{protection}: {what}", sum(counts) / many)


def bench_instructions(run: Run) -> None:
    """The same counted by callgrind. Its processor has no instructions for hashes, so that C looks slower than it is."""
    if shutil.which("valgrind") is None:
        run.report.title("instructions: valgrind is not installed")
        return
    program = native.program(run.directory)
    run.report.title("instructions of an ir with certConf, Client to Server in process, by callgrind")
    for protection in (native.MAC, native.SIGNATURE):
        python = [sys.executable, "-m", "benchmarks.enrolling", str(run.pki.directory), protection]
        for name, command in (
            ("C", [str(program), str(run.pki.directory), protection, "fresh"]),
            ("Client and Server", python),
        ):
            few, many = (_instructions([*command, str(number)]) for number in (2, 6))
            counts = {part: (many[part] - few[part]) / 4 for part in many}
            run.report.count(f"{protection}, {name}: instructions", sum(counts.values()))
            for part in _PARTS:
                if counts.get(part):
                    run.report.count(f"{protection}, {name}: instructions in {part}", counts[part])


def _instructions(command: list[str]) -> Counter[str]:
    with tempfile.TemporaryDirectory(prefix="osslcmp-bench-") as folder:
        output = Path(folder) / "callgrind"
        measured = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", *command]
        subprocess.run(measured, capture_output=True, check=True, timeout=_CALLGRIND)
        return _by_part(output)


def _by_part(output: Path) -> Counter[str]:
    """The instructions in what callgrind has written, by the parts of _PARTS, and of the rest under no name."""
    names: dict[str, str] = {}
    found: Counter[str] = Counter()
    part, of_a_call = "", False
    with output.open() as lines:
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key in ("ob", "cob"):
                number, _, name = value.partition(" ")
                name = names.setdefault(number, Path(name).name)
                if key == "ob":
                    part = next((part for part, start in _PARTS.items() if name.startswith(start)), "")
            elif key == "calls":
                of_a_call = True  # the next line counts what has been counted where it was done
            elif key[:1] in {*"0123456789+-*"}:
                if not of_a_call:
                    found[part] += int(key.split()[1])
                of_a_call = False
    return found


def bench_curve(run: Run) -> None:
    """The processor's time of an enrolment after 1 to 100,000 others, for a server whose CA keeps what it issues; as far as
    there is time."""
    work = enrolling(run.pki, native.MAC)
    cost = timed(work, process_time_ns)
    work(3)
    run.report.title("cost of an enrolment by how many there were before, Client to Server in process, MAC")
    done, points, first = 3, [], cost(100)
    for number in _LOOKS:
        begun = time.monotonic()
        work(min(100, max(number - done, 0)))  # tells how long the rest takes
        left = max(number - done - 100, 0)
        if time.monotonic() + left / 100 * (time.monotonic() - begun) > run.deadline:
            break
        work(left)
        points.append((float(number), cost(100) / first))
        done = max(number, done) + 100
    run.report.line("enrolments", "Client and Server in process", points)


def _main() -> None:
    """For callgrind: ``DIR mac|signature N``, of files that are there."""
    directory, protection, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    pki = PKI(directory)
    enrolling(pki, protection)(count)


if __name__ == "__main__":
    _main()
