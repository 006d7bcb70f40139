"""A PostgreSQL server of its own for a test session, where the binaries are installed."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


@contextmanager
def server() -> Iterator[str]:
    """Run a server that listens on a Unix socket only; its URL, without the database."""
    # PostgreSQL refuses to run as root.
    who: dict[str, Any] = {"user": _USER, "group": _USER, "extra_groups": []} if os.geteuid() == 0 else {}
    base = Path(tempfile.mkdtemp(prefix="osslcmp-pg-"))
    try:
        if who:
            shutil.chown(base, _USER, _USER)
        data = str(base / "data")

        def run(program: str, *arguments: str) -> None:
            found = _find(program)
            assert found is not None
            command = [str(found), "-D", data, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=base, **who)

        run("initdb", "--no-sync", "-A", "trust", "-U", _USER)
        run("pg_ctl", "-w", "-l", str(base / "log"), "-o", f"-F -k {base} -c listen_addresses=''", "start")
        try:
            yield f"postgresql://{_USER}@/DATABASE?host={base}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def create(url: str) -> str:
    """Make a database of its own at the server with this URL; the URL of the database."""
    import psycopg

    name = f"test{next(_NUMBERS)}"
    with psycopg.connect(url.replace("DATABASE", "postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type,unused-ignore]
    return url.replace("DATABASE", name)
