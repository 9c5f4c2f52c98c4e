"""When something that ended starts again: OTP's intensity and period, then backoff, then never.

Pure state: events with their times go in, delays come out; no clock, no event loop. One
:class:`Restarts` for each supervised actor, owned by it; forgotten when the actor is deployed again.

As in OTP, up to ``intensity`` restarts within ``period`` happen at once, and one more stops that.
Where OTP then ends the supervisor, the extension waits: after ``backoff`` seconds one restart is
tried; if that ends within ``period`` too, the next wait is twice as long, up to ``backoff_limit``.
After ``attempts`` such trials it has failed. A trial that outlives ``period`` clears the record.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

KEPT_CAUSES: Final = 8
"""Ends that are remembered, newest last: enough to see a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How often to restart: `intensity` and `attempts` are counts, the others seconds."""

    intensity: int = 20
    period: float = 10.0
    backoff: float = 1.0
    backoff_limit: float = 30.0
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something ended: `at` in seconds of the caller's clock, and `why` in words."""

    at: float
    why: str


class Restarts:
    """The record of one supervised thing, by `policy`."""

    __slots__ = ("_attempts", "_causes", "_policy", "_probing_since", "_resume_at", "_times", "total")

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._times: deque[float] = deque()
        self._causes: deque[Cause] = deque(maxlen=KEPT_CAUSES)
        self._attempts = 0
        self._probing_since: float | None = None
        self._resume_at = 0.0
        self.total = 0

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The latest ends, oldest first."""
        return tuple(self._causes)

    @property
    def failed(self) -> bool:
        """Whether it is not to be started again."""
        return self._attempts > self._policy.attempts

    def ended(self, why: str, now: float) -> float | None:
        """Return the seconds to wait before the next restart, 0 for none; None says never.

        What ends while a wait is under way, such as another instance of the same actor, waits with it.
        """
        self._causes.append(Cause(now, why))
        if self.failed:
            return None
        if now < self._resume_at:
            return self._resume_at - now
        if self._healthy_since_trial(now):
            self._forget()
        if self._probing_since is None and self._within_intensity(now):
            self._times.append(now)
            self.total += 1
            return 0.0
        return self._back_off(now)

    def _healthy_since_trial(self, now: float) -> bool:
        return self._probing_since is not None and now - self._probing_since > self._policy.period

    def _within_intensity(self, now: float) -> bool:
        while self._times and now - self._times[0] > self._policy.period:
            self._times.popleft()
        return len(self._times) < self._policy.intensity

    def _back_off(self, now: float) -> float | None:
        self._attempts += 1
        if self.failed:
            return None
        delay = min(self._policy.backoff * 2.0 ** (self._attempts - 1), self._policy.backoff_limit)
        self._resume_at = self._probing_since = now + delay
        self.total += 1
        return delay

    def _forget(self) -> None:
        self._times.clear()
        self._attempts = 0
        self._probing_since = None
