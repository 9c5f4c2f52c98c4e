"""How long things take, as counts by size: percentiles of any number of durations in a few hundred bytes.

Pure bookkeeping, owned by what it is about. Buckets grow with the duration, eight for each doubling,
so a percentile is at most an eighth too high, from a microsecond to more than an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_STEPS: Final = 8
"""Buckets for each doubling; a power of two."""
_SHIFT: Final = 3
_OCTAVES: Final = 34
"""Doublings above eight microseconds: up to some 38 hours."""


class Durations:
    """Counts of durations; :meth:`add` allocates nothing."""

    __slots__ = ("_counts", "count")

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS * (_OCTAVES + 1))
        self.count = 0

    def add(self, seconds: float) -> None:
        """Count one duration; less than a microsecond counts as none, and a negative one too."""
        micros = int(seconds * 1e6)
        if micros < _STEPS:
            place = max(micros, 0)
        else:
            octave = micros.bit_length() - _SHIFT - 1
            place = min(_STEPS * octave + (micros >> octave), len(self._counts) - 1)
        self._counts[place] += 1
        self.count += 1

    def percentiles(self, fractions: Sequence[float]) -> list[float]:
        """Return for each of `fractions`, in ascending order, the seconds that as many stayed within.

        0 for all of them when nothing was counted.
        """
        found: list[float] = []
        seen, place = 0, -1
        for fraction in fractions:
            wanted = fraction * self.count
            while place < len(self._counts) - 1 and (seen < wanted or place < 0):
                place += 1
                seen += self._counts[place]
            found.append(_upper(place) / 1e6 if self.count else 0.0)
        return found


def _upper(place: int) -> int:
    """Return the least number of microseconds that is beyond bucket `place`."""
    if place < _STEPS:
        return place + 1
    octave = place // _STEPS - 1
    return (place - _STEPS * octave + 1) << octave
