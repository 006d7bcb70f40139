"""Arguments are what their annotations say, or the error names them: before C is entered, and anything is made."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import wraps
from types import UnionType
from typing import IO, Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

from . import _lazy

_T = TypeVar("_T")
#: What does as well as what is annotated.
_ALSO: dict[Any, Any] = {
    float: (int, float),
    bytes: (bytes, bytearray),
    tuple: (tuple, list),
    frozenset: AbstractSet,
}


def checked(made: _T) -> _T:
    """A function, or a class, that looks at its arguments first.

    Raises TypeError for one of another type than its annotation, ValueError for text with a NUL character or half a
    surrogate pair, an empty path, a number that is not finite or fits no C type, and what is none of a Literal. What an
    iterator gives is not looked at, nor what is annotated with a name for type checkers alone, nor an
    argument of our own, which begins with an underscore.
    """
    if isinstance(made, type):
        made.__init__ = checked(made.__init__)  # type: ignore[misc]
        return made
    function: Any = made
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    hints: dict[str, Any] = {}
    #: Types of values that do, whatever the value; a few of each argument, for a class may be of the moment.
    fine: dict[str, set[type]] = {}

    @wraps(function)
    def looking(*args: Any, **kwargs: Any) -> Any:
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name not in hints:
                hint = "Any" if name[0] == "_" else function.__annotations__.get(name, "Any")
                if value is None and hint.endswith("| None"):  # what most are: it need not be evaluated
                    continue
                hints[name] = _evaluated(function, hint)
            if (kind := type(value)) in fine.get(name, ()):
                continue
            wrong = _wrong(hints[name], value)
            if wrong:
                raise ValueError(f"{name}: {wrong}")
            if wrong is not None:
                raise TypeError(f"{name}: {_words(hints[name])}, not {_type(value)}")
            if kind is bytes or not issubclass(kind, (str, int, float, os.PathLike, Iterable)):
                fine[name] = {kind, *[*fine.get(name, ())][-3:]}
        return function(*args, **kwargs)

    return looking  # type: ignore[return-value]


def _evaluated(function: Any, hint: str) -> Any:
    try:
        return eval(hint, function.__globals__)  # our own annotation
    except NameError:
        return Any


def _named(hint: Any) -> Any:
    """What a name within an alias stands for: a class of ``cryptography``, or several."""
    return eval(hint.__forward_arg__, vars(_lazy)) if isinstance(hint, ForwardRef) else hint


def positive(*, or_zero: bool = False, **values: Any) -> None:
    """Raise ValueError that names the first of these arguments, numbers or durations, that is not; None is left out."""
    for name, value in values.items():
        if value is not None and (value < type(value)(0) or not (value or or_zero)):
            raise ValueError(f"{name}: must be positive{' or 0' if or_zero else ''}, not {value}")


def several(what: str, items: Any, *single: type) -> list[Any]:
    """The items of an argument; one of a type of ``single`` stands for itself. ``TypeError`` if there are none to take."""
    if type(items) in (tuple, list):
        return list(items)
    if single and isinstance(items, single):
        return [items]
    if not isinstance(items, Iterable) or isinstance(items, (str, bytes, bytearray)):
        raise TypeError(f"{what}: several in a list or the like, not {type(items).__name__}")
    return list(items)


def text_fault(text: str, encode: Callable[[str], bytes] = str.encode) -> str | None:
    """Why a text is of no use to C, in words."""
    if "\0" in text:
        return "contains a NUL character"
    try:
        encode(text)
    except UnicodeEncodeError:
        return "contains half a surrogate pair"
    return None


def path_fault(path: str | os.PathLike[str]) -> str | None:
    """Why a path is of no use, in words. File names that are no UTF-8 have surrogates by right."""
    text = os.fspath(path)
    return text_fault(text, os.fsencode) if text else "is empty"


def _wrong(hint: Any, value: Any) -> str | None:
    """What is wrong with a value in words; empty if it is of another type, None if nothing is."""
    hint = _named(hint)
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        if value is None and type(None) in parts:  # what most are
            return None
        kinds = [kind for part in parts if isinstance(kind := get_origin(part) or part, type)]
        if isinstance(value, str) and any(issubclass(kind, os.PathLike) for kind in kinds):
            return path_fault(value)
        if isinstance(value, str) and bytes in kinds:  # it is data
            value = value.replace("\0", "")
        found = ""
        for part in sorted(parts, key=lambda part: isinstance(part, ForwardRef)):  # which import cryptography
            if (wrong := _wrong(part, value)) is None:
                return None
            found = max(found, wrong)
        return found
    if kind is Literal:
        known = isinstance(value, tuple(map(type, parts)))
        return None if value in parts else f"{_words(hint)}, not {value!r}" if known else ""
    kind = type(None) if kind is None else kind
    if kind in (Any, object) or not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return None
    if issubclass(kind, IO):
        return None if hasattr(value, "write") else ""
    if not isinstance(value, _ALSO.get(kind, kind)) or (isinstance(value, bool) and kind in (int, float)):
        return ""
    if isinstance(value, str):
        return text_fault(value) if kind is str else ""
    if isinstance(value, os.PathLike):
        return path_fault(value)
    if isinstance(value, (int, float)):
        return None if math.isfinite(value) and abs(value) <= sys.maxsize else "out of range"
    if not issubclass(kind, bytes) and isinstance(value, Iterable) and isinstance(value, (bytes, bytearray)):
        return ""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping) and len(parts) == 2:
        pairs = ((part, one) for item in value.items() for part, one in zip(parts, item, strict=True))
    elif kind is tuple and parts and ... not in parts:
        if len(value) != len(parts):
            return ""
        pairs = zip(parts, value, strict=True)
    elif isinstance(value, Collection) and parts and issubclass(kind, Iterable):
        pairs = ((parts[0], one) for one in value)
    return next((wrong for part, one in pairs if (wrong := _wrong(part, one)) is not None), None)


def _type(value: Any) -> str:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    inner = " or ".join(sorted({type(item).__name__ for item in items})[:3])
    return f"{type(value).__name__} of {inner}" if inner else type(value).__name__


def _words(hint: Any) -> str:
    hint = _named(hint)
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_words, parts)))
    if kind is Literal:
        return " or ".join(map(repr, parts))
    name = "None" if kind in (None, type(None)) else "a callable" if kind is Callable else kind.__name__
    inner = [
        _words(part) for part in parts if part is not ... and kind is not Callable and kind is not os.PathLike
    ]
    return f"{name} of {' and '.join(inner)}" if inner else str(name)
