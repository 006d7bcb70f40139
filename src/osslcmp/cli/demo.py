"""``osslcmp demo``: the main requests step by step, against a CA on this machine."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from .._files import check_writable
from ._common import Parser, complain

_EPILOG = """\
Starts the embedded CA over HTTP on 127.0.0.1 and enrols, polls, updates, revokes and asks; nothing else is reached
and nothing is left behind. With --output the certificates stay as PEM files in DIR, with the trace of all messages
as a page, trace.html. What was issued is checked by openssl verify where the command openssl is installed.

Exit status: 0, 1 if a step does not do what it should, 2 for wrong options.
"""


def parser() -> Parser:
    """The options."""
    made = Parser(
        "demo", "Enrol, poll, update, revoke and ask, step by step, against a CA of its own.", _EPILOG
    )
    made.add_argument(
        "--output", metavar="DIR", help="folder for the certificates and the trace; made when missing"
    )
    made.add_argument("--quick", action="store_true", help="do not let the CA think for a while")
    return made


def run(options: Namespace) -> int:
    """Run the demo. Returns the exit status: 0, 1 or 2."""
    from ..errors import CMPError
    from .demo_steps import DemoError, show

    try:
        if options.output is not None:
            folder = Path(options.output)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                check_writable(str(folder / "trace.html"))
            except OSError as error:
                raise DemoError(f"--output {folder}: {error.strerror}") from error
            show(folder, quick=options.quick)
            print(f"The certificates and trace.html are in {folder.resolve()}")
            return 0
        with tempfile.TemporaryDirectory(prefix="osslcmp-demo-") as name:
            show(Path(name), quick=options.quick)
        print("osslcmp demo --output DIR keeps the certificates and a page with all messages.")
    except BrokenPipeError:
        raise
    except (DemoError, CMPError, OSError) as error:
        sys.stdout.flush()
        complain("demo", error)
        return 1
    return 0
