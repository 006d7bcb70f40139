"""A PostgreSQL server of its own for a test session, where the binaries are installed."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .processes import children, state, until

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_USER = "postgres"
_NUMBERS = itertools.count()


def _find(program: str) -> Path | None:
    on_path = shutil.which(program)
    places = [Path(on_path)] if on_path else []
    for folder in _FOLDERS:
        places += sorted(Path("/").glob(f"{folder[1:]}/{program}"), reverse=True)
    return places[0] if places else None


def missing() -> str | None:
    """Why there can be no PostgreSQL here; None if there can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    if _find("initdb") is None or _find("pg_ctl") is None:
        return "no PostgreSQL server is installed (initdb, pg_ctl)"
    return None


class Cluster:
    """A server of its own that listens on a Unix socket only, while the ``with`` block lasts."""

    def __enter__(self) -> Cluster:  # noqa: PYI034
        # PostgreSQL refuses to run as root.
        self._who: dict[str, Any] = (
            {"user": _USER, "group": _USER, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._base = Path(tempfile.mkdtemp(prefix="osslcmp-pg-"))
        self._data = self._base / "data"
        try:
            if self._who:
                shutil.chown(self._base, _USER, _USER)
            self._run("initdb", "--no-sync", "-A", "trust", "-U", _USER)
            self.start()
        except BaseException:
            shutil.rmtree(self._base, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove it."""
        try:
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self._base, ignore_errors=True)

    @property
    def url(self) -> str:
        """For SQLAlchemy, with ``DATABASE`` for the name of the database."""
        return f"postgresql://{_USER}@/DATABASE?host={self._base}"

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        found = _find(program)
        assert found is not None
        command = [str(found), "-D", str(self._data), *arguments]
        quiet = subprocess.DEVNULL
        errors = None if check else quiet
        done = subprocess.run(
            command, check=check, stdout=quiet, stderr=errors, cwd=self._base, timeout=120, **self._who
        )
        return done.returncode == 0

    def start(self) -> None:
        """Start it, again after ``kill``."""
        # -F: what the kernel has is safe enough, since that goes on.
        options = f"-F -k {self._base} -c listen_addresses=''"
        arguments = ("-w", "-l", str(self._base / "log"), "-o", options, "start")
        end = time.monotonic() + 60
        # The processes of a killed one end by and by.
        while not self._run("pg_ctl", *arguments, check=time.monotonic() > end):
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill all its processes, such that it cannot tidy up."""
        number = int((self._data / "postmaster.pid").read_text().split()[0])
        all_of_them = [number, *children(number)]
        for process in all_of_them:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: {state(process) for process in all_of_them} <= {"", "Z"})


def create(url: str) -> str:
    """Make a database of its own at the server with this URL; the URL of the database."""
    import psycopg

    name = f"test{next(_NUMBERS)}"
    with psycopg.connect(url.replace("DATABASE", "postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type,unused-ignore]
    return url.replace("DATABASE", name)
