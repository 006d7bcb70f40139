"""Alternating rounds of several contestants, and the ratio between them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Round = Callable[[int], float]
"""Does that many transactions, returns the nanoseconds for each."""


@dataclass(frozen=True)
class Ratio:
    """How long a contestant took compared to the first, of all rounds."""

    name: str
    median: float
    low: float
    high: float
    nanoseconds: float
    """Median of one transaction, for orientation only."""


def warm_up(contestants: Mapping[str, Round], seconds: float) -> int:
    """Run everything once and return how many transactions the first one does in `seconds`."""
    for run in contestants.values():
        run(3)
    first = next(iter(contestants.values()))
    return max(5, int(seconds * 1e9 / first(10)))


def alternate(contestants: Mapping[str, Round], *, rounds: int, count: int) -> list[Ratio]:
    """`rounds` times each contestant in turn, `count` transactions each; ratios within each round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        # Every other round backwards, so that a drift of the machine favours nobody.
        for name in names if number % 2 == 0 else reversed(names):
            times[name].append(contestants[name](count))
    base = times[names[0]]
    result = []
    for name in names:
        ratios = [mine / theirs for mine, theirs in zip(times[name], base, strict=True)]
        median = statistics.median(ratios)
        result.append(Ratio(name, median, min(ratios), max(ratios), statistics.median(times[name])))
    return result


def compare(
    title: str,
    contestants: Mapping[str, Round],
    rounds: int,
    seconds: float,
    *,
    what: str = "transactions",
    base: str = "C",
) -> None:
    """Run them in turn and print the ratios to the first.

    Args:
        title: what is done.
        contestants: who does it.
        rounds: how often each of them.
        seconds: length of a round of the first.
        what: is counted.
        base: the first, in short.
    """
    count = warm_up(contestants, seconds)
    ratios = alternate(contestants, rounds=rounds, count=count)
    print(f"\n{title}: {rounds} rounds of {count} {what} each, in turn")
    for ratio in ratios:
        print(
            f"  {ratio.name:<28} {ratio.median:6.3f} x {base}   (rounds: {ratio.low:.3f} to {ratio.high:.3f})"
        )
