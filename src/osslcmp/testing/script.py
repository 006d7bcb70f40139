"""Scripts as text, for test suites in other languages.

A line is a step: the name of a function of :mod:`osslcmp.testing` and its arguments. A type of message in front makes it
a step for the next message of that type alone. Empty lines, and what follows ``#``, do not count::

    waiting times=3 check_after=1
    ir: reject failure=badCertTemplate text="not you"
    certconf: drop_response
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable

from .._text import visible
from . import faults
from .server import CMPServer, body_type

__all__ = ["load"]

_STEPS: dict[str, Callable[..., faults.Fault]] = {
    name: getattr(faults, name) for name in faults.__all__ if inspect.isfunction(getattr(faults, name))
}


def load(server: CMPServer, text: str) -> None:
    """Let ``server`` do what a script says.

    Raises:
        ValueError: a line makes no sense; the message names it.
    """
    any_: list[faults.Fault] = []
    by_type: dict[str, list[faults.Fault]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            kind = body_type(words.pop(0).removesuffix(":")) if words[0].endswith(":") else None
            step = _step(words)
        except (ValueError, TypeError) as error:
            raise ValueError(f"line {number}: {error}") from None
        (any_ if kind is None else by_type.setdefault(kind.name, [])).append(step)
    server.script(*any_, **by_type)


def _step(words: list[str]) -> faults.Fault:
    if not words or words[0] not in _STEPS:
        name = visible(words[0], 40) if words else ""
        raise ValueError(f"{name!r} is no step; known: {', '.join(sorted(_STEPS))}")
    make = _STEPS[words[0]]
    parameters = inspect.signature(make).parameters
    arguments: dict[str, object] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in parameters:
            known = ", ".join(f"{each}=" for each in parameters) or "none"
            raise ValueError(f"{words[0]}: no argument {visible(name, 40)!r}; known: {known}")
        kind = str(parameters[name].annotation)
        convert = {"int": int, "float": float}.get(kind, str)
        try:
            arguments[name] = convert(value)
        except ValueError:
            raise ValueError(f"{words[0]}: {name}: a number, not {visible(value, 40)!r}") from None
    return make(**arguments)
