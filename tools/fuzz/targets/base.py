"""What the targets have in common: a plan that can be kept, what counts as a finding, messages changed as planned."""

from __future__ import annotations

import json
import logging
import os
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from osslcmp.cli.serve_log import JSONFormatter

from .. import mutate, values
from ..protect import Credentials
from ..sessions import WRONG_SECRET, World
from ..tree import Node

Plan = dict[str, Any]
"""A case as plain data: whatever is random in it is drawn before, so that it can be run again."""

_PROTECT = ("own",) * 7 + ("none", "none", "wrong")


class FindingError(Exception):
    """The target does what it must not."""


class Target(ABC):
    """Something that reads what comes from elsewhere."""

    name: ClassVar[str]
    share: ClassVar[int] = 1
    """Of the time of a run on all targets."""
    renew_after: ClassVar[int] = 5_000
    """Cases after which everything is made anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """For its files."""
        self.sent = b""
        """What the last case has sent."""
        self.log = Log()
        self.renew()

    def renew(self) -> None:
        """Make everything anew, so that memory which is in use grows no more."""
        self.world = World()

    def close(self) -> None:
        """End what runs in the background, if anything does."""
        return

    @abstractmethod
    def plan(self, rng: Random) -> Plan:
        """Draw a case."""

    @abstractmethod
    def run(self, plan: Plan) -> None:
        """Run a case. Raises ``FindingError``; any other exception is a finding as well."""

    # -- messages -----------------------------------------------------------------------------------------

    def draw_session(self, rng: Random) -> str:
        """Most often one that took place; else one of a single message made by hand."""
        made = rng.random() < 0.2
        return rng.choice([name for name in self.world.sessions if (" body " in name) == made])

    def draw_message(self, rng: Random) -> Plan:
        """How a message is changed."""
        return {
            "ops": mutate.draw(rng, self.world.pool),
            "inner": rng.random() < 0.3,
            "protect": rng.choice(_PROTECT),
        }

    def changed(self, root: Node, message: Plan, credentials: Credentials) -> bytes:
        """The message, changed as planned."""
        mutate.change(root, message["ops"])
        if message["protect"] != "none":
            own = message["protect"] == "own"
            wrong = WRONG_SECRET if isinstance(credentials, bytes) else self.world.forger
            self.world.finish(root, credentials if own else wrong, inner=message["inner"])
        self.sent = mutate.change_bytes(root.encode(), message["ops"])
        return self.sent


def draw_json(rng: Random) -> Any:
    """Something that JSON can hold."""
    return rng.choice((
        None, True, 0, -1, 1.5, 10**400, float("inf"), float("nan"), "", "AAAA", "\x00", "\ud800", "x" * 10_000, [], {},
        [[]] * 3, {"a": {}}, "2026-11-27T12:00:00+00:00", "9999-12-31T23:59:59-23:59", "zz", -(10**30), 1e308,
        rng.choice(values.TEXTS).decode("latin-1"),
    ))  # fmt: skip


def to_json(value: Any, **options: Any) -> bytes:
    """JSON; lone surrogates as they may come."""
    return json.dumps(value, **options).encode("utf-8", "surrogatepass")


def visible(text: str, what: str) -> None:
    """Raises ``FindingError`` if a terminal would obey the text."""
    for character in text:
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cf", "Cs"):
            raise FindingError(f"{what} has the control character {character!r}")


class Log(logging.Handler):
    """What osslcmp logs: no exceptions, and nothing that a terminal would obey."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.trouble: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line."""
        try:
            text = record.getMessage()
            if record.exc_info:
                text = logging.Formatter().format(record)
                self.trouble.append(f"logged exception: {text}")
            else:
                visible(text, "a line of the log")
                visible(JSONFormatter().format(record), "a line of the log as JSON")
        except FindingError as error:
            self.trouble.append(str(error))
        except Exception as error:
            self.trouble.append(f"a line of the log cannot be made: {error!r}")

    @contextmanager
    def watch(self, level: int) -> Iterator[None]:
        """Raises ``FindingError`` at the end if there was something."""
        logger = logging.getLogger("osslcmp")
        logger.addHandler(self)
        logger.propagate = False
        logger.setLevel(level)
        self.trouble.clear()
        try:
            yield
        finally:
            logger.removeHandler(self)
        if self.trouble:
            raise FindingError(self.trouble[0])


def log_level(rng: Random) -> int:
    """Most often what is usual: a level that is off costs less."""
    return rng.choice((logging.WARNING, logging.WARNING, logging.INFO, logging.DEBUG))


def fresh_id() -> bytes:
    """A transactionID."""
    return os.urandom(16)
