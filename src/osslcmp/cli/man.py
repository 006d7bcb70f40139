"""``osslcmp man``: the manual page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence

from ._common import Parser

__all__ = ["parser", "run"]

_EPILOG = """\
On a terminal it is shown by man; else it is printed as its source:
  osslcmp man > ~/.local/share/man/man1/osslcmp.1

Exit status: 0, 1 if man fails, 2 for wrong options.
"""


def parser() -> Parser:
    """The options."""
    made = Parser("man", "Show or print the manual page osslcmp(1).", _EPILOG)
    made.add_argument("--source", action="store_true", help="print it as its source on a terminal, too")
    return made


def run(arguments: Sequence[str]) -> int:
    """Show or print it. Returns the exit status: 0, 1 or 2."""
    return parser().run(arguments, _run)


def _run(options: Namespace) -> int:
    from .roff import page

    program = shutil.which("man")
    if options.source or program is None or not sys.stdout.isatty():
        print(page(), end="")
        return 0
    return min(1, subprocess.run([program, "-l", "-"], input=page(), text=True, check=False).returncode)
