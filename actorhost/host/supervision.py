"""What follows the end of an actor's instance: a restart at once, a pause, or the end of the actor.

Owned by the actor; its runners report to it and wait for it. The rules are
:mod:`actorhost.lifecycle.restarts`; here they meet the clock, the log, the lattice's events and the
messages that come meanwhile: new ones are refused with the reason, those in the mailbox wait.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

import anyio

from actorhost import clock
from actorhost.errors import ActorhostError, GuestTrapped, Unavailable
from actorhost.host.events import Events
from actorhost.lifecycle import RestartPolicy, Restarts
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log

_SHOWN_CAUSES: Final = 3
"""Different causes in a refusal; the log and the status have more."""

_log: Final = Log("actorhost.host")


class Supervision:
    """Watches over the instances of actor `name` by `policy`.

    `until` is when the last pause ends, in seconds of the monotonic clock: 0 when there was none that
    it has not recovered from, infinite once the actor has failed. As long as it is 0 nobody need ask
    :meth:`holds`. What it decides is told to `events`.
    """

    __slots__ = ("_events", "_name", "_period", "_restarts", "until")

    def __init__(self, name: str, policy: RestartPolicy, events: Events) -> None:
        self._name = name
        self._period = policy.period
        self._restarts = Restarts(policy)
        self._events = events
        self.until = 0.0

    @property
    def state(self) -> str:
        """``running``, ``waiting`` before a restart, or ``failed``."""
        if self._restarts.failed:
            return "failed"
        return "waiting" if self.holds() else "running"

    @property
    def restarts(self) -> int:
        """Restarts so far."""
        return self._restarts.total

    @property
    def causes(self) -> list[str]:
        """Why instances ended lately, oldest first."""
        return [cause.why for cause in self._restarts.causes]

    def holds(self) -> bool:
        """Whether messages must wait now, or are refused for good."""
        return self.until > 0 and clock.monotonic() < self.until

    def ended(self, error: ActorhostError, *, counts: bool = True) -> None:
        """Note that an instance ended with `error`, and decide what follows.

        One that does not count is told of and changes nothing.
        """
        end = {"code": str(error.code), "reason": error.message}
        end["backtrace" if isinstance(error, GuestTrapped) else "hint"] = error.hint
        _log.warning("instance ended", actor=self._name, **end)
        self._events.emit(EventKind.INSTANCE_ENDED, self._name, end)
        if not counts:
            return
        now = clock.monotonic()
        waiting = self.holds()
        wait = self._restarts.ended(f"{error.code}: {error.message}", now)
        if wait is None:
            self._fail(already=self.until == math.inf)
        elif wait and not waiting:
            self.until = now + wait
            _log.error("actor waits before its next restart", actor=self._name, seconds=wait)
            told = {"seconds": wait, "causes": self.causes}
            self._events.emit(EventKind.ACTOR_WAITING, self._name, told)

    def look(self, now: float) -> None:
        """Note that the actor has recovered, if it has: no end within its period after a pause."""
        if self.until and now > self.until + self._period:
            self.until = 0.0
            _log.info("actor has recovered", actor=self._name)
            self._events.emit(EventKind.ACTOR_RECOVERED, self._name, {"restarts": self.restarts})

    async def permit(self) -> None:
        """Return when an instance may be started; raises :class:`Unavailable` when none ever may."""
        while self.holds():
            if self._restarts.failed:
                raise self.refusal()
            await anyio.sleep(max(0.0, self.until - clock.monotonic()))

    def refusal(self) -> Unavailable:
        """Return what a message is refused with while this holds."""
        causes = _counted(self.causes)
        if self._restarts.failed:
            error = Unavailable(
                f"actor {self._name!r} has failed: it ended too often. Last ends: {causes}",
                hint="correct the module or what it was sent, and deploy it again",
            )
            error.retryable = False
            return error
        left = max(0.0, self.until - clock.monotonic())
        return Unavailable(
            f"actor {self._name!r} ended too often and is started again in {left:.1f} s. Last ends: {causes}",
            hint="retry later",
        )

    def _fail(self, *, already: bool) -> None:
        self.until = math.inf
        if not already:
            _log.error("actor failed", actor=self._name, causes=self.causes)
            self._events.emit(EventKind.ACTOR_FAILED, self._name, {"causes": self.causes})


def _counted(causes: list[str]) -> str:
    """Return the latest different `causes`, each once and how often it was."""
    counts = Counter(causes)
    latest = list(dict.fromkeys(reversed(causes)))[:_SHOWN_CAUSES]
    return "; ".join(
        cause if counts[cause] == 1 else f"{cause} ({counts[cause]} times)" for cause in reversed(latest)
    )
