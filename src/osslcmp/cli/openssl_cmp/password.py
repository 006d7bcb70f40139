"""Password sources as OpenSSL's commands take them: pass: env: file: fd: stdin, or the password itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..._openssl.inputs import first_line
from .console import Console

#: Octets of a line, as in OpenSSL (``APP_PASS_LEN`` without the NUL).
_LINE_LIMIT = 1023


def password(source: str | None, what: str, console: Console) -> str | None:
    """The password of ``source``; what is no source stands for itself. ``None`` for ``None``."""
    if source is None:
        return None
    try:
        return _read(source)
    except (OSError, ValueError) as error:
        console.plain(f"{error}\nError getting password for {what}")
        console.plain("Trying plain input string (better precede with 'pass:')")
        return source


def secret(source: str | None, what: str, console: Console) -> bytes:
    """The shared secret of ``source``: of a file, its first line without the CR of a CR LF, which OpenSSL leaves there."""
    value = (password(source, what, console) or "").encode("utf-8", "surrogateescape")
    is_line = source == "stdin" or (source or "").startswith(("file:", "fd:"))
    return first_line(value) if is_line else value


def _read(source: str) -> str:
    kind, colon, rest = source.partition(":")
    if source == "stdin":
        return _line(sys.stdin.readline(_LINE_LIMIT))
    if kind == "pass" and colon:
        return rest
    if kind == "env" and colon:
        if (value := os.environ.get(rest)) is None:
            raise ValueError(f"No environment variable {rest}")
        return value
    if kind == "file" and colon:
        try:
            with Path(rest).open("rb") as file:
                return _line(os.fsdecode(file.readline(_LINE_LIMIT)))
        except OSError as error:
            raise ValueError(f"Can't open file {rest}") from error
    if kind == "fd" and colon:
        if not rest.isdigit():
            raise ValueError(f"Can't access file descriptor {rest}")
        with os.fdopen(os.dup(int(rest)), "rb", buffering=0) as file:
            return _line(os.fsdecode(file.readline(_LINE_LIMIT)))
    # What it is might be the password: it is not repeated.
    if colon and len(kind) <= 4:
        raise ValueError(f'Invalid password argument, starting with "{kind}:"')
    raise ValueError("Invalid password argument, missing ':' within the first 5 chars")


def _line(line: str) -> str:
    if not line:
        raise ValueError("Error reading password from BIO")
    return line.partition("\n")[0]
