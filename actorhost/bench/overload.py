"""``bench overload``: a host offered several times what it can do.

Capacity is measured first, in the same run, with 16 callers that wait and one tell in ten messages, and
once more afterwards: the ratio takes the median of the windows of both, so that a machine whose speed
drifts decides little. Then a generator of its own sends on schedule, whether or not answers come. Nine
messages in ten are asks, one of these with so little time that it expires in a full mailbox; one in ten
is a tell, which becomes a dead letter when there is no room.

Each message is about 0.7 ms of computation, as an actor that parses, looks something up and decides
takes. Refusing is work too: at 5 times capacity the host turns four messages away for each one it
handles, and keeps dead letters of some. The shorter the messages, the more are turned away in the time of
one: with ``--work-us 300`` some seven eighths of the goodput are left, with 100 four fifths (of the 40,000
messages a second that were then offered, each was still answered).

What others do on the machine counts against the host: ``host_processor`` in the detail says what share
of one processor it got under load, and what messages cost it, which hardly depends on that.

A refusal's time is seen from outside: from sending the ask to receiving the refusal, less the median
round trip to a bare responder in the same run. So it includes waiting for the processors that host,
server and generator share.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio

from actorhost import Client
from actorhost.bench import guests, load, process
from actorhost.bench.figures import percentile, shown, spread
from actorhost.bench.load import REPLY, UNANSWERED, Outcome, Plan
from actorhost.bench.worker import ACTOR, OPERATION, Sample, Watched, Worker, processor_us, rates
from actorhost.errors import FaultCode, Unavailable

_BARE: Final = "bench.bare.overload"
_LITTLE_TIME: Final = 0.3
"""Seconds an impatient ask has: less than a full mailbox of the default length takes."""
_AFTER: Final = 3.0
_ENOUGH: Final = 3
_STORING: Final = 0.2
_TIMEOUT: Final = 5.0
_OVERLOADED: Final = str(FaultCode.OVERLOADED)


@dataclass(frozen=True)
class Sizes:
    """How long and how much: `work_us` of computation in each message, `factor` times capacity."""

    seconds: float
    factor: float
    work_us: float
    capacity_seconds: float


@dataclass(frozen=True)
class _Found:
    """What one run measured; times in seconds, rates a second."""

    round_trip_ms: float
    quiet: list[float]
    before: list[Sample]
    after: list[Sample]
    start: Sample
    end: Sample
    seen: Watched
    outcome: Outcome

    @property
    def ended_at(self) -> float:
        """When the last message of the load was sent."""
        return self.outcome.started + self.outcome.sent[-1]

    def during(self) -> list[Sample]:
        """Return the samples taken under load; raises :class:`Unavailable` when there are too few."""
        found = [one for one in self.seen.samples if self.outcome.started <= one.at <= self.ended_at]
        if len(found) < _ENOUGH:
            raise Unavailable(
                f"the host said only {len(found)} times under load what it had done",
                hint="use more --seconds",
            )
        return found


async def run(sizes: Sizes) -> dict[str, Any]:
    """Return goodput, refusal time, recovery, memory and where every message sent has gone."""
    with process.place() as place:
        manifest = place.manifest({ACTOR: guests.working()})
        async with place.up(manifest) as host, Client(host.url) as client:
            turns = await guests.turns_for(sizes.work_us, lambda data: client.ask(ACTOR, OPERATION, data))
            found = await _measure(Worker(host, client, guests.work(turns)), sizes)
            stored = await _letters(client)
    return _figures(found) | {"detail": _detail(found) | {"dead_letters_stored": stored}}


async def _measure(worker: Worker, sizes: Sizes) -> _Found:
    url = worker.host.url
    round_trip = await _bare_round_trip(url)
    await worker.unloaded(50)
    quiet = await worker.unloaded(200)
    before = await worker.capacity(sizes.capacity_seconds)
    start = await worker.settled()
    async with _watched(worker) as seen:
        outcome = await load.offer(
            _plan(worker, statistics.median(rates(before)) * sizes.factor, sizes.seconds)
        )
        await asyncio.sleep(_AFTER)
    end = await worker.settled()
    after = await worker.capacity(sizes.capacity_seconds)
    return _Found(round_trip, quiet, before, after, start, end, seen, outcome)


def _plan(worker: Worker, rate: float, seconds: float) -> Plan:
    """Return the mix: eight asks, an impatient one and a tell in turn."""
    ask = load.message(ACTOR, OPERATION, worker.payload)
    impatient = load.message(ACTOR, OPERATION, worker.payload, patience=_LITTLE_TIME)
    tell = load.message(ACTOR, OPERATION, worker.payload, ask=False)
    return Plan(worker.host.url, (ask, ask, ask, ask, impatient, ask, ask, ask, ask, tell), rate, seconds)


@asynccontextmanager
async def _watched(worker: Worker) -> AsyncIterator[Watched]:
    """Watch and probe while the block runs; a probe on its way at the end is waited for."""
    seen = Watched()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.watch, seen)
        tasks.start_soon(worker.probe, seen)
        yield seen
        seen.over = True


async def _bare_round_trip(url: str) -> float:
    """Return the median milliseconds of a message to a bare responder and back."""
    async with process.responder(url, _BARE):
        outcome = await load.offer(Plan(url, (load.Message(_BARE, b"x" * 64, ask=True),), 200, 2))
    return statistics.median(outcome.from_sending(outcome.which(REPLY)))


async def _letters(client: Client) -> int:
    """Return how many dead letters are stored in the end: those of a long load take a while."""
    stored, before = 0, -1
    while stored != before:
        await asyncio.sleep(_STORING)
        answer = await client.transport.request("$JS.API.STREAM.INFO.AH_DEAD_default", b"", _TIMEOUT)
        stored, before = int(json.loads(answer).get("state", {}).get("messages", 0)), stored
    return stored


def _figures(found: _Found) -> dict[str, Any]:
    outcome, during = found.outcome, found.during()
    refused = outcome.from_sending(outcome.which(_OVERLOADED))
    capacity = statistics.median([*rates(found.before), *rates(found.after)])
    normal = found.seen.normal_from(found.ended_at, 2 * percentile(found.quiet, 0.99))
    return {
        "goodput_ratio": round(statistics.median(rates(during)) / capacity, 3),
        "offered_ratio": round(outcome.offered() / statistics.median(rates(found.before)), 2),
        "refusal_p99_ms": round(percentile(refused, 0.99) - found.round_trip_ms, 2) if refused else None,
        "recovery_s": shown(normal - found.ended_at),
        "memory_growth_mb": round(during[-1].resident - during[len(during) // 2].resident, 1),
        **_accounts(found),
    }


def _accounts(found: _Found) -> dict[str, int]:
    """Return what was sent, by those who sent it, and what became of it, by the host's counters."""
    first, last, outcome = found.start.status, found.end.status, found.outcome
    sent = len(outcome.sent) + len(found.seen.probes) + 1  # settling asks once
    expired, dead = last.expired - first.expired, last.dead - first.dead
    accepted = last.accepted - first.accepted - expired
    refused = last.refused - first.refused - dead
    return {
        "sent": sent,
        "accepted": accepted,
        "refused": refused,
        "expired": expired,
        "dead": dead,
        "unaccounted": sent - accepted - refused - expired - dead,
        "unanswered": len(outcome.which(UNANSWERED, turns=range(outcome.turns - 1))),
        "answered_twice": outcome.repeated,
    }


def _detail(found: _Found) -> dict[str, Any]:
    outcome, during = found.outcome, found.during()
    refused = outcome.from_sending(outcome.which(_OVERLOADED))
    return {
        "capacity_before_per_s": spread(rates(found.before)),
        "capacity_after_per_s": spread(rates(found.after)),
        "goodput_per_s": spread(rates(during)),
        "host_processor": _processor(found),
        "offered": {
            "per_s": round(outcome.offered(), 1),
            "late_p99_ms": round(outcome.lateness_ms(), 2),
        },
        "refusal_ms": spread(refused) | {"bare_round_trip": round(found.round_trip_ms, 3)},
        "unloaded_ms": spread([seconds * 1e3 for seconds in found.quiet]),
        "resident_mb": {
            "start": round(found.start.resident, 1),
            "middle": round(during[len(during) // 2].resident, 1),
            "end": round(during[-1].resident, 1),
        },
        "seen_by_the_generator": {
            code or "no answer": len(outcome.which(code)) for code in sorted(outcome.codes)
        },
        "handled": found.end.status.replied - found.start.status.replied,
    }


def _processor(found: _Found) -> dict[str, float]:
    """Return what the host's messages cost it, and how much of a processor it got under load.

    A share below 1 says that others on this machine took what the host could have used; then the
    goodput is theirs as much as the host's.
    """
    during = found.during()
    first, last = during[0], during[-1]
    handled_us = statistics.mean([processor_us(found.before), processor_us(found.after)])
    used = last.processor - first.processor
    handled = last.status.replied - first.status.replied
    turned = last.status.refused - first.status.refused + last.status.expired - first.status.expired
    return {
        "us_per_handled": round(handled_us, 1),
        "us_per_turned_away": round((used * 1e6 - handled * handled_us) / max(1, turned), 1),
        "share": round(used / (last.at - first.at), 3),
    }
