"""Messages of the command on stdout and stderr, and its failures."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from ..._text import lines, one_line

_LEVELS = ("EMERG", "ALERT", "CRIT", "error", "warning", "NOTE", "info", "DEBUG", "TRACE")
#: Characters of a message that are shown.
_LONGEST = 8000


class Failure(Exception):
    """Ends the command with status 1. Its text has to reach the user; empty if that has been printed."""


class OnlyWritten(Exception):
    """The request has been written and nothing was to be sent."""


class Console:
    """Messages in the form and on the streams of ``openssl cmp``: errors on stderr, the others on stdout.

    Text in them may be a peer's: each is one line, where control characters and the like are escapes.
    """

    def __init__(self) -> None:
        #: The most severe is 0; what has a greater number than this is not shown.
        self.verbosity = 6
        #: Where all but errors go.
        self.out: TextIO = sys.stdout
        #: Messages printed as errors, for ``-json``.
        self.errors: list[str] = []
        #: Messages printed as warnings, for ``-json`` and for hints.
        self.warnings: list[str] = []

    def json(self) -> None:
        """Keep stdout free for the one object."""
        self.out = sys.stderr

    def say(self, level: int, message: str, stream: TextIO | None = None, label: str | None = None) -> None:
        """A message of a severity from 0 to 8, if the verbosity lets it through.

        It goes to ``stream``, by default ``out``, with ``label`` in front, by default the name of the severity. Errors
        and warnings are kept also when they are not shown.
        """
        if level == 3:
            self.errors.append(message)
        elif level == 4:
            self.warnings.append(message)
        if level <= self.verbosity:
            print(
                f"CMP {label or _LEVELS[level]}: {one_line(message, _LONGEST)}",
                file=stream or self.out,
                flush=True,
            )

    def debug(self, message: str) -> None:
        """A detail (severity 7), shown with ``-verbosity 7`` or more."""
        self.say(7, message)

    def info(self, message: str) -> None:
        """What happens (severity 6), shown unless ``-verbosity`` is less."""
        self.say(6, message)

    def warn(self, message: str) -> None:
        """What may not be meant (severity 4). It is kept in ``warnings``."""
        self.say(4, message)

    def error(self, message: str) -> None:
        """What went wrong (severity 3), on stderr. It is kept in ``errors``."""
        self.say(3, message, sys.stderr)

    def plain(self, message: str) -> None:
        """A line on stderr, whatever the verbosity; one that begins with ``Warning:`` is kept in ``warnings``."""
        if message.startswith("Warning: "):
            self.warnings.append(message.removeprefix("Warning: "))
        print(lines(message, _LONGEST), file=sys.stderr, flush=True)

    def from_client(self, _function: str, _file: str, _line: int, level: Any, message: str) -> None:
        """``Context.set_log_cb`` of the client."""
        self.say(int(level), message.rstrip("\n"))

    def from_server(self, _function: str, _file: str, _line: int, level: Any, message: str) -> None:
        """``Context.set_log_cb`` of the mock server."""
        self.say(int(level), message.rstrip("\n"), sys.stderr)
