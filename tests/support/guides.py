"""The code blocks of the documentation, and the shell in which they run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import openssl
from .command import OSSLCMP, environment
from .raw_server import free_port
from .serving import Served

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Pages that run as a whole, from top to bottom, in a folder of their own.
GUIDES = [DOCS / "tutorial.md", DOCS / "renewal.md", *sorted((DOCS / "guides").glob("*.md"))]
_BLOCK = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """A block of code: ``file`` is its name if one stands above it."""

    file: str | None
    language: str
    code: str


def blocks(text: str, *languages: str) -> list[Block]:
    """Those of a text in these languages, or in any, in their order."""
    return [
        Block(name or None, language, code)
        for name, language, code in _BLOCK.findall(text)
        if not languages or language in languages
    ]


class Shell:
    """bash in a folder, with the ``osslcmp``, ``python`` and ``openssl`` of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        commands = folder / ".bin"
        commands.mkdir()
        program, *more = openssl.command()
        for name, command in (
            ("osslcmp", OSSLCMP),
            ("python", [sys.executable]),
            ("openssl", [shutil.which(program) or program, *more]),
        ):
            (commands / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            (commands / name).chmod(0o755)
        self.environment = environment(HOME=str(folder), SECRET="secret")
        self.environment["PATH"] = f"{commands}:{self.environment['PATH']}"

    def run(self, script: str, *, time_limit: float = 120) -> str:
        """Run it to its good end. Returns what it printed on stdout."""
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=time_limit,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, command: str) -> Iterator[None]:
        """``osslcmp serve ...``, ready, for as long as the block lasts."""
        _, _, *words = shlex.split(command.replace("\\\n", " "), comments=True)
        served = Served(*words, cwd=self.folder)
        try:
            yield
        finally:
            assert served.end() == 0


def run(page: Path, folder: Path) -> str:
    """Run all blocks of a guide in a folder, until something fails. The ports 8080 and 8081 become free ones.

    sh and Python run as they stand, other files are written under the names above them. Returns what it printed.
    """
    lines = ["trap 'kill $(jobs -p) 2>/dev/null || :' EXIT"]
    for number, block in enumerate(blocks(page.read_text(encoding="utf-8"))):
        code = block.code
        if block.file is not None or block.language == "python":
            name = block.file or f"block{number}.py"
            delimiter = f"END_OF_BLOCK_{number}"
            lines.append(f"cat > {name} <<'{delimiter}'\n{code}{delimiter}")
        if block.language == "python" and block.file is None:
            lines.append(f"python block{number}.py")
        elif block.language == "sh" and block.file is None:
            lines.append(code)
    ports = {port: str(free_port()) for port in ("8080", "8081")}
    script = re.sub(r"\b808[01]\b", lambda found: ports[found[0]], "\n".join(lines))
    return Shell(folder).run(script, time_limit=240)
