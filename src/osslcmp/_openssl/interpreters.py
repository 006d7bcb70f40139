"""In which interpreter of the process this is. Nothing else, since every start looks."""

from __future__ import annotations

import sys
from importlib import import_module

SUBINTERPRETER = (
    "osslcmp cannot be used in this subinterpreter: import it in the process's main interpreter. cffi needs a "
    "subinterpreter that shares the main one's GIL and CPython 3.12 or later; cryptography works in one interpreter "
    "of a process, the first that imports it"
)


def is_other() -> bool:
    """Whether it is not the main one."""
    try:
        interpreters = import_module("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    except ImportError:  # a Python that was built without it
        return False
    return bool(interpreters.get_current() != interpreters.get_main())
