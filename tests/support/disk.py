"""Disks that become full under a running server."""

from __future__ import annotations

import errno
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

__all__ = ["full_disk", "tmpfs"]


@contextmanager
def tmpfs(size: int) -> Iterator[Path]:
    """A file system of its own with so many bytes; skips where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="osslcmp-disk-") as name:
        options = ["-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", name]
        try:
            done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no small disk can be made: {error}")
        if done.returncode != 0:
            pytest.skip(f"no small disk can be made: {done.stderr.strip()}")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filling:
        for size in (4096, 1):
            with suppress(OSError):
                while True:
                    filling.write(bytes(size))


@contextmanager
def full_disk(kind: str, directory: Path, pid: int) -> Iterator[None]:
    """Let the process write nothing more below ``directory``, until the block ends.

    Args:
        kind: ``disk``: there is no space left, in a file system of its own; ``limit``: no file may be larger than it is.
        directory: where the process writes.
        pid: of the process.
    """
    if kind == "disk":
        filler = directory / "filler"
        _fill(filler)
        with pytest.raises(OSError, match="No space left") as caught:
            (directory / "more").write_bytes(bytes(4096))
        assert caught.value.errno == errno.ENOSPC
        try:
            yield
        finally:
            filler.unlink()
            (directory / "more").unlink()
    else:
        largest = max(file.stat().st_size for file in directory.rglob("*.db-wal"))
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
