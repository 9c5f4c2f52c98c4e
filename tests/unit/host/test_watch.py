"""What hosts publish for watchers: only under a lease, bounded, in batches; what is dropped is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actorhost.errors import NoRoute, Overloaded
from actorhost.host.control_messages import WatchRequest
from actorhost.host.log import ActorLog
from actorhost.host.trace import Tracer
from actorhost.host.watch import BATCH, LEASE, MAX_LEASES, MAX_WAITING, Watches
from actorhost.host.watch_messages import LogBatch, decode_batch
from actorhost.ids import HostId, LatticeName
from actorhost.limits import KIB
from actorhost.testing.clock import ManualClock
from actorhost.transport import MemoryBus, MemoryTransport
from actorhost.wire.subject import Watched, watch_subject

LOGS = WatchRequest("a", Watched.LOGS)
TRACE = WatchRequest("a", Watched.TRACE)
LINE = "x" * 1000


class Part:
    """What can be watched of an actor."""

    def __init__(self) -> None:
        self.log = ActorLog("a")
        self.tracer: Tracer | None = None


class Watcher:
    """Host parts under test, and the batches that left."""

    def __init__(self, *, max_payload: int) -> None:
        self.clock = ManualClock()
        self.actors = {"a": Part()}
        self.transport = MemoryTransport(MemoryBus(max_payload=max_payload))
        self.watches = Watches(
            self.transport, LatticeName("l"), str(HostId.new()), self.actors, now=self.clock
        )
        self.sent: list[bytes] = []

    async def open(self) -> None:
        await self.transport.start()
        subject = watch_subject("l", Watched.LOGS, "a")
        await self.transport.subscribe(subject, lambda _subject, _reply, data: self.sent.append(data))

    async def batches(self) -> list[LogBatch]:
        """Send what waits and return it."""
        self.watches.send()
        await self.transport.flush(1)
        sent, self.sent = self.sent, []
        found = [decode_batch(Watched.LOGS, data) for data in sent]
        return [batch for batch in found if isinstance(batch, LogBatch)]


@pytest.fixture
async def small() -> AsyncIterator[Watcher]:
    one = Watcher(max_payload=4 * KIB)
    await one.open()
    yield one
    await one.transport.close()


@pytest.fixture
async def one() -> AsyncIterator[Watcher]:
    one = Watcher(max_payload=256 * KIB)
    yield one
    await one.transport.close()


def test_a_lease_ends_by_itself_unless_asked_for_again(one: Watcher) -> None:
    part = one.actors["a"]
    assert one.watches.lease(LOGS).lease_ms == LEASE * 1000
    one.clock.advance(LEASE - 1)
    one.watches.lease(LOGS)
    one.clock.advance(LEASE - 1)
    one.watches.expire()
    assert part.log.watch is not None
    one.clock.advance(1)
    one.watches.expire()
    assert part.log.watch is None


def test_payloads_end_when_only_others_go_on(one: Watcher) -> None:
    part = one.actors["a"]
    one.watches.lease(WatchRequest("a", Watched.TRACE, payloads=True))
    one.clock.advance(LEASE / 2)
    one.watches.lease(TRACE)
    tracer = part.tracer
    assert tracer is not None
    assert tracer.payloads
    one.clock.advance(LEASE / 2)
    one.watches.expire()
    assert part.tracer is tracer
    assert not tracer.payloads


def test_a_successor_is_watched_and_who_was_not_watched_is_not(one: Watcher) -> None:
    one.watches.lease(LOGS)
    one.actors["a"], one.actors["b"] = Part(), Part()
    for name in one.actors:
        one.watches.attach(name)
    assert one.actors["a"].log.watch is not None
    assert one.actors["a"].tracer is None
    assert one.actors["b"].log.watch is None
    del one.actors["a"]
    one.clock.advance(LEASE)
    one.watches.expire()


def test_who_is_not_here_and_what_is_too_much_is_refused(one: Watcher) -> None:
    with pytest.raises(NoRoute, match="no actor 'nobody'"):
        one.watches.lease(WatchRequest("nobody", Watched.LOGS))
    for number in range(MAX_LEASES):
        one.actors[f"a{number}"] = Part()
        one.watches.lease(WatchRequest(f"a{number}", Watched.TRACE))
    with pytest.raises(Overloaded):
        one.watches.lease(LOGS)
    one.watches.lease(WatchRequest("a0", Watched.TRACE))
    one.clock.advance(LEASE)
    one.watches.expire()
    one.watches.lease(LOGS)


async def test_what_is_too_much_is_dropped_and_counted(one: Watcher) -> None:
    """The transport is not open: records wait, and nothing that logs notices."""
    one.watches.lease(LOGS)
    log = one.actors["a"].log
    for _ in range(2 * MAX_WAITING // len(LINE)):
        log.write("console", LINE)
    one.watches.send()
    await one.open()
    batches = await one.batches()
    lines = [line for batch in batches for line in batch.records]
    assert 0.9 * MAX_WAITING < len(lines) * len(LINE) < MAX_WAITING
    assert sum(batch.dropped for batch in batches) + len(lines) == 2 * MAX_WAITING // len(LINE)
    assert [line.number for line in lines] == list(range(lines[0].number, lines[0].number + len(lines)))
    assert len(batches) < 2 * MAX_WAITING / BATCH
    log.write("console", "room again")
    (batch,) = await one.batches()
    assert ([line.text for line in batch.records], batch.dropped) == (["room again"], 0)


async def test_batches_fit_a_small_server_and_what_never_will_is_dropped(small: Watcher) -> None:
    small.watches.lease(LOGS)
    log = small.actors["a"].log
    log.write("console", "\x07" * 1900)
    for _ in range(9):
        log.write("console", LINE)
    batches = await small.batches()
    assert [len(batch.records) for batch in batches] == [3, 3, 3]
    assert [batch.dropped for batch in batches] == [1, 0, 0]
