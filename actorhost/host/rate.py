"""How many messages an actor handles each second, over about the last minute.

:class:`Rate` belongs to the actor and costs nothing when a message is handled; :func:`watch` looks
at the counts every few seconds, for as long as the host runs, and whether the actor has recovered.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from actorhost import clock
from actorhost.host.supervision import Supervision
from actorhost.telemetry.histogram import Durations

_LOOK: Final = 5.0
_MINUTE: Final = 60.0


class Rate:
    """A moving average, weighted towards now, of how fast a count grows."""

    __slots__ = ("_at", "_count", "per_second")

    def __init__(self) -> None:
        self._at = clock.monotonic()
        self._count = 0
        self.per_second = 0.0

    def update(self, count: int, now: float) -> None:
        """Take `count` as it is `now`, in seconds of the monotonic clock."""
        passed = now - self._at
        if passed <= 0:
            return
        weight = 1 - math.exp(-passed / _MINUTE)
        self.per_second += weight * ((count - self._count) / passed - self.per_second)
        self._at, self._count = now, count


class Watched(Protocol):
    """What has a rate and is supervised."""

    rate: Rate
    durations: Durations
    supervision: Supervision


async def watch(actors: Callable[[], Iterable[Watched]]) -> None:
    """Keep the rates of `actors` up to date until cancelled."""
    while True:
        await asyncio.sleep(_LOOK)
        now = clock.monotonic()
        for actor in actors():
            actor.rate.update(actor.durations.count, now)
            actor.supervision.look(now)
