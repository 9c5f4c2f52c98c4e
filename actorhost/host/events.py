"""Tells the lattice what happened in this host: CloudEvents on ``ah.LATTICE.evt.TYPE``.

Owned by the host. :meth:`Events.emit` never waits nor raises; a task publishes. Events are told at
most once: nobody keeps them, and those on their way when a connection breaks are lost. What happens
while it is away waits in a bounded queue and follows when it is back. :meth:`Events.stop` sends what
is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import anyio

from actorhost import clock
from actorhost.host.event_queue import EventQueue, Happening
from actorhost.ids import HostId, LatticeName
from actorhost.telemetry import log
from actorhost.telemetry.event import EventKind, encode, event_of
from actorhost.telemetry.log import Log
from actorhost.transport import Transport
from actorhost.wire.subject import event_subject

_GATHER: Final = 0.02
"""Seconds between looks at the queue, however much happens."""
_RETRY: Final = 0.25
"""Seconds between attempts while the transport takes nothing."""

_log: Final = Log("actorhost.host")


class Events:
    """What happens in host `host` of `lattice`, on its way to `transport`."""

    def __init__(self, transport: Transport, lattice: LatticeName, host: HostId) -> None:
        self._transport = transport
        self._lattice = str(lattice)
        self._host = str(host)
        self._source = f"/{lattice}/{host}"
        self._queue = EventQueue()
        self._wake = anyio.Event()
        self._number = 0
        self._lost_at: float | None = None

    def emit(
        self, kind: EventKind, subject: str = "", data: Mapping[str, Any] | None = None, *, count: int = 1
    ) -> None:
        """Tell that `kind` happened, `count` times, to `subject`: an actor, an application, or this host."""
        self._queue.add(Happening(kind, subject or self._host, data or {}, clock.wall_ns(), count))
        self._wake.set()

    def connection(self, connected: bool) -> None:
        """Tell that the connection broke, or that it is back."""
        now = clock.monotonic()
        if not connected and self._lost_at is None:
            self._lost_at = now
            self.emit(EventKind.NATS_LOST)
        elif connected and self._lost_at is not None:
            self.emit(EventKind.NATS_RESTORED, data={"seconds": round(now - self._lost_at, 3)})
            self._lost_at = None

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            with anyio.move_on_after(self._patience()):
                await self._wake.wait()
            self._wake = anyio.Event()
            self._queue.release()
            self._send_all()
            await anyio.sleep(_GATHER)

    def stop(self) -> None:
        """Publish what waits, as far as the transport takes it at once."""
        self._queue.release(everything=True)
        self._send_all()

    def _patience(self) -> float | None:
        return self._queue.wait() if self._queue.next() is None else _RETRY

    def _send_all(self) -> None:
        """Publish until nothing is left or the transport takes no more."""
        if self._queue.dropped:
            data = {"dropped": self._queue.dropped}
            if not self._send(Happening(EventKind.EVENTS_DROPPED, self._host, data, clock.wall_ns(), 1)):
                return
            self._queue.dropped = 0
        while (happening := self._queue.next()) is not None and self._send(happening):
            self._queue.told()

    def _send(self, happening: Happening) -> bool:
        """Publish one event; false when that must wait. One that can never travel is dropped."""
        try:
            content = self._encoded(happening)
        except Exception:  # noqa: BLE001 - a bug in one event must not end the host
            log.bug(_log, "bug while telling an event", kind=str(happening.kind))
            content = None
        if content is None or len(content) > self._transport.max_payload:
            self._queue.dropped += happening.count
            return True
        if not self._transport.send_now(event_subject(self._lattice, happening.kind), content):
            return False
        self._number += 1
        return True

    def _encoded(self, happening: Happening) -> bytes:
        counted = {"count": happening.count} if happening.count > 1 else {}
        return encode(
            event_of(
                happening.kind,
                number=self._number + 1,
                source=self._source,
                subject=happening.subject,
                time_ns=happening.time_ns,
                data={**happening.data, **counted},
            )
        )
