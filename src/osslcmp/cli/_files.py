"""Files that a command is to write: tried before anything is done whose result would have no place."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def check_writable(path: str) -> None:
    """Raise OSError if a file could not be written, as far as that shows without changing anything.

    A file that exists keeps its contents, one that does not is not created.
    """
    real = Path(os.path.realpath(path))
    try:
        real.stat()
    except FileNotFoundError:
        real.parent.stat()
        number = errno.EISDIR if path.endswith(os.sep) else errno.EACCES
        if number == errno.EISDIR or not os.access(real.parent, os.W_OK | os.X_OK):
            raise OSError(number, os.strerror(number), path) from None
        return
    if real.is_dir() or real.is_file():
        os.close(os.open(real, os.O_WRONLY))
    elif not os.access(real, os.W_OK):  # a device or a pipe: to open it can have an effect
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)
