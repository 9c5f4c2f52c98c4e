"""Events leave the host when the transport takes them, numbered, and never disturb who emits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from actorhost import clock
from actorhost.errors import GuestTrapped
from actorhost.host.event_queue import KEPT
from actorhost.host.events import Events
from actorhost.host.supervision import Supervision
from actorhost.ids import HostId, LatticeName
from actorhost.lifecycle import RestartPolicy
from actorhost.telemetry.event import Event, EventKind, decode
from actorhost.transport import MemoryBus, MemoryTransport


class Told(list[Event]):
    """What came over the bus."""

    def receive(self, _subject: str, _reply: str, data: bytes) -> None:
        self.append(decode(data))

    def kinds(self) -> list[str]:
        return [event.kind for event in self]


@pytest.fixture
async def transport() -> AsyncIterator[MemoryTransport]:
    """A transport that is not started yet: like one whose connection is away, it takes nothing."""
    transport = MemoryTransport(MemoryBus(max_payload=4096))
    yield transport
    await transport.close()


@pytest.fixture
def events(transport: MemoryTransport) -> Events:
    return Events(transport, LatticeName("lab"), HostId("0123456789abcdef"))


async def everything(transport: MemoryTransport, events: Events) -> Told:
    """Let the transport come, and return all that was told."""
    told = Told()
    await transport.start()
    await transport.subscribe("ah.lab.evt.*", told.receive)
    events.stop()
    await transport.flush(1)
    return told


async def test_what_happened_while_the_connection_was_away_is_told_when_it_is_back(
    transport: MemoryTransport, events: Events
) -> None:
    events.connection(False)
    events.connection(False)
    events.emit(EventKind.ACTOR_FAILED, "trap", {"causes": ["it"]})
    events.stop()
    events.connection(True)
    told = await everything(transport, events)
    assert told.kinds() == ["nats-lost", "actor-failed", "nats-restored"]
    assert [event.id for event in told] == ["1", "2", "3"]
    assert {event.source for event in told} == {"/lab/0123456789abcdef"}
    assert [event.subject for event in told] == ["0123456789abcdef", "trap", "0123456789abcdef"]
    assert told[2].data["seconds"] >= 0


async def test_what_had_to_be_dropped_is_told_first(transport: MemoryTransport, events: Events) -> None:
    for number in range(KEPT + 7):
        events.emit(EventKind.ACTOR_FAILED, f"actor-{number}")
    told = await everything(transport, events)
    assert (told[0].kind, told[0].data) == ("events-dropped", {"dropped": 7})
    assert (told[1].subject, len(told)) == ("actor-7", KEPT + 1)


async def test_what_can_never_be_told_is_counted_and_holds_nothing_up(
    transport: MemoryTransport, events: Events
) -> None:
    events.emit(EventKind.ACTOR_FAILED, "large", {f"part-{n}": "x" * 1000 for n in range(5)})
    events.emit(EventKind.ACTOR_FAILED, "strange", {"what": object()})
    events.emit(EventKind.ACTOR_FAILED, "fine")
    told = await everything(transport, events)
    events.stop()
    await transport.flush(1)
    assert [(event.subject, event.data) for event in told] == [
        ("fine", {}),
        ("0123456789abcdef", {"dropped": 2}),
    ]


async def test_a_storm_is_published_as_it_goes_on(transport: MemoryTransport, events: Events) -> None:
    told = Told()
    await transport.start()
    await transport.subscribe("ah.lab.evt.instance-ended", told.receive)
    running = asyncio.gather(events.run())
    for _ in range(100):
        for _ in range(100):
            events.emit(EventKind.INSTANCE_ENDED, "trap")
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while sum(event.data.get("count", 1) for event in told) < 10_000:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(told) <= 10


async def test_the_life_of_an_actor_that_ends_too_often_and_recovers(
    transport: MemoryTransport, events: Events
) -> None:
    policy = RestartPolicy(intensity=1, period=5, backoff=2, attempts=1)
    supervision = Supervision("fragile", policy, events)
    for _ in range(2):
        supervision.ended(GuestTrapped("it trapped", hint="in divide < handle"))
    until = supervision.until
    supervision.look(until + policy.period - 0.1)
    assert supervision.until == until
    supervision.look(until + policy.period + 0.1)
    supervision.look(clock.monotonic() + 100)
    assert (supervision.until, supervision.state) == (0, "running")
    told = await everything(transport, events)
    assert told.kinds() == ["instance-ended", "instance-ended", "actor-waiting", "actor-recovered"]
    assert told[0].data == {"code": "trapped", "reason": "it trapped", "backtrace": "in divide < handle"}
    assert told[2].data == {"seconds": 2.0, "causes": ["trapped: it trapped"] * 2}
