"""Why the compiled module cannot be loaded, in one sentence: another OpenSSL, or a subinterpreter."""

from __future__ import annotations

import re
from pathlib import Path

from .interpreters import SUBINTERPRETER

#: What CPython says of an extension module that wants the one GIL, and PyO3 (newer, older) of any further interpreter.
_REFUSED = re.compile(
    r"does not support loading in subinterpreters|do not yet support subinterpreters"
    r"|only be initialized once per interpreter process"
)


def mismatch(built: str, loaded: str) -> str:
    """The sentence about a libcrypto that is older than the one that was built against."""
    return (
        f"osslcmp was built against OpenSSL {built}, but this process loads {loaded}: "
        "load the newer one, or rebuild osslcmp here"
    )


def explain(error: ImportError) -> str | None:
    """What a complaint about OpenSSL or a subinterpreter means; ``None`` if it is about something else.

    Args:
        error: what importing ``osslcmp._native`` or ``cryptography`` raised.
    """
    text = str(error)
    if _REFUSED.search(text):
        return SUBINTERPRETER
    absent = re.search(r"\blib(?:crypto|ssl)[\w.-]*: cannot open shared object file", text)
    wrong = re.search(r"undefined symbol|version `OPENSSL|symbol not found|Symbol not found", text)
    if not (absent or wrong):
        return None
    built = _built_version()
    if built is None:
        return None
    loaded = None if absent else _loaded_version(text, built)
    if loaded is None:
        what = f"libcrypto.so.{built.split('.', maxsplit=1)[0]}" if absent else "another one"
        return mismatch(built, f"none, as {what} is not there" if absent else f"{what} ({text})")
    return mismatch(built, loaded)


def _built_version() -> str | None:
    """The release that stands in the compiled module, which cannot be asked because it does not load."""
    for path in sorted(Path(__file__).parents[1].glob("_native.*")):
        if path.suffix in {".so", ".pyd"} and (
            found := re.search(rb"OpenSSL (\d+\.\d+\.\d+[\w.+-]*) ", path.read_bytes())
        ):
            return found[1].decode()
    return None


def _loaded_version(complaint: str, built: str) -> str | None:
    """Release and place of the libcrypto that the dynamic loader finds."""
    import ctypes  # not at the top: in a subinterpreter of CPython 3.12 it cannot be imported

    path = re.match(r"(\S*\blib)(?:crypto|ssl)(\.[\w.]+): ", complaint)
    name = f"{path[1]}crypto{path[2]}" if path else f"libcrypto.so.{built.split('.', maxsplit=1)[0]}"
    try:
        version = ctypes.CDLL(name).OpenSSL_version
    except (OSError, AttributeError):
        return None
    version.restype = ctypes.c_char_p
    version.argtypes = [ctypes.c_int]
    words = version(0).decode(errors="replace").split()
    return f"{' '.join(words[:2])} ({name})"
