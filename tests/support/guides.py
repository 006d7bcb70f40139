"""The blocks of a guide as one shell script: sh and Python as they stand, other files under the names above them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .openssl import clean_environment
from .serving import free_port

_BLOCK = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """A block of code: ``file`` is its name if one stands above it."""

    file: str | None
    language: str
    code: str


def blocks(page: Path) -> list[Block]:
    """Those of a page, in their order."""
    return [
        Block(name or None, language, code)
        for name, language, code in _BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


def run(page: Path, folder: Path, *, time_limit: float = 240) -> str:
    """Run all of it in a folder, until something fails. Port 8080 becomes a free one.

    Returns what it printed.
    """
    lines = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT"]
    for number, block in enumerate(blocks(page)):
        code = block.code
        if block.file is not None or block.language == "python":
            name = block.file or f"block{number}.py"
            delimiter = f"END_OF_BLOCK_{number}"
            lines.append(f"cat > {name} <<'{delimiter}'\n{code}{delimiter}")
        if block.language == "python" and block.file is None:
            lines.append(f"python block{number}.py")
        elif block.language == "sh" and block.file is None:
            lines.append(code)
    script = re.sub(r"\b8080\b", str(free_port()), "\n".join(lines))
    environment = clean_environment()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=time_limit,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
