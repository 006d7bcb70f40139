"""Copies of this tree: one snapshot for a run of the matrix, and from it a tree for each entry."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent

#: What a build, a test or an editor leaves; it is neither copied nor, in a copy, taken away.
LEFT_ALONE = {
    ".git", ".venv", "build", "dist", "demo-output", "__pycache__",
    ".pytest_cache", ".mypy_cache", ".ruff_cache",
}  # fmt: skip


def sources() -> list[Path]:
    """The files of the project, relative to it: those that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TREE, capture_output=True, check=False,
    ) if shutil.which("git") and (TREE / ".git").exists() else None  # fmt: skip
    if listed and listed.returncode == 0:
        names = [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]
        return [name for name in names if (TREE / name).is_file()]
    return files(TREE)


def files(folder: Path) -> list[Path]:
    """The files below a folder, relative to it, without what builds and tests leave."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_ALONE and not name.endswith(".egg-info")]
        found += [
            Path(place, name).relative_to(folder) for name in names if not name.endswith((".so", ".pyc"))
        ]
    return found


def snapshot(target: Path) -> None:
    """This tree as it is now, at ``target``."""
    _copy(TREE, sources(), target)


def synchronize(source: Path, target: Path) -> Path:
    """Make ``target`` what ``source`` is; unchanged files keep their time, ``.venv`` and builds stay."""
    _copy(source, files(source), target)
    return target


def _copy(source: Path, names: list[Path], target: Path) -> None:
    for stale in set(files(target)) - set(names):
        (target / stale).unlink()
    for name in names:
        if not (target / name).is_file() or not filecmp.cmp(source / name, target / name, shallow=False):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
