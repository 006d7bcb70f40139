"""Text that may be a peer's, made fit to be shown: on one line, of bounded length, nothing in it hidden or reordered."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

LONGEST = 1000
"""Characters of a text that are shown unless the caller says otherwise."""

#: Printable by Unicode's categories, and yet nothing can be seen: fillers, joiners, variation selectors.
_BLANK = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
#: Marks on one letter that are left as they are: more of them cover the lines above and below.
_MARKS = 3


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _escaped(text: str) -> str:
    from unicodedata import category

    shown, marks, blank = [], 0, re.compile(_BLANK)
    for char in text:
        marks = marks + 1 if not char.isascii() and category(char).startswith("M") else 0
        plain = char.isprintable() and marks <= _MARKS and not blank.match(char)
        shown.append(char if plain else _escape(char))
    return "".join(shown)


def visible(text: str, limit: int = LONGEST) -> str:
    """``text`` for a terminal or a log: on one line, with escapes such as ``\\x1b``, ``\\n`` or ``\\u202e``.

    They stand for everything that moves the cursor, reorders, hides or is no character: control and format characters,
    separators other than the space, unassigned and private characters, lone surrogates.

    Args:
        text: any text.
        limit: how many of its characters are shown; if there are more, their number follows.
    """
    begin = text[:limit]
    shown = begin if begin.isascii() and begin.isprintable() else _escaped(begin)
    return shown if len(text) <= limit else f"{shown}... ({len(text)} characters)"


def one_line(text: str, limit: int = LONGEST) -> str:
    """As :func:`visible`, for a text that may have lines by right: ``/`` stands between them."""
    return visible(" / ".join(text.removesuffix("\n").split("\n")), limit)


def lines(text: str, limit: int = LONGEST) -> str:
    """Each line of ``text`` as :func:`visible` makes it, ``limit`` characters of each."""
    return "\n".join(visible(line, limit) for line in text.split("\n"))


def body_words(body: bytes) -> str:
    """What came instead of a message, for an exception's text: the beginning of a text, the title of a page, or nothing."""
    try:
        text = " ".join(body[:LONGEST].decode("utf-8-sig").split())
    except UnicodeDecodeError:
        return ""
    if text.startswith("<"):
        text = text.partition("<title>")[2].partition("</title>")[0].strip()
    return f" (it says: {visible(text, 200)})" if text and not re.search(r"[\0-\b]", text) else ""


def json_text(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON that can be shown: what :func:`visible` escapes is escaped in it, and read back it is the same."""
    import json

    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    blank = re.compile(_BLANK)
    return "".join(
        char if char == "\n" or (char.isprintable() and not blank.match(char)) else json.dumps(char)[1:-1]
        for char in text
    ).replace("\x7f", "\\u007f")


def _make_visible(record: logging.LogRecord) -> bool:
    """Makes what is logged fit to be shown, whoever shows it: texts and exceptions in the arguments, tracebacks."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            one_line(str(arg)) if isinstance(arg, (str, BaseException)) else arg for arg in record.args
        )
    if record.exc_info and not record.exc_text:
        import logging

        record.exc_text = lines(logging.Formatter().formatException(record.exc_info))
    return True


@cache
def get_logger(name: str) -> logging.Logger:
    """The logger of that name; what peers said in its records is as :func:`one_line` makes it."""
    import logging  # takes a tenth of the time of importing a client, which may have nothing to log

    ours, logger = logging.getLogger("osslcmp"), logging.getLogger(name)
    if not ours.handlers:
        # Whoever wants the log adds a handler; Python's last resort would print warnings.
        ours.addHandler(logging.NullHandler())
    logger.addFilter(_make_visible)
    return logger
