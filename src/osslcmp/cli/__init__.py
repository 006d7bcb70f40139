"""The ``osslcmp`` command: finds the subcommand and imports no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["COMMANDS", "main"]

#: Module with ``run(arguments) -> exit status`` and one line of help, by subcommand.
COMMANDS: dict[str, tuple[str, str]] = {
    "cmp": ("osslcmp.cli.cmp", "CMP client and mock server with the options of openssl cmp"),
    "serve": ("osslcmp.cli.serve", "CMP server with a CA that really issues and keeps its state"),
}

_EXIT_INTERRUPT = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``osslcmp`` with ``arguments``, by default those of the process.

    Returns the exit status: 0 for success, 1 for failure, 2 for an unknown subcommand, 130 after an interrupt.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in ("-help", "--help", "-h", "help"):
        print(_usage())
        return 0
    if not words or words[0] not in COMMANDS:
        wrong = f"osslcmp: unknown command {words[0]!r}\n\n" if words else ""
        print(f"{wrong}{_usage()}", file=sys.stderr)
        return 2
    try:
        status: int = import_module(COMMANDS[words[0]][0]).run(words[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _EXIT_INTERRUPT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        ["usage: osslcmp COMMAND ...", "", *lines, "", "osslcmp COMMAND -help tells the options of each."]
    )
