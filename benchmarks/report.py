"""What the benchmarks found: printed as it comes, and kept for docs/performance.md."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A ratio, of all rounds."""

    group: str
    name: str
    median: float
    low: float
    high: float
    base: str
    """What it is a ratio to."""
    goal: float | None = None
    more_is_better: bool = False


@dataclass(frozen=True)
class Series:
    """A line of a plot: what was measured over a number."""

    plot: str
    name: str
    x: list[float]
    y: list[float]


@dataclass
class Report:
    """Takes what is measured, in the order in which it is."""

    about: str = ""
    """Where: the releases of OpenSSL and CPython."""
    rows: list[Row] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    """Numbers that repeat, such as instructions of the processor; by what was counted."""

    @classmethod
    def load(cls, path: Path) -> Report:
        """What :meth:`save` has written."""
        found = json.loads(path.read_text())
        rows = [Row(**row) for row in found["rows"]]
        return cls(found["about"], rows, [Series(**one) for one in found["series"]], found["counts"])

    def title(self, text: str) -> None:
        """Print what comes."""
        print(f"\n{text}", flush=True)

    def ratio(
        self,
        group: str,
        name: str,
        ratios: Sequence[float],
        base: str,
        *,
        goal: float | None = None,
        more_is_better: bool = False,
    ) -> Row:
        """Ratios of several rounds."""
        row = Row(
            group, name, statistics.median(ratios), min(ratios), max(ratios), base, goal, more_is_better
        )
        self.rows.append(row)
        told = "" if goal is None else f"   goal {goal:g}"
        print(
            f"  {name:<34} {row.median:7.3f} x {base}   (rounds: {row.low:.3f} to {row.high:.3f}){told}",
            flush=True,
        )
        return row

    def line(self, plot: str, name: str, points: Sequence[tuple[float, float]]) -> None:
        """What was measured over a number."""
        self.series.append(Series(plot, name, [x for x, _ in points], [y for _, y in points]))
        print(f"  {name:<34} " + "  ".join(f"{x:,g}: {y:.2f}" for x, y in points), flush=True)

    def count(self, name: str, number: float) -> None:
        """A number that repeats."""
        self.counts[name] = number
        print(f"  {name:<60} {number:14,.0f}", flush=True)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
