"""A clock that moves when a test says so.

Owned by the test; stands in for :data:`actorhost.clock.monotonic` where a class takes a clock.
"""

from __future__ import annotations


class ManualClock:
    """Call it for the time in seconds; it stands still until :meth:`advance`."""

    def __init__(self, now: float = 1000.0) -> None:
        """Start at `now` seconds."""
        self._now = now

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, which must not be negative."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back {-seconds} s")
        self._now += seconds
