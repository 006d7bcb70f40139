"""``osslcmp show``: what is in a CMP message."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._text import json_text, one_line
from ._common import Parser, complain, emit

if TYPE_CHECKING:
    from ..message.describe import Tree
    from .message_files import Found

_EPILOG = """\
FILE holds one or more messages, one after the other: DER as -reqout and -rspout of osslcmp cmp write it, PEM, base64
or hexadecimal, or a trace recorded by osslcmp cmp -trace; - is standard input. Nothing about a message is
verified. Secrets that a message may carry are not shown but with --text and --json, which show all of it.

Of a message that libcrypto does not decode, cut or damaged, what can be read is shown, and where it stops.

Exit status: 0, 1 if a file cannot be read or holds something else (the others are shown), 2 for wrong options.

Example:
  osslcmp cmp -cmd ir ... -reqout request.der && osslcmp show request.der
"""


def parser() -> Parser:
    """The options."""
    made = Parser("show", "Decode CMP messages.", _EPILOG)
    made.add_argument("files", metavar="FILE", nargs="+", help="file with CMP messages; - for standard input")
    how = made.add_mutually_exclusive_group()
    how.add_argument("--text", action="store_true", help="as OpenSSL prints it")
    how.add_argument("--json", action="store_true", help="as JSON: a list with an object for each message")
    how.add_argument("--summary", action="store_true", help="one line for each message")
    return made


def run(options: Namespace) -> int:
    """Show the messages. Returns the exit status: 0, 1 or 2."""
    from .message_files import NotCMPError, content, messages

    found: list[Found] = []

    def read(name: str) -> bool:
        try:
            found.extend(messages(name, content(name)))
        except (OSError, NotCMPError) as error:
            complain("show", error)
            return False
        return True

    readable = [read(name) for name in options.files]
    status = 0 if all(readable) and not any(one.decode_error for one in found) else 1
    if options.json:
        print(json_text([_object(one) for one in found], indent=2))
        return status
    for number, one in enumerate(found):
        if options.summary:
            emit((_title(one), _kind_style(one)), (f"  {_decode_error(one) or _summary(one)}", ""))
            continue
        if number:
            print()
        emit((_title(one), f"bold {_kind_style(one)}"))
        if one.decode_error:
            emit((f"  {_decode_error(one)}", "red"))
        if options.text and not one.decode_error:
            print(one.message.text(), end="")
        else:
            from ..message.describe import tree

            for line in _lines(tree(one.message), 1):
                emit(*line)
    return status


def _title(one: Found) -> str:
    where = " ".join(part for part in (one.file, one.place) if part)
    return f"{one.message.type.name.lower()}, {len(one.message.der)} octets, {where}"


def _summary(one: Found) -> str:
    from ..message.describe import summary

    return summary(one.message)


def _decode_error(one: Found) -> str:
    return one_line(f"libcrypto does not decode it: {one.decode_error}") if one.decode_error else ""


def _kind_style(one: Found) -> str:
    return "red" if one.message.type.name == "ERROR" else "cyan"


def _lines(branch: Tree, depth: int) -> Iterator[list[tuple[str, str]]]:
    """Labels and values, indented, with styles of rich."""
    indent = "  " * depth
    for label, value in branch:
        head = (f"{indent}{label}:", "dim")
        if not isinstance(value, str):
            yield [head]
            yield from _lines(value, depth + 1)
            continue
        first, *rest = value.split("\n")
        yield [head, (f" {first}", "")]
        yield from ([(f"{indent}  {line}", "")] for line in rest)


def _object(one: Found) -> dict[str, Any]:
    from ..message.data import data

    return {"file": one.file, "place": one.place, "error": one.decode_error or None, **data(one.message)}
