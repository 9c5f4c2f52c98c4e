"""What happened and is not told yet: bounded, and a storm becomes a few events that count the rest.

Owned by the host's :class:`~actorhost.host.events.Events`; no event loop, no I/O. Of one kind and
subject the first :data:`SINGLY` within :data:`WINDOW` are told one by one; what follows is one event,
told when the window ends, which has the first one's time, the last one's data and a count. When more
than :data:`KEPT` wait, the oldest are dropped and counted: the counts and the dropped are always all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actorhost import clock
from actorhost.telemetry.event import EventKind

SINGLY: Final = 4
"""Events of one kind and subject that are told one by one in each window."""
WINDOW: Final = 1.0
"""Seconds after which a count is told and singles may be told again."""
KEPT: Final = 1000
"""Events that wait to be told, at most: those of an outage, say."""
_PACES: Final = 4096
"""Kinds and subjects that had an event within the last window, at most."""


@dataclass(slots=True)
class Happening:
    """`count` times the same: `time_ns` since the Unix epoch is of the first, `data` of the last."""

    kind: EventKind
    subject: str
    data: Mapping[str, Any]
    time_ns: int
    count: int


@dataclass(slots=True)
class _Pace:
    """How many of one kind and subject were let through since `since`, and what is held back."""

    since: float
    told: int = 0
    held: Happening | None = None

    def is_over(self, now: float) -> bool:
        return now >= self.since + WINDOW


class EventQueue:
    """Events in the order in which to tell them; `now` returns the time in seconds."""

    def __init__(self, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._ready: deque[Happening] = deque()
        self._paces: dict[tuple[str, str], _Pace] = {}
        self.dropped = 0

    def add(self, happening: Happening) -> None:
        """Take one more."""
        now, key = self._now(), (happening.kind, happening.subject)
        pace = self._paces.get(key)
        if pace is None and len(self._paces) >= _PACES:
            self.dropped += happening.count
            return
        if pace is None or (pace.held is None and pace.is_over(now)):
            pace = self._paces[key] = _Pace(now)
        if pace.held is not None:
            pace.held.count += happening.count
            pace.held.data = happening.data
        elif pace.told < SINGLY:
            pace.told += 1
            self._append(happening)
        else:
            pace.held = happening

    def next(self) -> Happening | None:
        """Return what is to be told next, which stays until :meth:`told`."""
        return self._ready[0] if self._ready else None

    def told(self) -> None:
        """Forget what :meth:`next` returned."""
        self._ready.popleft()

    def release(self, *, everything: bool = False) -> None:
        """Let go of what was held back until now, or of `everything`."""
        now = self._now()
        for key, pace in list(self._paces.items()):
            if not everything and not pace.is_over(now):
                continue
            if pace.held is None:
                del self._paces[key]
            else:
                self._append(pace.held)
                self._paces[key] = _Pace(now, told=1)

    def wait(self) -> float | None:
        """Return the seconds until :meth:`release` has something to do, None when it has not."""
        if not self._paces:
            return None
        return max(0.0, min(pace.since for pace in self._paces.values()) + WINDOW - self._now())

    def _append(self, happening: Happening) -> None:
        if len(self._ready) >= KEPT:
            self.dropped += self._ready.popleft().count
        self._ready.append(happening)
