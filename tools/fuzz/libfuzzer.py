"""``./dev fuzz --c``: libFuzzer on the C of vendor-headers/glue that reads what a peer sends; needs clang."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .runner import TOOLS
from .sessions import World
from .targets.client import HEADERS, STATUS_LINES

ROOT = TOOLS.parent
HARNESSES = {"answer-head": 1, "answer": 2, "precheck": 3, "verify": 4}
_MAX_LENGTH = {"answer-head": 40_000, "answer": 40_000, "precheck": 8_192, "verify": 8_192}


def available() -> list[str]:
    """The harnesses whose C there is."""
    has_precheck = (ROOT / "vendor-headers" / "glue" / "precheck.c").is_file()
    return [name for name in HARNESSES if has_precheck or name.startswith("answer")]


def build(name: str, folder: Path) -> Path:
    """Compile a harness."""
    sys.path.insert(0, str(ROOT))
    import build_cffi

    found = build_cffi.find_openssl()
    source = folder / f"harness-{name}.c"
    harness = Path(__file__).with_name("harness.c").read_text(encoding="utf-8")
    text = f"#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n{build_cffi.c_source(found.version)}\n{harness}"
    source.write_text(text, encoding="utf-8")
    program = folder / name
    command = [
        "clang", "-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=undefined", "-w",
        f"-DHARNESS={HARNESSES[name]}", *(f"-I{path}" for path in (*found.include_dirs, build_cffi.GLUE)), str(source),
        *(f"-{option}{path}" for path in found.library_dirs for option in ("L", "Wl,-rpath,")),
        "-lssl", "-lcrypto", "-lpthread", "-o", str(program),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return program


def seeds(name: str, folder: Path) -> None:
    """What the fuzzer starts with: messages of sessions, and answers over HTTP."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World()
    messages = [x.answer for session in world.sessions.values() for x in session.exchanges]
    messages += [x.request for session in world.sessions.values() for x in session.exchanges]
    if name.startswith("answer"):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nContent-Length: %d\r\n\r\n"
        messages = [b"\xff" + head % len(message) + message for message in messages[:30]]
        lines = [line.encode("latin-1", "replace")[:2_000] for line in (*STATUS_LINES, *HEADERS)]
        messages += [b"\x09" + b"\r\n".join((lines[0], line, b"", b"")) for line in lines]
    for number, message in enumerate(messages):
        (folder / f"seed-{number}").write_bytes(message)


def fuzz(name: str, folder: Path, executions: int, seconds: float, seed: int) -> tuple[int, bool]:
    """Run a harness. Returns how many executions it made, and whether it found nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    program = build(name, folder)
    corpus = folder / f"{name}-corpus"
    seeds(name, corpus)
    command = [
        str(program), f"-runs={executions}", f"-max_total_time={max(1, int(seconds))}", f"-max_len={_MAX_LENGTH[name]}",
        f"-seed={seed % (1 << 32) or 1}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0",
        f"-artifact_prefix={folder}/{name}-", str(corpus),
    ]  # fmt: skip
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    done = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
    if run.returncode:
        print(run.stderr[-8_000:])
    return int(done[1]) if done else 0, run.returncode == 0


def main(folder: Path, executions: int | None, minutes: float, seed: int, names: list[str] | None) -> int:
    """The command: exit status 1 if something was found."""
    if not shutil.which("clang"):
        print(
            "fuzz: clang is not installed (Debian: apt-get install clang libclang-rt-14-dev)", file=sys.stderr
        )
        return 2
    chosen = names or available()
    good = True
    for name in chosen:
        begun = time.monotonic()
        count, fine = fuzz(name, folder / "c", executions or -1, minutes * 60 / len(chosen), seed)
        good &= fine
        print(
            f"fuzz: {name}: {count} executions, {time.monotonic() - begun:.0f} s, {'nothing found' if fine else 'FOUND'}"
        )
    return 0 if good else 1
