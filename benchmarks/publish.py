"""Writes docs/performance.md and its plots (SVG) from what was measured."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from matplotlib.figure import Figure

from .report import Report, Row

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = DOCS / "pictures"
_PLOTS = {
    "throughput": ("clients at once", "enrolments, as a ratio to openssl cmp -port with one client"),
    "rows": ("certificates in the database", "processor's time of an enrolment, as a ratio to the first"),
    "enrolments": ("enrolments before", "processor's time of an enrolment, as a ratio to the first"),
}

_TOP = """# Performance

What `Client`, `Context`, the servers and the command cost beside C and beside `openssl cmp`. Each figure is a ratio of two
things that were done in turn within one run of `./dev bench`, so that the machine matters little. benchmarks/README.md says
what each benchmark does. This page was made by `./dev bench --publish` on {date}, on {machine} with {cores} processors,
{about}, {quiet} The interpreter
matters: one that was compiled without profile-guided optimization, as pyenv does by default, takes 1.3 times as long as
Debian's.

"""

_LIMITS = """## Goals that are not reached, and what stands in the way

- **Client and Server in one process.** Samples of the processor (perf, OpenSSL 3.0, MAC) are in libcrypto for 46 %,
  in the C library for 19 %, in cryptography for 5 %, and in the interpreter for 26 %: 1,700 calls of functions, none
  of which takes more than 2 %. Without an interpreter it would be 1.24. Two things cost libcrypto as much as a tenth of
  all that the program in C does, and that has no need of them: to decode the key that is certified, which comes as an
  object of cryptography, and the certificate that its builder has made. OpenSSL 3.5 and 4.0 make contexts and
  decode keys in less time, so that the same Python is more of it: 38 % with 3.5, and without an interpreter it would be
  1.5. What could still go from Python to C are the steps of client and server themselves, which libcrypto has already:
  that would be a second implementation.
- **HTTP to `openssl cmp -port`.** The client's part of the same: a `Client` makes a context, decodes the new key and
  connects for each enrolment, where C and `Context` keep all three.
- **A process for each.** With OpenSSL 3.0 and signatures C itself does not reach the goal; with 3.5 `Client` does.
- **An ir by the command**, with CPython 3.14. Nothing of `cryptography` is imported for it. Of the goal's 6, the
  interpreter's own start and end take 1.4; `re`, `typing` and `enum` with the modules that they need 1.4; loading
  libcrypto with its declarations 0.4; 54 modules of ours 2.4, half of which is finding and reading their bytecode; and
  the enrolment itself 1.1, most of it in libcrypto.
- **Many clients.** They share the processors with the server: "what its clients alone could" is the rate if the
  server cost nothing; "requests made before" are the servers alone. `openssl cmp -port` signs nothing and remembers
  nothing. Of the functions that ours calls for a request, three tenths are HTTP, the rest in process as above. Neither
  fewer threads nor answers in the loop's own thread serve more clients at once: libcrypto works beside the interpreter.
  One process of Python has hardly more than one processor; `--processes` has more. An enrolment makes 145 calls into C, of
  which nine take longer than ten microseconds, and cffi lets go of the interpreter's lock for each: to keep it for the
  short ones was tried, and served 64 clients 1.2 times as fast, but two threads that have the processors for
  themselves were 1.1 times as slow.
- **Two processes with SQLite.** They queue for the database, one writer at a time, and share the processors with the
  clients.
- **Two threads.** With MAC those of C do not reach the goal, either: libcrypto's own locks. Python runs in one at a time.
"""


def publish(report: Report, quiet: bool, others: Sequence[Report] = ()) -> None:
    """Write the page and the plots; of other runs, with other releases of OpenSSL and CPython, the ratios."""
    PICTURES.mkdir(exist_ok=True)
    page = [
        _TOP.format(
            date=datetime.datetime.now(datetime.timezone.utc).date(),
            machine=f"{platform.system()} {platform.machine()}",
            cores=_cores(),
            about=report.about,
            quiet="which had nothing else to do."
            if quiet
            else "which had other things to do: the ranges tell how much that mattered.",
        )
    ]
    if report.rows:
        page.append(_picture(_ratios(report.rows), "Ratios, with the range over the rounds and the goals"))
    for group, rows in groupby(report.rows, lambda row: row.group):
        page.append(_section(group, rows))
    for other in others:
        page.append(f"## With {other.about}\n")
        page += [_section(group, rows, "###") for group, rows in groupby(other.rows, lambda row: row.group)]
    for plot, (across, up) in _PLOTS.items():
        if any(series.plot == plot for series in report.series):
            page.append(f"## By {across}\n\n{_picture(_lines(report, plot, across, up), up)}")
    if report.counts:
        page.append(_counts(report.counts))
    page.append(_LIMITS)
    (DOCS / "performance.md").write_text("\n".join(page).rstrip() + "\n")


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _section(group: str, rows: Iterable[Row], level: str = "##") -> str:
    return f"{level} {group[0].upper()}{group[1:]}\n\n{_table(rows)}\n"


def _table(rows: Iterable[Row]) -> str:
    lines = ["| | ratio | rounds | to | goal |", "|---|---|---|---|---|"]
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:g}{' or more' if row.more_is_better else ''}"
        lines.append(
            f"| {row.name} | {row.median:.2f} | {row.low:.2f} to {row.high:.2f} | {row.base} | {goal} |"
        )
    return "\n".join(lines)


def _counts(counts: dict[str, float]) -> str:
    lines = ["## Counted", "", "Numbers that repeat from run to run.", "", "| | number |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {number:,.0f} |" for name, number in counts.items())]) + "\n"


def _picture(name: str, text: str) -> str:
    return f"![{text}](pictures/{name})\n"


def _ratios(rows: list[Row]) -> str:
    names = [f"{row.group}: {row.name}" for row in rows]
    figure = Figure(figsize=(9, 0.32 * len(rows) + 1.2))
    axes = figure.subplots()
    places = range(len(rows))
    low = [row.median - row.low for row in rows]
    high = [row.high - row.median for row in rows]
    axes.barh(places, [row.median for row in rows], xerr=[low, high], color="#4878a8", ecolor="#888888")
    for place, row in enumerate(rows):
        if row.goal is not None:
            axes.plot([row.goal] * 2, [place - 0.4, place + 0.4], color="#c04040")
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("ratio; red: the goal")
    return _save(figure, "performance-ratios.svg")


def _lines(report: Report, plot: str, across: str, up: str) -> str:
    figure = Figure(figsize=(7, 3.6))
    axes = figure.subplots()
    for series in report.series:
        if series.plot == plot:
            axes.plot(series.x, series.y, marker="o", label=series.name)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(across)
    axes.set_ylabel(up, fontsize=7)
    axes.legend(fontsize=7)
    return _save(figure, f"performance-{plot}.svg")


def _save(figure: Figure, name: str) -> str:
    figure.tight_layout()
    figure.savefig(PICTURES / name, metadata={"Date": None})
    return name
