"""``osslcmp trace``: recorded transactions as a ladder diagram."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from .._files import check_writable
from ._common import Parser, complain, emit, width

if TYPE_CHECKING:
    from ..trace import Trace

_EPILOG = """\
FILE is what osslcmp cmp -trace FILE, osslcmp.Trace(file=...) or Trace.dump() wrote. Messages that -reqout and -rspout
saved do as well, in any order: an answer is put after the request that it answers. Then the times are those
that stand in the messages, if any. Of a message that does not decode, what can be read is drawn.

Exit status: 0, 1 if a file cannot be read or holds no messages, 2 for wrong options.

Examples:
  osslcmp cmp -cmd ir ... -trace ir.trace
  osslcmp trace ir.trace
  openssl cmp -cmd ir ... -reqout a.der,b.der -rspout c.der,d.der
  osslcmp trace [a-d].der --html ir.html
"""


def parser() -> Parser:
    """The options."""
    made = Parser("trace", "Draw recorded CMP transactions as a ladder diagram.", _EPILOG)
    made.add_argument(
        "files", metavar="FILE", nargs="+", help="recorded trace or messages; - for standard input"
    )
    made.add_argument(
        "--html",
        metavar="FILE",
        help="write a page with the decoded messages instead of drawing; with a name that ends with .svg, the ladder alone",
    )
    made.add_argument("--title", metavar="TEXT", default="CMP trace", help="title of that page")
    made.add_argument("--width", metavar="N", type=int, help="columns to fill (the terminal's, at most 100)")
    made.add_argument("--ascii", action="store_true", help="draw without line drawing characters")
    made.add_argument(
        "--transaction", metavar="ID", help="only that transaction: begin of its hexadecimal ID"
    )
    return made


def run(options: Namespace) -> int:
    """Draw. Returns the exit status: 0, 1 or 2."""
    from .message_files import assemble

    if options.html is not None:
        try:
            check_writable(options.html)
        except OSError as error:
            complain("trace", f"--html {options.html}: {error.strerror}")
            return 1
    try:
        trace, stops = assemble(options.files)
        if options.transaction is not None:
            trace = _only(trace, options.transaction)
        if options.html is not None:
            trace.save(options.html, options.title)
    except (OSError, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        complain("trace", error)
        return 1
    if options.html is not None:
        print(f"{options.html}: {len(trace.messages)} messages")
    else:
        from ..trace.ladder import draw, draws_lines

        ascii_only = options.ascii or not draws_lines(sys.stdout)
        for line in draw(trace, options.width or width(), ascii_only=ascii_only):
            emit(*line.spans)
    for why in stops:
        complain("trace", why)
    return 1 if stops else 0


def _only(trace: Trace, begin: str) -> Trace:
    found = [one for one in trace.transactions if one is not None and one.hex().startswith(begin.lower())]
    if len(found) == 1:
        return trace.of(found[0])
    if found:
        raise ValueError(f"--transaction {begin}: {len(found)} transactions begin so")
    known = ", ".join(one.hex() for one in trace.transactions if one is not None)
    raise ValueError(f"--transaction {begin}: there is none; there are {known}")
