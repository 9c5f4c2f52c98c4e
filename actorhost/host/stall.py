"""Notices that this process stood still, so that what waited meanwhile does not pass for new.

A message says how long its sender waits, not when it was sent: clocks differ. A host that was
stopped for a minute finds old messages in its socket and would handle them for callers that have
gone. Owned by the host; what arrives is taken to be as old as the pause until the server has
confirmed that nothing older is on its way.
"""

from __future__ import annotations

import asyncio
from typing import Final

from actorhost import clock
from actorhost.errors import ActorhostError
from actorhost.host.events import Events
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log
from actorhost.transport import Transport

_BEAT: Final = 0.25
_PAUSE: Final = 1.0
"""Seconds without a beat that are a pause: less is a busy moment."""

_log: Final = Log("actorhost.host")


class Pulse:
    """Beats in the event loop; `timeout` bounds the server's confirmation, in seconds.

    Pauses are told to `events`.
    """

    __slots__ = ("_beat", "_events", "_late", "_timeout", "_transport")

    def __init__(self, transport: Transport, events: Events, *, timeout: float) -> None:
        self._transport = transport
        self._events = events
        self._timeout = timeout
        self._late = 0.0
        self._beat = clock.monotonic()

    def age(self, now: float) -> float:
        """Return the seconds a message that is read `now` may have waited here, 0 as a rule."""
        still = now - self._beat
        return still if still > _BEAT + _PAUSE else self._late

    async def run(self) -> None:
        """Beat until cancelled."""
        self._beat = clock.monotonic()
        while True:
            await asyncio.sleep(_BEAT)
            still = clock.monotonic() - self._beat
            if still > _BEAT + _PAUSE:
                self._late = still
                self._beat = clock.monotonic()
                _log.warning("the host stood still", seconds=round(still, 3))
                self._events.emit(EventKind.HOST_STALLED, data={"seconds": round(still, 3)})
                await self._catch_up()
            self._beat = clock.monotonic()

    async def _catch_up(self) -> None:
        try:
            await self._transport.flush(self._timeout)
        except ActorhostError:
            # The server gave us up meanwhile: what was on its way here went with the connection.
            pass
        finally:
            self._late = 0.0
