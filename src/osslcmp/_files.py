"""Files: written so that they are there whole or not at all, whenever the process is killed; locked; read."""

from __future__ import annotations

import os
import sys
from binascii import b2a_base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PUBLIC, PRIVATE = 0o644, 0o600
"""Modes of files that everybody, or their owner alone, may read."""


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is there whole, on the disk, or not at all. One process at a time: see :func:`locked`.

    A device or a pipe is written to as it is.
    """
    if is_special(path):
        path.write_bytes(data)
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    sync(path.parent)


def read(path: str) -> bytes:
    """What is in a file."""
    with open(path, "rb") as file:
        return file.read()


def is_special(path: str | Path) -> bool:
    """Whether it is a device, a pipe or a socket, or a link to one that is open, such as /dev/stdout: no file may take its
    place."""
    is_open = os.path.islink(path) and os.readlink(path).startswith("/proc/")  # or to a file that is
    return is_open or (os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)))


def sync(directory: Path) -> None:
    """What was created, renamed or removed in a directory is so on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[None]:
    """Keep others out who lock the same file, in this process and elsewhere. Raises BlockingIOError if they are not waited
    for."""
    import fcntl

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises ValueError, which names the file, or ImportError on Python 3.10 without tomli."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ModuleNotFoundError as error:
            raise ImportError("TOML files need Python 3.11 or tomli: pip install 'osslcmp[toml]'") from error
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, nested without end
        raise ValueError(f"{path}: {error}") from None


def pem_block(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """A block of PEM."""
    text = b2a_base64(der, newline=False).decode()
    body = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def check_writable(path: str) -> None:
    """Raise OSError if a file could not be written, as far as that shows without changing anything.

    A file that exists keeps its contents, one that does not is not created.
    """
    import errno

    if is_special(path):  # to open it can have an effect
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)
        return
    real = os.path.realpath(path)
    parent = os.path.dirname(real)
    try:
        os.stat(real)
    except FileNotFoundError:
        os.stat(parent)
        number = errno.EISDIR if path.endswith(os.sep) else errno.EACCES
        if number == errno.EISDIR or not os.access(parent, os.W_OK | os.X_OK):
            raise OSError(number, os.strerror(number), path) from None
        return
    os.close(os.open(real, os.O_WRONLY))
