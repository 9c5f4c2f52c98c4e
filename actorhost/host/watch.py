"""Publishes what happens in actors, to whoever watches and for as long as they ask.

Owned by the router. Who watches asks again every few seconds; a lease that is not asked for again ends
by itself, so a watcher that has gone costs nothing after :data:`LEASE`. A lease belongs to an actor's
name: one that is deployed again goes on being watched. Records wait in a bounded queue for each lease
and leave in batches from a task of the host's; nothing an actor does waits for that. What does not
fit is dropped and counted, and the next batch says how many. While NATS is away, or has much to
take, records wait here: they must not fill the outbox that answers need.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final, Protocol

import anyio

from actorhost import clock
from actorhost.errors import NoRoute, Overloaded
from actorhost.host.control_messages import WatchReply, WatchRequest
from actorhost.host.log import ActorLog, Line
from actorhost.host.trace import Tracer
from actorhost.host.watch_messages import Handled, encode_batch, encode_record
from actorhost.ids import LatticeName
from actorhost.limits import KIB, MIB
from actorhost.transport import Transport
from actorhost.wire.subject import Watched, watch_subject

LEASE: Final = 10.0
"""Seconds for which records are published unless somebody asks again."""
MAX_LEASES: Final = 16
"""Actors, or kinds of records of them, that may be watched at a time on one host."""
MAX_WAITING: Final = MIB
"""Bytes of records that wait for one lease, at most."""
BATCH: Final = 64 * KIB
"""Bytes of records in one message, about."""

_GATHER: Final = 0.05
"""Seconds in which records come together."""
_BATCHES: Final = 16
"""Batches of one lease in one go: as much as may wait."""
_BUSY: Final = MIB
"""Bytes waiting for the server from which on records wait here instead."""
_OVERHEAD: Final = 64
"""Bytes a batch takes besides its records, at most."""


class Watchable(Protocol):
    """What can be watched of an actor."""

    log: ActorLog
    tracer: Tracer | None


class _Lease:
    """Records of one kind of one actor on their way to `subject`."""

    __slots__ = ("_bytes", "_waiting", "dropped", "payloads_until", "subject", "tracer", "until")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.until = 0.0
        self.payloads_until = 0.0
        self.dropped = 0
        self.tracer = Tracer(self.put)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0

    def put(self, record: Line | Handled) -> None:
        """Take one record, or count it as dropped."""
        data = encode_record(record)
        if self._bytes + len(data) > MAX_WAITING:
            self.dropped += 1
            return
        self._bytes += len(data)
        self._waiting.append(data)

    def batch(self, room: int) -> list[bytes]:
        """Return the next records that fit into `room` bytes; those that never will are dropped."""
        while self._waiting and len(self._waiting[0]) > room:
            self.dropped += 1
            self._bytes -= len(self._waiting.popleft())
        count = 0
        for data in self._waiting:
            room -= len(data)
            if room < 0:
                break
            count += 1
        return list(islice(self._waiting, count))

    def sent(self, records: list[bytes]) -> None:
        """Forget what :meth:`batch` returned, which has left."""
        self.dropped = 0
        for data in records:
            self._bytes -= len(data)
            self._waiting.popleft()


class Watches:
    """The leases on `actors` (by name) of host `host`; `now` returns the time in seconds."""

    def __init__(
        self,
        transport: Transport,
        lattice: LatticeName,
        host: str,
        actors: Mapping[str, Watchable],
        *,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._transport = transport
        self._lattice = lattice
        self._host = host
        self._actors = actors
        self._now = now
        self._leases: dict[tuple[str, Watched], _Lease] = {}
        self._wake = anyio.Event()

    def lease(self, request: WatchRequest) -> WatchReply:
        """Publish what is asked for until :data:`LEASE` from now.

        Raises :class:`NoRoute` when the actor does not live here, and :class:`Overloaded` when
        too many are watched.
        """
        actor = self._actors.get(request.actor)
        if actor is None:
            hint = "`actorhost ps` shows where it runs"
            raise NoRoute(f"no actor {request.actor!r} on this host", hint=hint)
        lease = self._lease(request.actor, request.what)
        lease.until = self._now() + LEASE
        if request.payloads:
            lease.payloads_until = lease.until
        self._hook(actor, request.what, lease)
        return WatchReply(round(LEASE * 1000), actor.log.last)

    def attach(self, name: str) -> None:
        """Watch the actor of that name, which has just come, if somebody watched its predecessor."""
        for what in Watched:
            lease = self._leases.get((name, what))
            if lease is not None:
                self._hook(self._actors[name], what, lease)

    async def run(self) -> None:
        """Publish and end leases until cancelled; what waits then is still sent, if it can be at once."""
        try:
            while True:
                await self._wake.wait()
                self._wake = anyio.Event()
                while self._leases:
                    await anyio.sleep(_GATHER)
                    self.expire()
                    self.send()
        finally:
            self.send()

    def expire(self) -> None:
        """End the leases whose time is up."""
        now = self._now()
        for (name, what), lease in list(self._leases.items()):
            lease.tracer.payloads = now < lease.payloads_until
            if now >= lease.until:
                del self._leases[name, what]
                actor = self._actors.get(name)
                if actor is not None:
                    self._hook(actor, what, None)

    def send(self) -> None:
        """Publish what waits, as far as the transport takes it at once."""
        room = min(BATCH, self._transport.max_payload - _OVERHEAD)
        for lease in self._leases.values():
            for _ in range(_BATCHES):
                records = lease.batch(room)
                if not records or not self._publish(lease, records):
                    break
                lease.sent(records)

    def _publish(self, lease: _Lease, records: list[bytes]) -> bool:
        if self._transport.statistics().unsent_bytes > _BUSY:
            return False
        return self._transport.send_now(lease.subject, encode_batch(self._host, lease.dropped, records))

    def _lease(self, name: str, what: Watched) -> _Lease:
        lease = self._leases.get((name, what))
        if lease is None:
            if len(self._leases) >= MAX_LEASES:
                raise Overloaded(
                    f"this host is watched for {MAX_LEASES} actors already",
                    hint=f"end another `actorhost trace` or `logs --follow`, and wait {LEASE:.0f} s",
                )
            lease = self._leases[name, what] = _Lease(watch_subject(self._lattice, what, name))
            self._wake.set()
        return lease

    def _hook(self, actor: Watchable, what: Watched, lease: _Lease | None) -> None:
        """Let the actor hand its records to `lease`, or to nobody."""
        if what is Watched.LOGS:
            actor.log.watch = None if lease is None else lease.put
            return
        actor.tracer = None if lease is None else lease.tracer
        if lease is not None:
            lease.tracer.payloads = self._now() < lease.payloads_until
