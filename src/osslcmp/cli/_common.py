"""What the commands other than ``cmp`` share: reading options, colours, printing."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import groupby
from typing import Any, NoReturn

from .._arguments import positive, text_fault
from .._text import one_line, visible
from . import EXIT_USAGE

_WIDEST = 100
_FOLD = 79
#: Characters of a text that are shown.
_LINE = 4000


class UsageError(Exception):
    """The options make no sense: exit status 2."""


#: By shell, what completes the name of a file: whoever makes a script for shells puts it here.
FILE_COMPLETION: dict[str, Any] = {}


def completing(action: argparse.Action) -> argparse.Action:
    """An option, whose argument shells complete if it is a file."""
    if str(action.metavar).endswith(("FILE", "DIR", "file")):
        action.complete = FILE_COMPLETION  # type: ignore[attr-defined]
    return action


class RaisingParser(argparse.ArgumentParser):
    """``argparse`` that raises UsageError."""

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """As argparse does; those of groups do not come here."""
        return completing(super().add_argument(*names, **options))

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise UsageError(message)


def not_blank(words: Sequence[str]) -> list[str]:
    """The words of a command line, none of which is an empty or blank value, or has a NUL. Raises UsageError.

    An empty shell variable would become the folder or the name where one is.
    """
    for before, word in zip(["", *words], words, strict=False):
        name, equals, value = word.partition("=") if word.startswith("-") else (before, "=", word)
        fault = "is empty" if equals and not value.strip() else "\0" in word and "contains a NUL character"
        if fault:
            raise UsageError(f"{name if name.startswith('-') else 'an argument'}: {fault}")
    return list(words)


def utf8(text: str) -> str:
    """The type of an option that is no file name: those may be in any encoding."""
    if fault := text_fault(text):
        raise argparse.ArgumentTypeError(f"{fault}, or is not in UTF-8")
    return text


def seconds(text: str) -> int:
    """The type of an option for seconds, of which libcrypto takes 0 for no end."""
    number = int(text)
    positive(seconds=number)
    return number


class Parser(RaisingParser):
    """``argparse`` that takes ``-help`` like all of OpenSSL's commands, and suggests what may have been meant."""

    def __init__(self, command: str, description: str, epilog: str = "") -> None:
        self._command = command
        super().__init__(
            prog=f"osslcmp {command}",
            description=description,
            epilog=folded(epilog) or None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", "-help", action="help", help="show this help")

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The options. Raises UsageError, or SystemExit after the help."""
        found, unknown = self.parse_known_args(not_blank(words))
        if unknown:
            near = get_close_matches(unknown[0], option_names(self), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{unknown[0]}: there is no such option{hint}")
        return found

    def run(self, arguments: Sequence[str], work: Callable[[argparse.Namespace], int]) -> int:
        """Call ``work`` with the options. Returns its exit status, 0 after the help, or 2 if the options make no sense,
        which is printed on stderr."""
        try:
            try:
                options = self.parse(list(arguments))
            except SystemExit:  # after the help
                return 0
            return work(options)
        except UsageError as error:
            complain(self._command, error)
            return EXIT_USAGE


def option_names(parser: argparse.ArgumentParser) -> list[str]:
    """The options in its help."""
    rows = re.findall(r"^ {2,4}(-.*?)(?: {2}|$)", parser.format_help(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"(?<!\S)-[\w-]+", row)]


def _paragraphs(text: str) -> Iterator[tuple[bool, str]]:
    """The paragraphs of a text, each on one line, and indented lines, which stay as they are (``True``)."""
    for paragraph in text.strip().split("\n\n"):
        for as_it_is, lines in groupby(paragraph.splitlines(), lambda line: line.startswith(" ")):
            yield as_it_is, ("\n" if as_it_is else " ").join(lines)


def folded(text: str) -> str:
    """A text with its paragraphs folded for a terminal of 80 columns."""
    folded_text = ""
    for as_it_is, piece in _paragraphs(text):
        folded_text += (
            f"{piece}\n\n"
            if as_it_is
            else f"{textwrap.fill(piece, _FOLD)}\n{'' if piece.endswith(':') else chr(10)}"
        )
    return folded_text.rstrip()


def complain(command: str, error: object) -> None:
    """A message on stderr."""
    if isinstance(error, OSError) and error.strerror:
        error = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    hint = f"\nosslcmp {command} --help tells the options." if isinstance(error, UsageError) else ""
    print(f"osslcmp {command}: {one_line(str(error))}{hint}", file=sys.stderr)


def styled() -> bool:
    """Whether output is to have colours: on a terminal, unless ``NO_COLOR`` is set; always with ``FORCE_COLOR``."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


@cache
def _console() -> Any:
    """rich's, or ``None`` when there are no colours to show or it is not installed."""
    if not styled():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(force_terminal=True, highlight=False)


def emit(*spans: tuple[str, str]) -> None:
    """Print a line of texts, each with its style as rich names them; the styles only where they can be seen.

    The texts may be a peer's: see :func:`osslcmp._text.visible`.
    """
    spans = tuple((visible(text, _LINE), style) for text, style in spans)
    console = _console()
    if console is None:
        print("".join(text for text, _ in spans))
        return
    from rich.text import Text

    console.print(Text.assemble(*spans), soft_wrap=True)


def heading(text: str, style: str = "bold") -> None:
    """A line that begins something new, below an empty one."""
    emit()
    emit((text, style))


def width() -> int:
    """Columns to fill."""
    return min(shutil.get_terminal_size((88, 24)).columns, _WIDEST)
