"""A trace as a ladder diagram, in lines of text with styles, and as a picture of it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from .._text import one_line
from ..enums import BodyType

if TYPE_CHECKING:
    from . import Trace, TraceEntry

_GUTTER = 11
_NARROWEST, _WIDEST = 40, 1000
_UNICODE = {"line": "│", "arrow": "─", "to": "▶", "from": "◀", "fail": "✗", "more": "…"}
_ASCII = {"line": "|", "arrow": "-", "to": ">", "from": "<", "fail": "x", "more": "~"}
_REFUSALS = (BodyType.ERROR,)
#: rich's own frame names fonts of a web site; this one takes what the reader has.
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" role="img">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace }}
{styles}
</style>
<rect width="100%" height="100%" rx="6" fill="BACKGROUND"/>
<defs>{lines}</defs>
<g class="{unique_id}-matrix" xml:space="preserve">{matrix}</g>
</svg>
"""


@dataclass(frozen=True)
class Line:
    """One line: pieces of text, each with a style of rich."""

    spans: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """Without styles."""
        return "".join(text for text, _ in self.spans).rstrip()


def draws_lines(file: TextIO) -> bool:
    """Whether a file takes the characters that lines are drawn with."""
    encoding = getattr(file, "encoding", None) or ("utf-8" if isinstance(file, io.StringIO) else "ascii")
    try:
        "".join(_UNICODE.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def protection_text(entries: list[TraceEntry]) -> str:
    """How the first message is protected."""
    for entry in entries:
        if entry.message is None:
            continue
        try:
            header = entry.message.header
            pbm = header.pbm
        except Exception:  # cryptography's are of many kinds
            return ""
        if header.protection_alg is None:
            return "unprotected"
        text = header.protection_alg.name
        if pbm is not None and header.sender_kid is not None:
            text += f", reference {header.sender_kid.decode('utf-8', 'backslashreplace')}"
        return text
    return ""


def draw(trace: Trace, width: int, *, ascii_only: bool) -> Iterator[Line]:
    """The lines of the diagram, one transaction after the other."""
    marks = _ASCII if ascii_only else _UNICODE
    width = min(max(width, _NARROWEST), _WIDEST)
    transactions = trace.transactions
    if not transactions:
        yield Line((("no messages", "dim"),))
    for number, (transaction_id, entries) in enumerate(transactions.items()):
        if number:
            yield Line((("", ""),))
        yield from _transaction(transaction_id, entries, width, marks)


def _transaction(
    transaction_id: bytes | None, entries: list[TraceEntry], width: int, marks: dict[str, str]
) -> Iterator[Line]:
    room = width - _GUTTER - 2
    name = "no transaction" if transaction_id is None else f"transaction {transaction_id.hex()}"
    text = ", ".join(part for part in (name, protection_text(entries)) if part)
    yield Line(((_crop(one_line(text), width, marks), "bold"),))
    yield Line(((" " * (_GUTTER - 3) + "client" + "server".rjust(width - _GUTTER - 3), "dim"),))
    for entry in entries:
        yield from _entry(entry, room, marks)


def _entry(entry: TraceEntry, room: int, marks: dict[str, str]) -> Iterator[Line]:
    line, time = marks["line"], f"{entry.seconds:8.3f} s "
    if entry.type is None:
        for number, text in enumerate(textwrap.wrap(one_line(entry.summary), room - 3) or [""]):
            head = ((time, "dim"), (f"{marks['fail']}  ", "bold red")) if not number else ((" " * 14, ""),)
            yield Line((*head, (_plain(text, marks), "red")))
        if entry.octets is not None:
            yield _arrow(entry, room, marks, "red")
        return
    kind, style = entry.type.name.lower(), "cyan" if entry.sent else "green"
    if entry.type in _REFUSALS:
        style = "red"
    text = _crop(one_line(entry.summary), room - len(kind) - 4, marks)
    gap = " " * (room - len(kind) - len(text) - 3)
    yield Line(
        ((time, "dim"), (line, "dim"), (f" {kind} ", f"bold {style}"), (f" {text}{gap}", ""), (line, "dim"))
    )
    yield _arrow(entry, room, marks, style)


def _arrow(entry: TraceEntry, room: int, marks: dict[str, str], style: str) -> Line:
    shaft = marks["arrow"] * (room - 2)
    arrow = f" {shaft}{marks['to']}" if entry.sent else f"{marks['from']}{shaft} "
    return Line(((" " * _GUTTER, ""), (marks["line"], "dim"), (arrow, style), (marks["line"], "dim")))


def _plain(text: str, marks: dict[str, str]) -> str:
    return text.encode("ascii", "backslashreplace").decode() if marks is _ASCII else text


def _crop(text: str, room: int, marks: dict[str, str]) -> str:
    text = _plain(text, marks)
    return text if len(text) <= room else text[: room - 1] + marks["more"]


def picture(trace: Trace, width: int, *, dark: bool) -> str:
    """The diagram as SVG, drawn by rich, ``width`` columns wide; it loads no font and has a light and a dark look."""
    try:
        from rich.console import Console
        from rich.padding import Padding
        from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
    except ImportError as error:
        raise ImportError("a picture needs rich: pip install 'osslcmp[cli]'") from error
    theme = SVG_EXPORT_THEME if dark else DEFAULT_TERMINAL_THEME
    console = Console(file=io.StringIO(), record=True, width=width, highlight=False, force_terminal=True)
    console.print(Padding(trace, (0, 2)))
    frame = _FRAME.replace("BACKGROUND", theme.background_color.hex)
    return console.export_svg(theme=theme, code_format=frame, unique_id="ladder")
