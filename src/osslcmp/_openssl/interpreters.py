"""In which interpreter of the process this is. Nothing else, since every start looks."""

from __future__ import annotations

import sys

SUBINTERPRETER = (
    "osslcmp cannot be used in this subinterpreter: import it in the process's main interpreter. cffi needs a "
    "subinterpreter that shares the main one's GIL and CPython 3.12 or later; cryptography works in one interpreter "
    "of a process, the first that imports it"
)


def callbacks_miss() -> bool:
    """Whether callbacks from C would miss the interpreter that this is.

    Before 3.12 ``PyGILState_Ensure``, which cffi's callbacks come back through, always leads to the main interpreter.
    """
    if sys.version_info >= (3, 12):
        return False
    try:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found,unused-ignore]
    except ImportError:  # a Python that was built without it
        return False
    return bool(interpreters.get_current() != interpreters.get_main())
