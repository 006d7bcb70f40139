"""``./dev``: what it says, what it refuses, and when it builds. Compiler and pip are stand-ins here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What is installed beside the project; free-threaded, there is no binary package of psycopg.
EXTRAS = "test,lint" if sysconfig.get_config_var("Py_GIL_DISABLED") else "dev"
SCRIPTS = ["dev", "tools/setup.sh", "tools/needs.sh"]
# What the scripts may count on in any Debian, and nothing that compiles or installs.
SHELL_TOOLS = [
    "awk", "cat", "cksum", "env", "find", "grep", "id", "ls",
    "mkdir", "mv", "readlink", "rm", "sed", "sh", "sort", "tail",
]  # fmt: skip

FAKE_PIP = """\
import pathlib, sys
with open("pip.log", "a") as log:
    print(*sys.argv[1:], file=log)
pathlib.Path("src/osslcmp/_native.abi3.so").touch()
"""


class Project:
    """A copy of the scripts beside stand-ins for what they build from; its path has a space in it."""

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "a folder"
        self.bin = parent / "bin"
        for name in SCRIPTS:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for name in ["pyproject.toml", "setup.py", "build_cffi.py", "vendor-headers/openssl-3.0/cmp.h"]:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("one")
        (self.folder / "src" / "osslcmp").mkdir(parents=True)
        self.bin.mkdir()
        for name in SHELL_TOOLS:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.tool("python3", f'exec "{sys.executable}" "$@"')

    def tool(self, name: str, script: str) -> None:
        """Put a command on the PATH that ``dev`` sees."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def dev(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "dev"), *arguments],
            env={"PATH": str(self.bin), **environment},
            cwd=self.bin,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> set[Path]:
        return set(self.folder.rglob("*"))


class ReadyProject(Project):
    """One with all that the set-up asks for, and a ``.venv`` whose pip only writes down what it was asked."""

    def __init__(self, parent: Path) -> None:
        super().__init__(parent)
        header = parent / "openssl" / "include" / "openssl" / "opensslv.h"
        header.parent.mkdir(parents=True)
        header.write_text("# define OPENSSL_VERSION_MAJOR  3\n")
        self.tool("cc", "exit 0")
        self.tool("openssl", "echo OpenSSL 3.0.2 1 Jan 2022")
        self.environment = {"CC": "cc", "OPENSSL_DIR": str(parent / "openssl")}
        self.make_venv()

    def make_venv(self) -> None:
        folder = self.folder / ".venv"
        venv.create(folder, symlinks=True, with_pip=False)
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "pip").mkdir()
        (packages / "pip" / "__init__.py").touch()
        (packages / "pip" / "__main__.py").write_text(FAKE_PIP)

    def asked_of_pip(self) -> list[str]:
        """What one ``./dev setup`` asks of pip."""
        log = self.folder / "pip.log"
        log.write_text("")
        run = self.dev("setup", **self.environment)
        assert run.returncode == 0, run.stderr
        return log.read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def ready(tmp_path: Path) -> ReadyProject:
    return ReadyProject(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_posix_shell_that_parses(script: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / script)], check=True)


def test_help_names_every_command(project: Project) -> None:
    text = (ROOT / "dev").read_text(encoding="utf-8")
    cases = text[text.index("case $command in") :]
    commands = re.findall(r"^    ([a-z]+)(?: \|[^)]*)?\)", cases, re.MULTILINE)
    run = project.dev("help")
    assert run.returncode == 0
    assert re.findall(r"^  ([a-z]+)  ", run.stdout, re.MULTILINE) == commands
    assert project.dev().stdout == run.stdout


def test_unknown_command(project: Project) -> None:
    run = project.dev("fly")
    assert run.returncode == 2
    assert "no command 'fly'" in run.stderr


def test_through_symlinks(project: Project) -> None:
    (project.bin / "first").symlink_to(Path("..", "a folder", "dev"))
    (project.bin / "second").symlink_to("first")
    run = subprocess.run(["second", "help"], env={"PATH": str(project.bin)}, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr


def test_what_is_missing_is_listed_and_nothing_touched(project: Project) -> None:
    before = project.files()
    run = project.dev("setup")
    assert run.returncode == 1
    assert run.stdout == ""
    assert "  - a C compiler\n" in run.stderr
    assert "  - the command openssl, 3.0 or later\n" in run.stderr
    assert re.search(
        r"^  Debian, Ubuntu +sudo apt-get install .*\bgcc libc6-dev\b.* openssl$", run.stderr, re.MULTILINE
    )
    assert re.search(r"^  macOS +xcode-select --install; brew install .*openssl@3", run.stderr, re.MULTILINE)
    assert project.files() == before


def test_no_python(project: Project) -> None:
    project.tool("python3", "exit 1")
    run = project.dev("setup")
    assert run.returncode == 1
    assert "  - Python 3.10 or later\n" in run.stderr
    assert "apt-get install python3 python3-venv " in run.stderr


def test_old_openssl_command(project: Project) -> None:
    project.tool("openssl", "echo OpenSSL 1.1.1w  11 Sep 2023")
    assert "  - the command openssl, 3.0 or later\n" in project.dev("setup").stderr


@pytest.mark.parametrize(
    ("variable", "value"), [("PYTHON", "python2"), ("CC", "no-such-cc"), ("OPENSSL_DIR", "/no/such/folder")]
)
def test_wrong_variable_is_named(project: Project, variable: str, value: str) -> None:
    project.tool("cc", "exit 0")
    run = project.dev("setup", **{"CC": "cc", variable: value})
    assert run.returncode == 1
    assert run.stderr.startswith(f"dev: {variable}={value} ")
    assert run.stderr.count("\n") == 1


def test_builds_only_what_changed(ready: ReadyProject) -> None:
    (install,) = ready.asked_of_pip()
    assert f"-e .[{EXTRAS}]" in install
    assert ready.asked_of_pip() == []

    (ready.folder / "vendor-headers" / "openssl-3.0" / "cmp.h").write_text("two")
    (rebuild,) = ready.asked_of_pip()
    assert "--no-deps" in rebuild
    assert ready.asked_of_pip() == []

    (ready.folder / "src" / "osslcmp" / "_native.abi3.so").unlink()
    assert ready.asked_of_pip() == [rebuild]

    (ready.folder / "pyproject.toml").write_text("two")
    assert ready.asked_of_pip() == [install]
    assert ready.asked_of_pip() == []

    header = next((ready.folder.parent / "openssl").rglob("opensslv.h"))
    header.write_text(header.read_text() + "# define OPENSSL_VERSION_MINOR  5\n")
    assert ready.asked_of_pip() == [rebuild]


def test_failed_build_is_shown_and_tried_again(ready: ReadyProject) -> None:
    pip = next(ready.folder.glob(".venv/lib/python*/site-packages/pip/__main__.py"))
    pip.write_text("raise SystemExit('no luck')")
    run = ready.dev("setup", **ready.environment)
    assert run.returncode == 1
    assert "no luck\n" in run.stderr
    assert "build/setup.log" in run.stderr
    pip.write_text(FAKE_PIP)
    (install,) = ready.asked_of_pip()
    assert f"-e .[{EXTRAS}]" in install


@pytest.mark.parametrize("trouble", ["cut short", "another folder", "does not run", "no pip"])
def test_broken_venv_is_made_anew(ready: ReadyProject, trouble: str) -> None:
    stamp = ready.folder / ".venv" / "setup-stamp"
    ready.asked_of_pip()
    lines = stamp.read_text().splitlines()
    if trouble == "cut short":
        stamp.write_text("\n".join([*lines[:2], "making", "-", ""]))
    elif trouble == "another folder":
        stamp.write_text("\n".join([os.devnull, *lines[1:], ""]))
    elif trouble == "does not run":
        (ready.folder / ".venv" / "bin" / "python").unlink()
    else:
        stamp.unlink()
        shutil.rmtree(next(ready.folder.glob(".venv/lib/python*/site-packages/pip")))
    # A python3 that cannot make a .venv is enough to see that it was asked to.
    ready.tool("python3", f'case "$*" in *"-m venv"*) exit 1 ;; esac; exec "{sys.executable}" "$@"')
    run = ready.dev("setup", **ready.environment)
    assert run.returncode == 1
    assert re.search(rf"making \.venv anew: .*{trouble}", run.stderr), run.stderr


def test_clean_leaves_only_the_sources(ready: ReadyProject) -> None:
    before = Project.files(ready) - set((ready.folder / ".venv").rglob("*")) - {ready.folder / ".venv"}
    ready.asked_of_pip()
    (ready.folder / "pip.log").unlink()
    (ready.folder / "src" / "__pycache__").mkdir()
    assert ready.dev("clean").returncode == 0
    assert ready.files() == before
