"""``osslcmp completion``: scripts that complete commands, options and values."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ._common import Parser

__all__ = ["parser", "run"]

_EPILOG = """\
bash:
  osslcmp completion bash > ~/.local/share/bash-completion/completions/osslcmp
  source <(osslcmp completion bash)            # for this shell alone

zsh, before compinit runs:
  osslcmp completion zsh > "${fpath[1]}/_osslcmp"
  source <(osslcmp completion zsh)             # after it, for this shell alone

fish:
  osslcmp completion fish > ~/.config/fish/completions/osslcmp.fish

The script knows the options of this release; make it anew after an update.

Exit status: 0, 2 for wrong options.
"""


def parser() -> Parser:
    """The options."""
    made = Parser(
        "completion", "Print a script for a shell that completes commands, options and values.", _EPILOG
    )
    made.add_argument("shell", choices=("bash", "zsh", "fish"), help="for which shell")
    return made


def run(arguments: Sequence[str]) -> int:
    """Print the script. Returns the exit status: 0 or 2."""
    return parser().run(arguments, _run)


def _run(options: Namespace) -> int:
    from . import shells as _shells
    from .catalog import catalog

    print({"bash": _shells.bash, "zsh": _shells.zsh, "fish": _shells.fish}[options.shell](catalog()), end="")
    return 0
