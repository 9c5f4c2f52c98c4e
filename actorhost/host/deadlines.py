"""Ends waits whose time is up; waits that end at about the same time share one timer of the event loop.

A timer for each costs as much as handing the message over. Owned by the host; a wait is in it from
:meth:`Deadlines.watch` until the set it was put into lets it go.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from actorhost import clock

_TICKS: Final = 100
"""In a second: what is due ends so much later at most, or by a sixty-fourth of its time if that is more."""
_BITS: Final = 7

Wait = asyncio.Future[Any]


class Deadlines:
    """Ends each wait with None; so its results must be something else."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: dict[int, set[Wait]] = {}

    def __len__(self) -> int:
        """Return how many timers there are."""
        return len(self._groups)

    def watch(self, wait: Wait, until: float) -> set[Wait]:
        """End `wait` soon after `until`, in seconds of the monotonic clock.

        Returns the set to remove it from when it has ended in another way.
        """
        # The longer it may take, the coarser: there are never more than a few hundred groups.
        left = max(0, int((until - clock.monotonic()) * _TICKS))
        width = 1 << max(0, left.bit_length() - _BITS)
        due = (int(until * _TICKS) // width + 1) * width
        group = self._groups.get(due)
        if group is None:
            group = self._groups[due] = set()
            wait.get_loop().call_at(due / _TICKS, self._expire, due)
        group.add(wait)
        return group

    def _expire(self, due: int) -> None:
        for wait in self._groups.pop(due):
            if not wait.done():
                wait.set_result(None)
