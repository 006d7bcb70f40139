"""A child process that runs cases of one target and tells its parent what it finds; it may crash or hang."""

from __future__ import annotations

import argparse
import base64
import faulthandler
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .targets import Target

STATE, FAULTS, STDERR = "state", "faults", "stderr"
"""Files in the worker's folder: the case at hand, what faulthandler says, what is printed."""
RENEWING = -1
"""The number of the case while everything is made anew."""

_MEMORY = 8 << 30
_PEAK = 200 << 20
_GROWTH = 64 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
"""AddressSanitizer reserves address space without end. That it keeps little of what is freed is for tools/sanitize.py."""


def told(**line: Any) -> None:
    """Tell the parent."""
    print(json.dumps(line), flush=True)


class Worker:
    """Runs cases."""

    def __init__(self, target: str, folder: Path) -> None:
        self._state = os.open(folder / STATE, os.O_RDWR | os.O_CREAT)
        self.note(RENEWING, None)
        self._faults = (folder / FAULTS).open("w", encoding="utf-8")
        faulthandler.enable(self._faults)
        faulthandler.register(signal.SIGUSR1, self._faults, all_threads=True)
        self._stderr = os.open(folder / STDERR, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(self._stderr, 2)
        self._printed = 0
        # What cryptography thinks of names and serial numbers is told once, and no harm.
        warnings.simplefilter("ignore")
        self.target = _target(target)(folder)
        self._first: int | None = None
        self._peak = _peak()

    def note(self, number: int, plan: Any) -> None:
        """Tell, to whoever buries us, what is being done."""
        text = json.dumps({"case": number, "since": time.monotonic(), "plan": plan}).encode()
        os.pwrite(self._state, len(text).to_bytes(8, "big") + text, 0)

    def renew(self) -> str | None:
        """Make everything anew; a finding if memory grows from one time to the next."""
        self.note(RENEWING, None)
        self.target.renew()
        gc.collect()
        now = _resident()
        if self._first is None:
            self._first = now
            return None
        if now - self._first <= _GROWTH:
            return None
        before, self._first = self._first, now
        return f"memory grows: {before >> 20} MiB were resident, now {now >> 20}"

    def run(self, plan: Any) -> tuple[str, str] | None:
        """Run a case. Returns what makes findings the same, and what was found."""
        found = None
        try:
            self.target.run(plan)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            found = signature(error), "".join(traceback.format_exception(error))
        size = os.fstat(self._stderr).st_size
        if size > self._printed:
            text = os.pread(self._stderr, min(size - self._printed, 4_000), self._printed).decode(
                "utf-8", "replace"
            )
            self._printed = size
            found = found or (f"stderr: {text[:60]}", f"printed to stderr:\n{text}")
        peak = _peak()
        if peak - self._peak > _PEAK and not found:
            found = "memory", f"one case takes {(peak - self._peak) >> 20} MiB"
        self._peak = peak
        return found


def _target(name: str) -> type[Target]:
    """A target by its name, or by ``module:class``."""
    from .targets import TARGETS

    if ":" not in name:
        return TARGETS[name]
    module, _, kind = name.partition(":")
    found: type[Target] = getattr(importlib.import_module(module), kind)
    return found


def signature(error: BaseException) -> str:
    """What findings have in common that have one cause: the exception, and where in the package."""
    places = traceback.extract_tb(error.__traceback__)
    ours = [place for place in places if "/osslcmp/" in place.filename] or list(places)
    text = "" if type(error).__name__ != "FindingError" else str(error).splitlines()[0][:60]
    if text.startswith("logged exception"):
        text = str(error).splitlines()[-1][:60]
    return f"{type(error).__name__} {text} {Path(ours[-1].filename).name}:{ours[-1].name}"


def _peak() -> int:
    """The most octets that were ever resident; ``ru_maxrss`` counts those of the process that started this one, too."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return 0


def _many(worker: Worker, options: argparse.Namespace) -> None:
    seen: set[str] = set()
    number = options.start
    until = time.monotonic() + options.seconds
    while number < options.start + options.count and time.monotonic() < until:
        rng = Random(f"{options.seed}/{options.target}/{number}")
        if number > options.start and (number - options.start) % worker.target.renew_after == 0:
            trouble = worker.renew()
            if trouble:
                told(case=number, signature="memory grows", what=trouble, plan=None, sent="")
        plan = json.loads(json.dumps(worker.target.plan(rng)))
        worker.target.sent = b""
        worker.note(number, plan)
        found = worker.run(plan)
        number += 1
        if found is not None and found[0] not in seen:
            seen.add(found[0])
            sent = base64.b64encode(worker.target.sent).decode()
            told(case=number - 1, signature=found[0], what=found[1], plan=plan, sent=sent)
    told(end=number)


def _given(worker: Worker) -> None:
    """Plans come on standard input, outcomes go out."""
    for count, line in enumerate(sys.stdin):
        plan = json.loads(line)
        worker.note(count, plan)
        found = worker.run(plan)
        signature_, what = found or ("", "")
        told(signature=signature_, what=what, sent=base64.b64encode(worker.target.sent).decode())


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    if not _SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = Worker(options.target, options.folder)
    if options.count:
        worker.renew()
        _many(worker, options)
    else:
        _given(worker)
    worker.note(RENEWING, None)
    worker.target.close()


if __name__ == "__main__":
    main()
