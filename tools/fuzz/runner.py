"""The parent: keeps workers running, sees crashes and hangs, and keeps, minimises and replays what was found."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .worker import FAULTS, RENEWING, STATE

TOOLS = Path(__file__).resolve().parent.parent
HANG = 10.0
"""Seconds, not counting those in which the machine had other things to do."""
_RENEWAL = 120.0
_TICK = 0.2
_TRIES = 60


@dataclass
class Finding:
    """Something that must not be."""

    target: str
    seed: int
    case: int
    signature: str
    what: str
    plan: dict[str, Any] | None
    sent: str = ""
    """What was sent, in base64."""
    note: str = ""

    def save(self, folder: Path) -> Path:
        """Write it to a file for ``--replay``."""
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(self.signature.encode()).hexdigest()[:10]
        path = folder / f"{self.target.rpartition(':')[2].lower()}-{digest}.json"
        path.write_text(json.dumps(vars(self), indent=1), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Finding:
        """Read such a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass
class Totals:
    """What was done to a target."""

    cases: int = 0
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)


class Process:
    """A worker, watched."""

    def __init__(self, target: str, *arguments: str) -> None:
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = tempfile.TemporaryDirectory(prefix="osslcmp-fuzz-", dir=shared)
        self.folder = Path(self._folder.name)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(TOOLS), os.environ.get("PYTHONPATH")))),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", target, str(self.folder), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        self._case, self._since, self._waited = RENEWING, time.monotonic(), 0.0
        self._buffer = b""

    def __enter__(self) -> Process:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        self._folder.cleanup()

    def give(self, plan: dict[str, Any]) -> None:
        """Have a plan run."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(plan).encode() + b"\n")
            self._process.stdin.flush()

    def state(self) -> dict[str, Any]:
        """What it is doing."""
        with contextlib.suppress(OSError, ValueError):
            data = (self.folder / STATE).read_bytes()
            found: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "big")])
            return found
        return {"case": RENEWING, "since": self._since, "plan": None}

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it tells, until it ends. A crash or a hang is told as a finding is."""
        stream = self._process.stdout
        assert stream is not None
        while True:
            ready, _, _ = select.select([stream], [], [], _TICK)
            data = os.read(stream.fileno(), 1 << 20) if ready else b""
            if ready and not data:
                break
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            yield from map(json.loads, lines)
            if self._hangs():
                yield self._buried("hang", f"no end after {HANG:g} s")
                return
        status = self._process.wait()
        if status:
            name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            yield self._buried("crash", name)

    def _hangs(self) -> bool:
        state = self.state()
        waited = _run_delay(self._process.pid)
        if state["case"] != self._case or state["since"] != self._since:
            self._case, self._since, self._waited = state["case"], state["since"], waited
        own = time.monotonic() - self._since - (waited - self._waited)
        return own > (_RENEWAL if self._case == RENEWING else HANG)

    def _buried(self, kind: str, what: str) -> dict[str, Any]:
        state = self.state()
        if kind == "hang":
            self._process.send_signal(signal.SIGUSR1)  # faulthandler tells where it is
            time.sleep(1)
            self._process.kill()
        with contextlib.suppress(OSError):
            what += "\n" + (self.folder / FAULTS).read_text(encoding="utf-8", errors="replace")[:20_000]
        with contextlib.suppress(OSError):
            what += "\n" + (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")[-20_000:]
        frames = re.findall(r'File ".*?([\w.]+)", line \d+ in (\w+)', what)[:3]
        place = " < ".join(f"{file}:{function}" for file, function in frames)
        return {
            "case": state["case"],
            "signature": f"{kind} {what.splitlines()[0]} {place}",
            "what": what,
            "plan": state["plan"],
            "sent": "",
        }


def _run_delay(pid: int) -> float:
    """Seconds that a process was ready to run, and others ran."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def run(target: str, seed: int, start: int, count: int, seconds: float, totals: Totals) -> int:
    """Run cases of a target. Returns the number of the next one."""
    begun = time.monotonic()
    until = begun + seconds
    number = start
    while number < start + count and time.monotonic() < until:
        left = max(1.0, until - time.monotonic())
        arguments = {"seed": seed, "start": number, "count": start + count - number, "seconds": left}
        before = number
        with Process(target, *(f"--{name}={value}" for name, value in arguments.items())) as process:
            for line in process.lines():
                if "end" in line:
                    number = line["end"]
                    continue
                finding = Finding(target=target, seed=seed, **line)
                totals.findings.setdefault(finding.signature, finding)
                if finding.signature.startswith(("crash", "hang")):
                    number = max(number, finding.case + 1)
        totals.cases += max(0, number - before)
        if number == before:
            break  # it does not even start
    totals.seconds += time.monotonic() - begun
    return number


class Trial:
    """Tries plans one by one, in a process that is replaced when it dies."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._process: Process | None = None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None

    def run(self, plan: dict[str, Any]) -> tuple[str, str, str]:
        """Signature (empty: nothing is wrong), what is wrong, and what was sent."""
        if self._process is None:
            self._process = Process(self._target)
        self._process.give(plan)
        for line in self._process.lines():
            if line["signature"].startswith(("crash", "hang")):
                self.close()
            return line["signature"], line["what"], line["sent"]
        self.close()
        return "crash", "it ended", ""


def minimise(finding: Finding, seconds: float = 120.0) -> Finding:
    """The same finding with as little as possible in its plan."""
    if finding.plan is None:
        return finding
    until = time.monotonic() + seconds
    trial = Trial(finding.target)
    try:
        signature, what, sent = trial.run(finding.plan)
        if signature != finding.signature:
            finding.note = f"not found again by itself: {signature or 'nothing is wrong'}"
            return finding
        best = Finding(**{**vars(finding), "what": what, "sent": sent or finding.sent})
        tries, smaller = 0, True
        while smaller:
            smaller = False
            for plan in reductions(best.plan or {}):
                if tries == _TRIES or time.monotonic() > until:
                    return best
                tries += 1
                signature, what, sent = trial.run(plan)
                if signature == finding.signature:
                    best = Finding(**{**vars(best), "plan": plan, "what": what, "sent": sent or best.sent})
                    smaller = True
                    break
        return best
    finally:
        trial.close()


def reductions(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Plans with one thing less."""

    def parts(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
        if isinstance(value, dict):
            for name, part in value.items():
                yield from parts(part, (*path, name))
        elif isinstance(value, list):
            if path and path[-1] in ("ops", "raw", "headers", "changes"):
                for number in range(len(value)):
                    yield path, value[:number] + value[number + 1 :]
            if path and path[-2:-1] == ("ops",) and value[0] in ("set", "insert", "append"):
                for simple in ("0500", "3000"):
                    if len(value[2]) > 4:
                        yield path, [value[0], value[1], simple]
            for number, part in enumerate(value):
                if isinstance(part, (list, dict)):
                    yield from parts(part, (*path, number))
        elif value is True:
            yield path, False

    for path, value in parts(plan, ()):
        smaller = copy.deepcopy(plan)
        place: Any = smaller
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        yield smaller


def replay(path: Path) -> int:
    """Run a kept finding again. Returns 1 if something is still wrong."""
    finding = Finding.load(path)
    if finding.plan is None:
        print(f"{path}: {finding.what}\nnot one case alone: run its seed and target again")
        return 2
    trial = Trial(finding.target)
    try:
        signature, what, sent = trial.run(finding.plan)
    finally:
        trial.close()
    if not signature:
        print(f"{path}: nothing is wrong any more")
        return 0
    data = base64.b64decode(sent or finding.sent)
    print(f"{path}: {signature}\n{what}\nsent, {len(data)} octets: {data[:2_000].hex()}")
    return 1
