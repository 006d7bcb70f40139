"""``openssl cmp`` as a client of a server under test."""

from __future__ import annotations

from pathlib import Path

from . import openssl
from .openssl import Run, Value


def cmp(cmd: str, url: str, *, cwd: Path | None = None, **options: Value) -> Run:
    """Run ``openssl cmp -cmd CMD -server URL`` with keyword options (without the dash).

    Bytes are secrets, ``True`` is a flag, a list is joined with commas. Files that it writes are named by the
    options themselves (``certout=``, ``chainout=``, ``cacertsout=`` ...).
    """
    given = openssl.arguments(options)
    return openssl.run(["cmp", "-config", "", "-batch", "-cmd", cmd, "-server", url, *given], cwd=cwd)
