"""``./dev faults``: what osslcmp does when libcrypto gets no memory, or when a signal strikes, at any moment.

Each flow (``faults_flows.py``) is a request between a client and a server in one process, or to a server with TLS. Without
``--signals`` libcrypto's n-th allocation fails, for every n that the flow gets to; with ``--stacks N`` only the first N of
those that the same calls in C lead to. With ``--signals`` a signal handler raises at a random moment. Either way the flow
must end in an exception or with the right result, and the next try, with nothing in its way, with the right result
(``--retry N``: after each N of them). It runs in child processes: a crash and a hang are findings as well.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "faults.c"
#: Seconds without any progress after which a child counts as one that hangs.
HANG = 120
#: Exit status where OpenSSL is out of reach.
NOT_OURS = 77
#: Crashes of libcrypto's own for lack of memory, by its innermost functions that have a name: told, but no findings.
KNOWN_CRASHES = {
    (
        "X509_PUBKEY_set",
        "ASN1_item_dup",
    ): "puts the key into a copy of a CSR, the caller's own, that could not be made",
}
_MOST_STACKS = 200_000


@dataclass
class Plan:
    """Which points of a flow to disturb."""

    signals: bool = False
    start: int = 0
    step: int = 1
    """Each so manieth allocation."""
    stacks: int = 0
    """How many allocations from the same calls in C; 0: all."""
    retry: int = 1
    """After so many points comes a try with nothing in its way."""
    count: int = 300
    """How many signals."""
    seconds: float = 0.0
    """For each flow, at random points then; 0: all."""
    seed: int = 0


@dataclass
class Outcome:
    """What was found in a flow."""

    flow: str
    tried: int = 0
    total: int | None = None
    """Allocations that it makes."""
    known: list[str] = field(default_factory=list)
    """Crashes of libcrypto's own."""
    findings: list[str] = field(default_factory=list)


class NotReachedError(Exception):
    """The extension's OpenSSL is not the one that is made to fail: it is linked into it."""


# -- the child ---------------------------------------------------------------------------------------------------


class StruckError(BaseException):
    """What the signal handler raises."""


class Faults:
    """The C library that makes allocations fail. Before anything uses OpenSSL."""

    def __init__(self, library: str) -> None:
        self._lib = ctypes.CDLL(library)
        self._lib.faults_arm.argtypes = [ctypes.c_long]
        self._lib.faults_disarm.restype = ctypes.c_long
        self._lib.faults_record.argtypes = [ctypes.c_void_p, ctypes.c_long]
        if not self._lib.faults_install():
            raise RuntimeError("OpenSSL was used before")
        self.seen = 0
        """Allocations within the last :meth:`failing`."""

    @contextmanager
    def failing(self, number: int) -> Iterator[None]:
        """Within this the allocation of this number, from 0 on, fails: of this thread's."""
        self._lib.faults_arm(number)
        try:
            yield
        finally:
            self.seen = int(self._lib.faults_disarm())

    @contextmanager
    def recording(self, stacks: list[int]) -> Iterator[None]:
        """Within this nothing fails; ``stacks`` gets a number for each allocation: of the calls that led to it."""
        numbers = (ctypes.c_uint64 * _MOST_STACKS)()
        self._lib.faults_record(numbers, _MOST_STACKS)
        with self.failing(-1):
            yield
        stacks += numbers[: self.seen]


@contextmanager
def struck(seconds: float) -> Iterator[None]:
    """A signal after so many seconds, within this."""
    within = True

    def strike(*_: object) -> None:
        if within:
            raise StruckError

    before = signal.signal(signal.SIGALRM, strike)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        yield
    finally:
        within = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _points(stacks: list[int], plan: Plan) -> Iterator[int]:
    """The allocations that are to fail."""
    counts = Counter[int]()
    for point in range(plan.start % plan.step, len(stacks), plan.step):
        counts[stacks[point]] += 1
        if point >= plan.start and not 0 < plan.stacks < counts[stacks[point]]:
            yield point


class Child:
    """Disturbs a flow and tells: ``count N``, ``at N`` before each point, ``wrong N ...`` after it."""

    def __init__(self, out: int, flow: str, plan: Plan) -> None:
        import faults_flows

        self._out, self._plan = out, plan
        self._since_retry = 0
        self._prepare, self._run = faults_flows.FLOWS[flow]()
        self._run(self._prepare())

    def _tell(self, text: str) -> None:
        os.write(self._out, text.replace("\n", " ").encode() + b"\n")

    def _disturbed(self, point: int, disturbance: AbstractContextManager[object]) -> None:
        self._tell(f"at {point}")
        given = self._prepare()
        try:
            with disturbance:
                self._run(given)
        except (AssertionError, SystemError) as error:
            self._tell(f"wrong {point}: {type(error).__name__}: {error}")
        except (Exception, StruckError):  # which one is the business of other tests
            pass
        self._since_retry += 1
        if self._since_retry >= self._plan.retry:
            self._retry(point)

    def finish(self) -> None:
        """The last try with nothing in its way."""
        if self._since_retry:
            self._retry(-1)

    def _retry(self, point: int) -> None:
        """With nothing in its way it must work."""
        try:
            self._run(self._prepare())
        except BaseException as error:
            after = "" if self._since_retry == 1 else f" after {self._since_retry} points"
            self._tell(f"wrong {point}: the next try{after}: {type(error).__name__}: {error}")
        self._since_retry = 0

    def allocations(self, faults: Faults) -> None:
        """Let one of them fail."""
        plan = self._plan
        given = self._prepare()
        stacks: list[int] = []
        with faults.recording(stacks):
            self._run(given)
        self._tell(f"count {faults.seen}")
        points = [*_points(stacks, plan)]
        until = math.inf
        if plan.seconds:
            random.Random(plan.seed).shuffle(points)
            until = time.monotonic() + plan.seconds
        for point in points:
            if time.monotonic() > until:
                return
            self._disturbed(point, faults.failing(point))

    def signals(self) -> None:
        """Interrupt it."""
        plan = self._plan
        given = self._prepare()
        begun = time.perf_counter()
        self._run(given)
        lasts = time.perf_counter() - begun
        until = time.monotonic() + (plan.seconds or math.inf)
        for point in range(plan.start, plan.count):
            if time.monotonic() > until:
                return
            moment = random.Random(plan.seed * 1_000_003 + point).uniform(0, lasts)
            self._disturbed(point, struck(moment))


def child(out: str, library: str, flow: str, settings: str) -> None:
    """The child process."""
    plan = Plan(**json.loads(settings))
    faults = Faults(library)
    running = Child(int(out), flow, plan)
    if plan.signals:
        running.signals()
    else:
        running.allocations(faults)
    running.finish()


# -- the parent --------------------------------------------------------------------------------------------------


def build(folder: Path) -> Path:
    """Compile the C library against the OpenSSL that the extension is built against."""
    sys.path.insert(0, str(HERE.parent))
    import build_cffi

    found = build_cffi.find_openssl()
    library = folder / "faults.so"
    command = [
        *build_cffi.compiler(), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SOURCE),
        *(f"-I{path}" for path in found.include_dirs), *(f"-L{path}" for path in found.library_dirs),
        *(f"-Wl,-rpath,{path}" for path in found.library_dirs), "-lcrypto",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return library


def _lines(pipe: int) -> Iterator[str]:
    """What a child tells, until it ends. Raises TimeoutError when it says nothing for long."""
    rest = b""
    while True:
        if not select.select([pipe], [], [], HANG)[0]:
            raise TimeoutError
        data = os.read(pipe, 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.decode()


def known_crash(told: str) -> str | None:
    """What a crash is, if that is known, by the stack that ``faults.c`` has printed."""
    names = re.findall(r"libcrypto[^(\n]*\((\w+)\+", told)
    return next(
        (f"{' < '.join(key)}: {why}" for key, why in KNOWN_CRASHES.items() if (*names[: len(key)],) == key),
        None,
    )


def run_child(library: Path, plan: Plan, outcome: Outcome) -> int | None:
    """Run a child to its end; the point at which it ended before that, None if it did not."""
    reading, writing = os.pipe()
    settings = json.dumps(vars(plan))
    command = [sys.executable, __file__, "--child", str(writing), str(library), outcome.flow, settings]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, pass_fds=[writing], stdout=errors, stderr=errors)
        os.close(writing)
        last = None
        try:
            for line in _lines(reading):
                word, _, text = line.partition(" ")
                if word == "count":
                    outcome.total = int(text)
                elif word == "at":
                    last = int(text)
                    outcome.tried += 1
                else:
                    outcome.findings.append(text)
            status: int | str = process.wait()
        except TimeoutError:
            status = "hangs"
        finally:
            process.kill()
            process.wait()
            os.close(reading)
        if status == 0:
            return None
        errors.seek(0)
        told = errors.read().decode(errors="replace")[-4000:]
    if last is None:
        raise RuntimeError(f"{outcome.flow} does not even work undisturbed: {told}")
    if status != "hangs" and (known := known_crash(told)):
        outcome.known.append(f"{last}: {known}")
    else:
        outcome.findings.append(
            f"{last}: {'hangs' if status == 'hangs' else f'ends with status {status}'}: {told}"
        )
    return last


def search(plan: Plan, flows: Iterable[str]) -> Iterator[Outcome]:
    """Disturb each of these flows.

    Raises:
        NotReachedError: libcrypto cannot be made to fail.
        RuntimeError: a flow fails undisturbed.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        for flow in flows:
            outcome = Outcome(flow)
            this = Plan(**vars(plan))
            while (last := run_child(library, this, outcome)) is not None:
                if this.seconds:  # the others by chance, and what comes next is another flow
                    break
                this.start = last + this.step
            if not plan.signals and outcome.total == 0:
                raise NotReachedError
            yield outcome


def names() -> list[str]:
    """Of all flows."""
    sys.path.insert(0, str(HERE))
    from faults_flows import FLOWS

    return list(FLOWS)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--signals", action="store_true", help="interrupt instead")
    parser.add_argument("--count", type=int, default=Plan.count, help="how many signals for each flow (300)")
    parser.add_argument("--step", type=int, default=1, help="let only each so manieth allocation fail")
    parser.add_argument(
        "--stacks", type=int, default=0, metavar="N", help="only N allocations from the same calls in C (all)"
    )
    parser.add_argument(
        "--retry", type=int, default=1, metavar="N", help="try undisturbed after each N points (1)"
    )
    parser.add_argument("--start", type=int, default=0, help="begin with this one")
    parser.add_argument("--seconds", type=float, default=0.0, help="for each flow, at random points then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("flows", nargs="*", metavar="FLOW", help=f"only these: {', '.join(names())}")
    given = parser.parse_args()
    flows = given.flows or names()
    del given.flows
    points, found = 0, 0
    try:
        for outcome in search(Plan(**vars(given)), flows):
            total = "" if outcome.total is None else f" of {outcome.total}"
            print(
                f"{outcome.flow}: {outcome.tried}{total} points, {len(outcome.findings)} findings", flush=True
            )
            for finding in outcome.findings:
                print(f"  {finding}", flush=True)
            for crash in outcome.known:
                print(f"  OpenSSL's own: {crash}", flush=True)
            points += outcome.tried
            found += len(outcome.findings)
    except NotReachedError:
        print("faults: DID NOT RUN: the extension has an OpenSSL of its own inside", file=sys.stderr)
        return NOT_OURS
    print(f"faults: {points} points, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main())
