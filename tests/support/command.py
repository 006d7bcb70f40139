"""``osslcmp`` as a process that must never end in a traceback."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import openssl

OSSLCMP = [sys.executable, "-m", "osslcmp"]


def environment(**more: str) -> dict[str, str]:
    """That of this process without what changes the output or OpenSSL's behaviour."""
    found = openssl.clean_environment()
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "OSSLCMP_TRACEBACK", "PYTHONIOENCODING"):
        found.pop(name, None)
    return {**found, **more}


def osslcmp(
    *words: str | Path, cwd: Path | None = None, status: int = 0, data: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it with ``data`` as standard input; ``status`` is what it must end with."""
    done = subprocess.run(
        [*OSSLCMP, *(os.fspath(word) for word in words)],
        cwd=cwd,
        env=environment(**variables),
        input=data,
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in told.stderr
    assert told.returncode == status, told.stdout + told.stderr
    return told


def on_a_terminal(command: Sequence[str], *, cwd: Path, stdout: int | None = None, **variables: str) -> str:
    """What it prints on a terminal; only what goes to stderr, if there is another ``stdout``."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(**{"TERM": "xterm", **variables}),
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        told = b""
        try:
            while data := os.read(ours, 65536):
                told += data
        except OSError:  # Linux: the other end is closed
            pass
        finally:
            os.close(ours)
    assert process.returncode == 0, told
    assert b"Traceback" not in told
    return told.decode()
