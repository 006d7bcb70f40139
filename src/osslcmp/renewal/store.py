"""The state directory of a certificate, and how its files are replaced together.

::

    lock              held while a process works on it
    current           link to the files of today: versions/N
    versions/N/       key.pem certificate.pem ... as far as there are paths for them; the last but one is kept for readers
                      that have looked up its name already
    pending/          of a request that is under way: key.pem, transaction (a dump), certificate.der
    saved/            key.pem and certificate.der of a request whose end is not known: perhaps it was confirmed
    reload            the reload command has to run
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .._files import PRIVATE, PUBLIC, check_writable, is_special, locked, sync, write

_TRAVERSABLE = 0o711
_SECRET = ("key", "combined")


class Store:
    """The state directory of one certificate, and the paths by which others read its files.

    Args:
        directory: where it is; made when something is written.
        paths: by kind of file.
    """

    def __init__(self, directory: Path, paths: Mapping[str, Path]) -> None:
        self._directory = directory
        self._paths = paths
        self.pending, self.saved = directory / "pending", directory / "saved"

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes out. Raises BlockingIOError if one is at it."""
        for folder in (self._directory, self._directory / "versions"):
            folder.mkdir(mode=_TRAVERSABLE, parents=True, exist_ok=True)
        return locked(self._directory / "lock", wait=False)

    def tidy(self) -> None:
        """Remove what a process that was killed has left half done."""
        for folder in (self.pending, self.saved):
            shutil.rmtree(_old(folder), ignore_errors=True)
        for draft in (self._directory / "versions").glob("*.new"):
            shutil.rmtree(draft)
        _draft(self._directory / "current").unlink(missing_ok=True)

    # -- what is under way -----------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        """A file of the request that is under way."""
        return _read(self.pending / name)

    def keep(self, name: str, data: bytes) -> None:
        """Write one."""
        self.pending.mkdir(mode=0o700, exist_ok=True)
        write(self.pending / name, data, PRIVATE)

    def begin(self) -> None:
        """Make room for a new request. A certificate that came for the last one, and perhaps was confirmed, is saved.

        Raises OSError if there is no place for what may come.
        """
        for path in self._paths.values():
            _draft(path).unlink(missing_ok=True)
            check_writable(str(_draft(path)))
        if (self.pending / "certificate.der").exists():
            _discard(self.saved)
            self.pending.rename(self.saved)
        self.forget(saved=False)

    def forget(self, *, saved: bool = True) -> None:
        """No request is under way."""
        for folder in (self.pending, *([self.saved] if saved else [])):
            _discard(folder)

    @property
    def reload_pending(self) -> bool:
        """Whether the reload command has not run since the files were replaced."""
        return (self._directory / "reload").exists()

    def reloaded(self) -> None:
        """It has."""
        (self._directory / "reload").unlink(missing_ok=True)

    # -- the files of others ---------------------------------------------------------------------------------

    def contents(self) -> dict[str, bytes]:
        """By kind, what the files hold, as far as they are there. Raises OSError for a device or a pipe, which no link may
        replace."""
        for kind, path in self._paths.items():
            if is_special(path):
                raise OSError(f"{kind}: {path} is a device or a pipe, which is not replaced")
        found = {kind: _read(path) for kind, path in self._paths.items()}
        return {kind: data for kind, data in found.items() if data is not None}

    def adopt(self) -> None:
        """Take over files that are not ours yet: they keep contents, owner and mode, and become links to our copies."""
        if not all(self._is_link(kind) for kind in self.contents()):
            self._switch(self.contents())

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Replace all files together, at one moment. Call ``adopt`` before."""
        write(self._directory / "reload", b"", PRIVATE)
        self._switch(files)

    def _switch(self, files: Mapping[str, bytes]) -> None:
        versions = self._directory / "versions"
        numbers = [int(path.name) for path in versions.iterdir() if path.name.isdecimal()]
        number = max(numbers, default=0) + 1
        draft = versions / f"{number}.new"
        draft.mkdir(mode=_TRAVERSABLE)
        for kind, data in files.items():
            self._write(kind, draft / f"{kind}.pem", data)
        draft.rename(versions / str(number))
        sync(versions)
        _link(self._directory / "current", Path("versions") / str(number))
        for kind in files:
            if not self._is_link(kind):
                _link(self._paths[kind], self._target(kind))
        for old in numbers:
            if old < number - 1:
                shutil.rmtree(versions / str(old), ignore_errors=True)

    def _write(self, kind: str, file: Path, data: bytes) -> None:
        """With owner and mode of the file that it replaces."""
        try:
            before = self._paths[kind].stat()
        except OSError:
            before = None
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as stream:
            if before is not None:
                if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                    try:
                        os.fchown(descriptor, before.st_uid, before.st_gid)
                    except PermissionError as error:
                        raise OSError(f"{self._paths[kind]}: its owner or group cannot be kept") from error
                os.fchmod(descriptor, before.st_mode & 0o777)
            else:
                os.fchmod(descriptor, PRIVATE if kind in _SECRET else PUBLIC)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)

    def _target(self, kind: str) -> Path:
        return self._directory.absolute() / "current" / f"{kind}.pem"

    def _is_link(self, kind: str) -> bool:
        path = self._paths[kind]
        return path.is_symlink() and path.readlink() == self._target(kind)


def _old(folder: Path) -> Path:
    return folder.with_suffix(".old")


def _discard(folder: Path) -> None:
    """Remove a directory: it is gone as a whole, or not at all."""
    shutil.rmtree(_old(folder), ignore_errors=True)
    if folder.exists():
        folder.rename(_old(folder))
        shutil.rmtree(_old(folder))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _link(path: Path, target: Path) -> None:
    """Make ``path`` a symbolic link, whatever it was, at one moment."""
    draft = _draft(path)
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(path)
    sync(path.parent)
