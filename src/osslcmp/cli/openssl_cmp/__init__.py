"""``osslcmp cmp``: the options of ``openssl cmp`` on this library. Imports nothing of it for the help."""

from __future__ import annotations

from .options import HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Do what the options say. Returns the exit status, 0 or 1."""
    if not arguments or arguments[0] in HELP:
        from .help import print_help

        return print_help(list(arguments[1:])) or (0 if arguments else 1)
    from . import command

    return command.main(list(arguments))
