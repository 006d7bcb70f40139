"""The log of ``osslcmp serve``: one line for what a client or an outage causes, and a bounded number of lines of a kind."""

from __future__ import annotations

import datetime
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from .._text import json_text

MOST = 20
SECONDS = 60.0
_ALL = ("journal", "events")
"""The modules that write a line for each message, at level INFO."""


class JSONFormatter(logging.Formatter):
    """A JSON object a line: time, level, logger and message, the fields of an event, the exception. What peers said is
    escaped where it could not be seen."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        members: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
        }
        event = getattr(record, "event", None)
        members |= {"message": record.getMessage()} if event is None else event
        if record.exc_info:
            members["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json_text(members)


@dataclass
class _Kind:
    """What was logged of one kind of line."""

    since: float
    count: int = 0
    suppressed: int = 0
    last: str = ""


class BoundedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to stderr at most so many lines of a kind in a minute, and then how many more there were.

    Lines are of a kind when they come from the same place in the code. Those of ``--verbose``, one for each message, are
    all written.

    Args:
        most: lines of a kind.
        seconds: in which.
    """

    def __init__(self, most: int = MOST, seconds: float = SECONDS) -> None:
        super().__init__()
        self._most, self._seconds = most, seconds
        self._kinds: dict[tuple[str, int, object], _Kind] = {}
        self._guard = threading.RLock()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless there were enough of its kind."""
        now = time.monotonic()
        with self._guard:
            self._report_suppressed(now - self._seconds)
            kind = self._kinds.setdefault((record.pathname, record.lineno, record.msg), _Kind(now))
            kind.count += 1
            wanted = record.module in _ALL and record.levelno <= logging.INFO
            if kind.count > self._most and not wanted:
                kind.suppressed += 1
                kind.last = record.getMessage()
                return
        super().emit(record)

    def _report_suppressed(self, until: float) -> None:
        for key in [key for key, kind in self._kinds.items() if kind.since <= until]:
            kind = self._kinds.pop(key)
            if kind.suppressed:
                text = f"{kind.suppressed} more like this were suppressed, the last: {kind.last}"
                made = logging.LogRecord("osslcmp.server", logging.WARNING, "", 0, "%s", (text,), None)
                super().emit(made)

    def close(self) -> None:
        """Tell what was suppressed, at the end."""
        with self._guard:
            self._report_suppressed(float("inf"))
        super().close()
