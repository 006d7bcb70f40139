"""``./dev memcheck``: valgrind over ``memcheck_workload.py``; errors and leaks in what is ours, or none.

Counted are: any access to memory that is not there, wherever it happens; decisions that depend on memory never
written, if they are taken in the extension, libcrypto or libssl; and blocks that nobody can free any more, if the
extension took part in their allocation. What interpreters keep to their end is theirs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

WORKLOAD = Path(__file__).resolve().parent / "memcheck_workload.py"
OURS = re.compile(r"/_native\.[^/]*\.so")
OPENSSL = re.compile(r"/lib(?:crypto|ssl)\.so")

#: Of all frames of a stack, so that the extension is seen below a deep interpreter.
DEPTH = 200


class Finding(NamedTuple):
    """One error, as valgrind tells it."""

    kind: str
    what: str
    frames: list[tuple[str, str]]
    """Function and file of the machine code, innermost first."""

    def counts(self) -> bool:
        """Whether it is ours to mend."""
        ours = any(OURS.search(file) for _, file in self.frames)
        if self.kind.startswith("Leak_"):
            # What importing the extension allocates stays, as with any extension.
            importing = any(function.startswith("PyInit_") for function, _ in self.frames)
            return ours and not importing and self.kind in {"Leak_DefinitelyLost", "Leak_IndirectlyLost"}
        if self.kind.startswith("Uninit") or self.kind == "SyscallParam":
            # Python's allocators and hash tables of random keys trip valgrind in the interpreter itself.
            return any(OURS.search(file) or OPENSSL.search(file) for _, file in self._innermost())
        return True

    def _innermost(self) -> list[tuple[str, str]]:
        """The first frame that is not of valgrind's own replacements of ``memcpy`` and its like."""
        return [frame for frame in self.frames if "vgpreload" not in frame[1]][:1]

    def __str__(self) -> str:
        shown = [f"    {function or '?'} ({Path(file).name})" for function, file in self.frames[:24]]
        return "\n".join([f"{self.kind}: {self.what}", *shown])


def findings(report: Path) -> Iterator[Finding]:
    """What stands in valgrind's report."""
    for error in ET.parse(report).getroot().iter("error"):
        frames = [
            (frame.findtext("fn", ""), frame.findtext("obj", "")) for frame in error.findall("stack[1]/frame")
        ]
        what = error.findtext("what") or error.findtext("xwhat/text") or ""
        yield Finding(error.findtext("kind", "?"), what, frames)


def run(report: Path, python: str, arguments: list[str]) -> int:
    """The workload under valgrind; its exit status."""
    command = [
        "valgrind", "--xml=yes", f"--xml-file={report}", "--child-silent-after-fork=yes", "--error-limit=no",
        "--leak-check=full", "--show-leak-kinds=definite", f"--num-callers={DEPTH}", python, *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="./dev memcheck", description=__doc__)
    parser.add_argument("arguments", nargs="*", help="what Python runs instead of the workload")
    arguments = parser.parse_args().arguments or [str(WORKLOAD)]
    if not shutil.which("valgrind"):
        print("memcheck: valgrind is not installed (Debian: apt-get install valgrind)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        status = run(report, sys.executable, arguments)
        if status:
            print(f"memcheck: the workload itself ended with status {status}", file=sys.stderr)
            return 1
        found = list(findings(report))
    bad = [finding for finding in found if finding.counts()]
    print(*bad, sep="\n\n")
    others = Counter(finding.kind for finding in found if not finding.counts())
    print(f"\nin the interpreter and its other modules, not counted: {dict(others) or 'nothing'}")
    print(f"memcheck: {len(bad)} errors and leaks")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
