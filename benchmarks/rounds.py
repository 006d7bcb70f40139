"""Alternating rounds of several contestants, and the ratio between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .report import Report

Round = Callable[[int], float]
"""Does that many transactions, returns the nanoseconds for each."""
Work = Callable[[int], None]
"""Does that many transactions."""


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks.

    Args:
        directory: for files.
        pki: whose files are in it.
        rounds: how often each contestant runs.
        seconds: length of a round of the first.
        report: takes what is found.
        deadline: when to end, as ``time.monotonic`` tells it; what takes long looks at it.
    """

    directory: Path
    pki: Any
    rounds: int
    seconds: float
    report: Report
    deadline: float


def repeated(transaction: Callable[[], object]) -> Work:
    """Does it as often as asked for."""

    def work(count: int) -> None:
        for _ in range(count):
            transaction()

    return work


def timed(work: Work, now: Callable[[], int]) -> Round:
    """Does the work, by a clock of nanoseconds."""

    def run(count: int) -> float:
        start = now()
        work(count)
        return (now() - start) / count

    return run


def warm_up(contestants: Mapping[str, Round], seconds: float) -> int:
    """Run everything once and return how many transactions the first one does in `seconds`."""
    for run in contestants.values():
        run(3)
    first = next(iter(contestants.values()))
    return max(5, int(seconds * 1e9 / first(10)))


def alternate(contestants: Mapping[str, Round], *, rounds: int, count: int) -> dict[str, list[float]]:
    """`rounds` times each contestant in turn, `count` transactions each; by name the ratios to the first, of each round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        # Every other round backwards, so that a drift of the machine favours nobody.
        for name in names if number % 2 == 0 else reversed(names):
            times[name].append(contestants[name](count))
    base = times[names[0]]
    return {
        name: [mine / theirs for mine, theirs in zip(times[name], base, strict=True)] for name in names[1:]
    }


def compare(
    run: Run,
    title: str,
    contestants: Mapping[str, Round],
    *,
    base: str = "C",
    what: str = "transactions",
    goals: Mapping[str, float] | None = None,
) -> None:
    """Run them in turn and report the ratios to the first.

    Args:
        run: says how long.
        title: what is done.
        contestants: who does it.
        base: the first, in short.
        what: is counted.
        goals: what the ratios should be, by contestant.
    """
    count = warm_up(contestants, run.seconds)
    run.report.title(f"{title}: {run.rounds} rounds of {count} {what} each, in turn")
    for name, ratios in alternate(contestants, rounds=run.rounds, count=count).items():
        run.report.ratio(title, name, ratios, base, goal=(goals or {}).get(name))
