"""Figures of a benchmark: rounds in turns, their ratios, medians and spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

Measure = Callable[[], Awaitable[float]]
"""Runs one round and returns its figure."""


@dataclass(frozen=True)
class Rounds:
    """The figures of ours and of the baseline, round by round."""

    ours: Sequence[float]
    baseline: Sequence[float]

    @property
    def ratio(self) -> float:
        """Median of the ratios ours / baseline, round by round."""
        return statistics.median(self._ratios())

    def detail(self) -> dict[str, Any]:
        """Return medians and spread, for the reader who doubts the ratio."""
        ratios = self._ratios()
        return {
            "ours": round(statistics.median(self.ours), 3),
            "baseline": round(statistics.median(self.baseline), 3),
            "ratio_min": round(min(ratios), 3),
            "ratio_max": round(max(ratios), 3),
            "rounds": len(ratios),
        }

    def _ratios(self) -> list[float]:
        return [mine / theirs for mine, theirs in zip(self.ours, self.baseline, strict=True)]


async def in_turns(rounds: int, ours: Measure, baseline: Measure) -> Rounds:
    """Run both `rounds` times in turns, after one round of each that does not count."""
    await ours()
    await baseline()
    mine, theirs = [], []
    for _ in range(rounds):
        theirs.append(await baseline())
        mine.append(await ours())
    return Rounds(mine, theirs)


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the value below which `fraction` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return median, 99th percentile, least and most of `values`, for the reader who doubts one figure."""
    if not values:
        return {"count": 0}
    return {
        "median": shown(statistics.median(values)),
        "p99": shown(percentile(values, 0.99)),
        "min": shown(min(values)),
        "max": shown(max(values)),
        "count": len(values),
    }


def shown(value: float, digits: int = 3) -> float | None:
    """Return `value` rounded; None for one that was never reached, as JSON has no infinity."""
    return round(value, digits) if math.isfinite(value) else None
