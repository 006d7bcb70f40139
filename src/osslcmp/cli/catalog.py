"""All commands with their options, from the very tables that they are read with: for completion and the manual."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from . import COMMANDS, HELP, VERSION
from .openssl_cmp.help import describe
from .openssl_cmp.options import ARGUMENTS, OPTIONS, PASSWORD_SOURCES, VALUES

__all__ = ["Command", "Word", "catalog"]

#: What an argument that names a file is called in the help of the small commands.
_FILES = ("FILE", "DIR")


@dataclass(frozen=True)
class Word:
    """An option, or an argument without one (then ``names`` is empty)."""

    names: tuple[str, ...]
    argument: str
    """What its argument is called; empty if it takes none."""
    text: str
    group: str
    values: tuple[str, ...] = ()
    """Values that can be listed."""
    file: bool = False
    """Whether its argument is a file."""


@dataclass(frozen=True)
class Command:
    """A subcommand."""

    name: str
    summary: str
    words: tuple[Word, ...]
    description: str = ""
    epilog: str = ""

    @property
    def options(self) -> Iterator[Word]:
        """Those words that are options."""
        return (word for word in self.words if word.names)

    @property
    def arguments(self) -> Iterator[Word]:
        """Those that are not."""
        return (word for word in self.words if not word.names)


def catalog() -> list[Command]:
    """All commands in the order of the help."""
    return [_command(name, module, summary) for name, (module, summary) in COMMANDS.items()] + [
        Command("help", "what a command does", (Word((), "COMMAND", "", "", tuple(COMMANDS)),)),
    ]


def _command(name: str, module: str, summary: str) -> Command:
    if name == "cmp":
        return Command(name, summary, tuple(_cmp_words()))
    parser: argparse.ArgumentParser = import_module(module).parser()
    description = " ".join((parser.description or "").split())
    return Command(name, summary, tuple(_words(parser)), description, parser.epilog or "")


def _cmp_words() -> Iterator[Word]:
    for option in OPTIONS:
        values = VALUES.get(option.name, PASSWORD_SOURCES if option.kind == "P" else "")
        yield Word(
            (f"-{option.name}",),
            ARGUMENTS[option.kind],
            describe(option),
            option.group,
            tuple(values.split()),
            option.kind == "f",
        )


def _words(parser: argparse.ArgumentParser) -> Iterator[Word]:
    for group in parser._action_groups:
        for action in group._group_actions:
            if action.help == argparse.SUPPRESS:
                continue
            values = tuple(map(str, action.choices or ()))
            argument = (
                "" if action.nargs == 0 else str(action.metavar or "|".join(values) or action.dest.upper())
            )
            yield Word(
                tuple(action.option_strings),
                argument,
                re.sub(r"\s+", " ", action.help or ""),
                group.title or "",
                values,
                argument in _FILES or argument.endswith("FILE"),
            )


#: Words in the place of a command.
TOP = (*(word for word in (*HELP, *VERSION) if word.startswith("--")),)
