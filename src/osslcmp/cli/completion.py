"""``osslcmp completion``: scripts that complete commands, options and values, made by shtab."""

from __future__ import annotations

import re
from argparse import Namespace

from ._common import FILE_COMPLETION, Parser

_EPILOG = """\
bash:
  osslcmp completion bash > ~/.local/share/bash-completion/completions/osslcmp
  source <(osslcmp completion bash)            # for this shell alone

zsh, before compinit runs:
  osslcmp completion zsh > "${fpath[1]}/_osslcmp"
  source <(osslcmp completion zsh)             # after it, for this shell alone

fish:
  osslcmp completion fish > ~/.config/fish/completions/osslcmp.fish

The script knows the options of this release; make it anew after an update. To make it takes the package shtab, which
pip install "osslcmp[cli]" brings; to use it takes nothing.

Exit status: 0, 1 without shtab, 2 for wrong options.
"""


def parser() -> Parser:
    """The options."""
    made = Parser(
        "completion", "Print a script for a shell that completes commands, options and values.", _EPILOG
    )
    made.add_argument("shell", choices=("bash", "zsh", "fish"), help="for which shell")
    return made


def run(options: Namespace) -> int:
    """Print the script. Returns the exit status: 0, 1 or 2."""
    print(script(options.shell), end="")
    return 0


def script(shell: str) -> str:
    """The script for a shell. Raises ImportError without shtab."""
    try:
        import shtab
    except ImportError as error:
        raise ImportError('completion needs shtab: pip install "osslcmp[cli]"') from error
    from .whole import whole_parser

    FILE_COMPLETION.update(shtab.FILE)
    made: str = shtab.complete(whole_parser(r"\:" if shell == "zsh" else ":"), shell)
    # What shtab does not know: scripts of zsh that are sourced, and long options of one hyphen in fish.
    made = made.replace("zsh_eval_context[-1] == eval", "zsh_eval_context[-1] == (eval|file)")
    return re.sub(r"(?m)^(complete .*) -s ([\w-]{2,}) ", r"\1 -o \2 ", made) if shell == "fish" else made
