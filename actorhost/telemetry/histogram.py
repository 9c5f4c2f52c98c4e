"""How long things take, as counts by size: percentiles of any number of durations in a few kilobytes.

Pure bookkeeping, owned by what it is about. Buckets grow with the duration, eight for each doubling,
so a percentile is at most an eighth too high, from a microsecond to some eighteen hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp
from typing import Final

_STEPS: Final = 8
"""Buckets for each doubling."""
_LEAST: Final = 2.0**-20
"""Just under a microsecond: what is shorter counts as this."""
_OCTAVES: Final = 36
"""Doublings above that."""
_PLACES: Final = _STEPS * _OCTAVES
_OFFSET: Final = 19 * _STEPS - _STEPS
"""Added to what :func:`frexp` says of a duration, gives its place."""

BOUNDS: Final = tuple(4.0**power for power in range(-7, 3))
"""Seconds that :meth:`Durations.cumulative` counts up to: 61 us to 16 s, each four times the last."""


class Durations:
    """Counts of durations, and the seconds they add up to; :meth:`add` allocates no memory that stays."""

    __slots__ = ("_counts", "count", "total")

    def __init__(self) -> None:
        self._counts = [0] * _PLACES
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration, in seconds; a negative one is none."""
        if seconds < _LEAST:  # noqa: PLR1730 - max() takes twice as long, and each message is counted
            seconds = _LEAST
        mantissa, exponent = frexp(seconds)
        place = (exponent << 3) + int(mantissa * 16.0) + _OFFSET
        self._counts[place if place < _PLACES else -1] += 1
        self.count += 1
        self.total += seconds

    def merge(self, other: Durations) -> None:
        """Count all that `other` has counted, too."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.total += other.total

    def percentiles(self, fractions: Sequence[float], *, none: int = 0) -> list[float]:
        """Return for each of `fractions`, in ascending order, the seconds that as many stayed within.

        `none` more durations count that took no time. 0 for all when there is nothing to count.
        """
        found: list[float] = []
        seen, place, everything = none, -1, none + self.count
        for fraction in fractions:
            wanted = fraction * everything
            while place < _PLACES - 1 and seen < wanted:
                place += 1
                seen += self._counts[place]
            found.append(_upper(place) if place >= 0 else 0.0)
        return found

    def cumulative(self) -> list[int]:
        """Return for each of :data:`BOUNDS` how many durations were shorter."""
        found: list[int] = []
        seen, place = 0, 0
        for bound in BOUNDS:
            end = _place(bound)
            seen += sum(self._counts[place:end])
            place = end
            found.append(seen)
        return found


def _place(bound: float) -> int:
    """Return the first bucket that holds nothing shorter than `bound`, a power of two."""
    _, exponent = frexp(bound)
    return (exponent << 3) + _STEPS + _OFFSET


def _upper(place: int) -> float:
    """Return the least duration that is beyond bucket `place`."""
    octave, step = divmod(place, _STEPS)
    return _LEAST * 2.0**octave * (1 + (step + 1) / _STEPS)
