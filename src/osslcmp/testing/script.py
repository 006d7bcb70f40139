"""Scripts as text, for test suites in other languages.

A line is a step: the name of a function of :mod:`osslcmp.testing` and its arguments. A type of message in front makes it
a step for the next message of that type alone. Empty lines, and what follows ``#``, do not count::

    waiting times=3 check_after=1
    ir: reject failure=badCertTemplate text="not you"
    certconf: drop_response
    genm: mypackage.faults:shorten octets=10 protect=no

The last is a function of a module that Python finds, for :func:`osslcmp.testing.change`.
"""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from .. import testing
from .._text import visible
from . import faults
from .server import CMPServer, body_type

_STEPS: dict[str, Callable[..., faults.Fault]] = {
    name: made
    for name in testing.__all__
    if inspect.isfunction(made := getattr(faults, name, None)) and name != "change"
}


#: Characters of a line: of longer ones shlex takes ever longer.
_LONGEST = 200_000


def read(path: str | os.PathLike[str]) -> str:
    """The script in a file. Raises OSError, or ``ValueError`` if it is no text in UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"no text in UTF-8: {error}") from None


def load(server: CMPServer, text: str) -> None:
    """Let ``server`` do what a script says.

    Raises:
        ValueError: a line makes no sense; the message names it.
    """
    any_: list[faults.Fault] = []
    by_type: dict[str, list[faults.Fault]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if len(line) > _LONGEST:
                raise ValueError(f"has {len(line)} characters, at most {_LONGEST} are possible")
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
    name = words[0] if words else ""
    own = ":" in name
    if not own and name not in _STEPS:
        raise ValueError(
            f"{visible(name, 40)!r} is no step; known: {', '.join(sorted(_STEPS))}, MODULE:FUNCTION"
        )
    make = partial(faults.change, _function(name)) if own else _STEPS[name]
    parameters = dict(inspect.signature(_function(name) if own else make).parameters)
    if own:
        # The first is the answer.
        parameters.pop(next(iter(parameters), ""), None)
        parameters["protect"] = inspect.signature(faults.change).parameters["protect"]
    arguments: dict[str, object] = {}
    for word in words[1:]:
        argument, equals, value = word.partition("=")
        if not equals or argument not in parameters:
            able = ", ".join(f"{each}=" for each in parameters) or "none"
            raise ValueError(f"{visible(name, 40)}: no argument {visible(argument, 40)!r}; known: {able}")
        try:
            arguments[argument] = _converted(value, parameters[argument].annotation)
        except ValueError as error:
            raise ValueError(
                f"{visible(name, 40)}: {argument}: {error}, not {visible(value, 40)!r}"
            ) from None
    return make(**arguments)


def _converted(value: str, annotation: object) -> object:
    kind = getattr(annotation, "__name__", str(annotation))
    if kind == "bool":
        if value not in ("yes", "no"):
            raise ValueError("yes or no")
        return value == "yes"
    convert = {"int": int, "float": float}.get(kind)
    if convert is None:
        return value
    try:
        return convert(value)
    except ValueError:
        raise ValueError("a number") from None


def _function(name: str) -> Callable[..., bytes]:
    module, _, attribute = name.partition(":")
    try:
        found: Callable[..., bytes] = getattr(import_module(module), attribute)
    except Exception as error:  # the module is somebody's own
        raise ValueError(f"{visible(name, 40)}: {visible(str(error))}") from None
    if not callable(found):
        raise ValueError(f"{visible(name, 40)} is no function")
    return found
