"""``./dev matrix``: the whole test suite with every Python and OpenSSL that can be had on this machine.

Each entry works in a copy of this tree, below ``$OSSLCMP_MATRIX`` (``~/.cache/osslcmp-matrix``), where its
``.venv``, its build and its Debian are kept for the next time. Deleting a folder there makes that entry start
afresh.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import matrix_roots
import matrix_wheels
from matrix_roots import CACHE, Failed, NotRun, Root
from matrix_tree import TREE, snapshot, synchronize

PROBE = """
import platform, sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(platform.python_implementation(), *sys.version_info[:2], int(free))
"""

#: How an entry runs the tests.
TEST = ("./dev", "test", "-n", "auto")
#: Where an entry's tests run in a root.
PLACE = "/root/osslcmp"


class Entry(NamedTuple):
    """One line of the matrix."""

    name: str
    what: str
    run: Callable[[IO[str]], str]
    """Returns what the run came to; raises :class:`Failed` or :class:`NotRun`."""


def outcome(log: Path) -> str:
    """What the tests whose output is in ``log`` came to, in one line.

    Raises:
        Failed: not all of them passed, or none ran.
    """
    text = log.read_text(encoding="utf-8", errors="replace")
    pythons = re.findall(r"^platform \S+ -- Python ([^,\s]+)", text, re.MULTILINE)
    loaded = re.findall(r"^osslcmp: loaded (OpenSSL \S+)", text, re.MULTILINE)
    ends = re.findall(r"^=* ?(\d+ \w+.*?) in [\d.]+s(?: \([\d:]+\))? ?=*$", text, re.MULTILINE)
    if not (pythons and loaded and ends):
        raise Failed("the tests did not get to their end")
    line = f"{loaded[-1]}, Python {pythons[-1]}: {ends[-1]}"
    if re.search(r"failed|error", ends[-1]) or "passed" not in ends[-1]:
        raise Failed(line)
    return line


def pythons() -> dict[str, str]:
    """Every CPython from 3.10 on: its name (``python3.12``) and its path, Debian's own first."""
    folders = ["/usr/bin", "/usr/local/bin", *os.environ.get("PATH", "").split(os.pathsep)]
    candidates = [
        Path(folder, f"python3.{minor}{t}")
        for minor in range(10, 20)
        for t in ("", "t")
        for folder in folders
    ]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates += sorted((pyenv / "versions").glob("*/bin/python3"))
    candidates += [Path(folder) / "python3" for folder in folders]
    found: dict[str, str] = {}
    for path in candidates:
        if not path.is_file():
            continue
        try:
            probe = subprocess.run(
                [str(path), "-I", "-c", PROBE], capture_output=True, text=True, check=False, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = probe.stdout.split()
        if probe.returncode or not words or words[0] != "CPython" or int(words[2]) < 10:
            continue
        found.setdefault(f"python{words[1]}.{words[2]}{'t' if words[3] == '1' else ''}", str(path))
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1].rstrip("t"))))


def on_this_machine(name: str, python: str, log: IO[str], **environment: str) -> str:
    """Run the tests here, in a tree of their own."""
    tree = synchronize(CACHE / "source", CACHE / "trees" / name)
    if name.endswith("t"):
        environment["PYTHON_GIL"] = "0"  # also where an extension module would have it back
    env = {**os.environ, "PYTHON": python, **environment}
    return checked(matrix_roots.execute(TEST, log, cwd=tree, env=env), log)


def checked(status: int, log: IO[str]) -> str:
    """The outcome, and that the exit status agrees with it."""
    line = outcome(Path(log.name))
    if status:
        raise Failed(f"{line}; exit status {status}")
    return line


def floors() -> list[str]:
    """The oldest release of each package that ``pyproject.toml`` allows at run time: ``cffi==2.0``, ..."""
    text = (TREE / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.search(r"^dependencies = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    extras = re.findall(r"^(?:server|cli) = \[(.*)\]", text, re.MULTILINE)
    found = re.findall(r'"([\w-]+)>=([\d.]+)"', "\n".join([needed[1] if needed else "", *extras]))
    return [f"{name}=={version}" for name, version in found]


def oldest(log: IO[str]) -> str:
    """The tests with the oldest packages that ``pyproject.toml`` allows, on the oldest Python."""
    constraints = CACHE / "oldest.txt"
    constraints.write_text("\n".join(floors()) + "\n", encoding="ascii")
    (python, *_) = pythons().values()
    tree = CACHE / "trees" / "oldest"
    line = on_this_machine("oldest", python, log, PIP_CONSTRAINT=str(constraints))
    freeze = subprocess.run(
        [str(tree / ".venv/bin/python"), "-m", "pip", "list", "--format=freeze"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for floor in floors():
        name, version = floor.split("==")
        if not re.search(rf"^{name}=={re.escape(version)}(\.0)*$", freeze, re.MULTILINE | re.IGNORECASE):
            raise Failed(f"{floor} was not what was installed")
    return f"{line} ({', '.join(floors())})"


def in_root(root: Root, log: IO[str]) -> str:
    """Run the tests in a root, in a tree that stays there."""
    synchronize(CACHE / "source", root.inside(PLACE))
    return checked(root.run(log, *TEST, cwd=PLACE), log)


def debian13(log: IO[str]) -> str:
    """The tests on Debian 13."""
    return in_root(matrix_roots.debian13(log), log)


def unstable(log: IO[str]) -> str:
    """The tests on Debian unstable with experimental's OpenSSL."""
    matrix_roots.check_can_make(log)
    source = matrix_roots.minimal("sid", log)
    source.write(
        "/etc/apt/sources.list.d/experimental.list", f"deb {matrix_roots.mirror()} experimental main\n"
    )
    packages = ["libssl-dev", "openssl"]
    finish = [["update"], ["-t", "experimental", "install", *packages], ["install", *matrix_roots.PEERS]]
    return in_root(matrix_roots.copy(source, "unstable-peers", finish, log), log)


def readme_commands() -> list[str]:
    """The commands with which the README lets a newcomer start."""
    text = (TREE / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (\./dev (?:demo|test).*)$", text, re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def fresh(suite: str, log: IO[str]) -> str:
    """What the README says, in a Debian with nothing but Python 3 and a shell, which is thrown away."""
    commands = readme_commands()
    if [command.split()[1] for command in commands] != ["demo", "test"]:
        raise Failed(f"the README was expected to name ./dev demo and ./dev test, and has {commands}")
    root = matrix_roots.throwaway(suite, log)
    try:
        synchronize(CACHE / "source", root.inside(PLACE))
        for command in commands:
            status = root.run(log, *shlex.split(command), cwd=PLACE)
            if status and command.split()[1] == "demo":
                raise Failed(f"{command} ended with exit status {status}")
        return f"{checked(status, log)}, after {commands[0]}"
    finally:
        root.remove()


def crossed(log: IO[str]) -> str:
    """This machine's build with Debian 13's OpenSSL; and the other way round, which has to be refused."""
    root = matrix_roots.debian13(log)
    synchronize(CACHE / "source", root.inside(PLACE))
    if root.run(log, "./dev", "setup", cwd=PLACE):
        raise Failed("./dev setup failed in Debian 13")
    (name, python), *_ = pythons().items()
    here = synchronize(CACHE / "source", CACHE / "trees" / name)
    if matrix_roots.execute(["./dev", "setup"], log, cwd=here, env={**os.environ, "PYTHON": python}):
        raise Failed("./dev setup failed on this machine")
    status = matrix_wheels.crossed(here, root, PLACE, log)
    return f"{checked(status, log)}; the other way round is refused"


def wheel(build: Callable[[IO[str]], tuple[matrix_wheels.Place, Path]], log: IO[str]) -> str:
    """Build one; see that it serves where it is meant for; run the tests with it."""
    place, built = build(log)
    orders = matrix_wheels.check_wheel(place, built, log)
    status = matrix_wheels.run_tests(place, log)
    return f"{checked(status, log)}; {orders}"


def entries() -> Iterator[Entry]:
    """All that can be asked for, in the order in which it runs."""
    for name, path in pythons().items():
        yield Entry(name, f"this machine with {path}", partial(on_this_machine, name, path))
    yield Entry("debian13", "Debian 13: OpenSSL 3.5, Python 3.13", debian13)
    yield Entry("unstable", "Debian unstable with OpenSSL 4.0 from experimental", unstable)
    yield Entry("fresh13", "the README's commands in a minimal Debian 13", partial(fresh, "trixie"))
    yield Entry("crossed", "built with this machine's OpenSSL, run with Debian 13's", crossed)
    yield Entry(
        "wheel", "a wheel with this machine's OpenSSL inside", partial(wheel, matrix_wheels.build_here)
    )
    yield Entry(
        "wheel13", "a wheel with Debian 13's OpenSSL inside", partial(wheel, matrix_wheels.build_in_debian13)
    )
    yield Entry("oldest", f"this machine with {', '.join(floors())}", oldest)
    yield Entry("fresh12", "the README's commands in a minimal Debian 12", partial(fresh, "bookworm"))


def chosen(names: list[str]) -> list[Entry]:
    """The entries of these names, all if there are none; ``python`` is every ``python3.N``."""
    known = list(entries())
    for name in names:
        if name != "python" and name not in [entry.name for entry in known]:
            sys.exit(f"matrix: no entry '{name}'; there are: python {' '.join(e.name for e in known)}")
    python = "python" in names
    return [
        entry
        for entry in known
        if not names or entry.name in names or (python and entry.name.startswith("python"))
    ]


def run_entry(entry: Entry) -> tuple[str, str]:
    """Run one; returns ``passed``, ``failed`` or ``not run``, and its line."""
    path = CACHE / "logs" / f"{entry.name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        try:
            return "passed", entry.run(log)
        except NotRun as reason:
            return "not run", f"DID NOT RUN: {reason} (see {path})"
        except Failed as reason:
            log.flush()
            tail = path.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
            print(*(f"    {line}" for line in tail), sep="\n", flush=True)
            return "failed", f"FAILED: {reason} (see {path})"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="./dev matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="which entries; all by default")
    parser.add_argument("--list", action="store_true", help="say which entries there are")
    parser.add_argument("--must", nargs="+", default=[], help="entries that fail if they did not run")
    parser.add_argument("--minutes", type=float, help="start no more entries when so much time has gone by")
    arguments = parser.parse_args()
    wanted = chosen(arguments.names)
    if arguments.list:
        for entry in wanted:
            print(f"{entry.name:12}{entry.what}")
        return 0
    # A shell that starts this in the background lets it, and all below it, ignore what the tests of interrupts send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        snapshot(CACHE / "source")
        results = []
        begin = time.monotonic()
        for entry in wanted:
            print(f"== {entry.name}: {entry.what}", flush=True)
            start = time.monotonic()
            if arguments.minutes is not None and start - begin > arguments.minutes * 60:
                state, line = "not run", "DID NOT RUN: out of time"
            else:
                state, line = run_entry(entry)
            results.append((entry, state, line))
            print(f"   {line} [{time.monotonic() - start:.0f} s]", flush=True)
    print("\nThe matrix:")
    for entry, _, line in results:
        print(f"  {entry.name:12}{line}")
    must = [entry.name for entry in chosen(arguments.must)] if arguments.must else []
    bad = [
        entry.name
        for entry, state, _ in results
        if state == "failed" or (state == "not run" and entry.name in must)
    ]
    return 1 if bad or not any(state == "passed" for _, state, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
