"""OpenSSL's own reading of configuration files (``NCONF``, 3.0)."""

from __future__ import annotations

import os
from typing import Any

from ..._openssl.errorqueue import clear, drain_text
from ..._openssl.lib import NULL, ffi, lib
from ..._openssl.ownership import take
from .console import Failure

__all__ = ["Config", "default_file"]


def default_file() -> str:
    """The configuration that OpenSSL uses by default: ``$OPENSSL_CONF``, else the installed one."""
    pointer = lib.CONF_get1_default_config_file()
    if pointer == NULL:
        clear()
        return ""
    try:
        return os.fsdecode(ffi.string(pointer))
    finally:
        lib.OPENSSL_free(pointer)


class Config:
    """A configuration file. ``pointer`` is the ``CONF *``."""

    def __init__(self, path: str) -> None:
        clear()
        self.pointer: Any = take(lib.NCONF_new_ex(NULL, NULL), lib.NCONF_free, "reading the configuration")
        line = ffi.new("long *", -1)
        if lib.NCONF_load(self.pointer, os.fsencode(path), line) <= 0:
            where = f"Error on line {line[0]} of" if line[0] > 0 else "Can't load"
            told = drain_text()
            raise Failure(f'cmp: {where} config file "{path}": {told}')

    def has(self, section: str) -> bool:
        """Whether there is such a section."""
        found = bool(lib.NCONF_get_section(self.pointer, os.fsencode(section)) != NULL)
        clear()
        return found

    def get(self, sections: list[str], name: str) -> str | None:
        """The value in the last of ``sections`` that has it, else in ``[default]``."""
        for section in reversed(sections):
            value = lib.NCONF_get_string(self.pointer, os.fsencode(section), name.encode())
            if value != NULL:
                return os.fsdecode(ffi.string(value))
            clear()
        return None
