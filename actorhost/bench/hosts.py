"""``bench hosts``: two hosts on one NATS server under load, one killed, then the other frozen.

Messages come at a fixed rate that one host alone can take. After a while the first host is killed
(SIGKILL) and later started again; then the second is frozen (SIGSTOP) and later continues (SIGCONT).
A call that gets no reply within its deadline has failed, whatever the reason. What fails within 3 s of
a fault is in the detail; what is sent later, until the next fault, counts: after the frozen host
continues that is everything, as it should do no harm when it comes back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final

import anyio
import psutil

from actorhost import Client, clock
from actorhost.bench import guests, load, process
from actorhost.bench.figures import spread
from actorhost.bench.load import REPLY, Outcome, Plan
from actorhost.bench.process import Measured, Place
from actorhost.bench.worker import ACTOR, OPERATION
from actorhost.transport import NatsServer

_DEADLINE: Final = 2.0
_GRACE: Final = 3.0
"""Seconds after a fault from which on no call may fail because of it."""
_PHASES: Final = 5
_STARTING: Final = 3.0
"""Seconds that starting a host again may take, about; the load lasts so much longer."""


@dataclass(frozen=True)
class Sizes:
    """Messages a second, microseconds of computation in each, and seconds in each phase."""

    rate: float
    work_us: float
    phase: float


@dataclass(frozen=True)
class _Phase:
    """From `at` on (seconds of the monotonic clock) things were as `name` says."""

    name: str
    at: float
    fault: bool


async def run(sizes: Sizes) -> dict[str, Any]:
    """Return ``failed_after_3s``, and who answered how much, phase by phase."""
    with process.place() as place:
        async with NatsServer(place.folder / "nats") as server:
            phases, outcome, names = await _under_load(place, server.url, sizes)
    return _figures(phases, outcome, names)


async def _under_load(place: Place, url: str, sizes: Sizes) -> tuple[list[_Phase], Outcome, dict[str, str]]:
    """Return the phases, what became of the messages, and names for the hosts' ids."""
    manifest = place.manifest({ACTOR: guests.working()})
    async with AsyncExitStack() as hosts:
        first = await hosts.enter_async_context(place.up(manifest, nats=url))
        second = await hosts.enter_async_context(place.up(manifest, nats=url))
        hosts.callback(_continue, second)
        plan = await _plan(url, sizes)
        phases = list[_Phase]()
        found = list[Outcome]()

        async def offer() -> None:
            found.append(await load.offer(plan))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(offer)
            await _phase(phases, "both", sizes)
            first.process.kill()
            await _phase(phases, "first killed", sizes, fault=True)
            third = await hosts.enter_async_context(place.up(manifest, nats=url))
            await _phase(phases, "first started again", sizes)
            second.process.suspend()
            await _phase(phases, "second frozen", sizes, fault=True)
            second.process.resume()
            await _phase(phases, "second continued", sizes)
    names = {first.host: "first", second.host: "second", third.host: "first again"}
    return phases, found[0], names


async def _phase(phases: list[_Phase], name: str, sizes: Sizes, *, fault: bool = False) -> None:
    phases.append(_Phase(name, clock.monotonic(), fault))
    await asyncio.sleep(sizes.phase)


async def _plan(url: str, sizes: Sizes) -> Plan:
    async with Client(url) as client:
        turns = await guests.turns_for(sizes.work_us, lambda data: client.ask(ACTOR, OPERATION, data))
    ask = load.message(ACTOR, OPERATION, guests.work(turns), patience=_DEADLINE)
    seconds = sizes.phase * _PHASES + _STARTING
    return Plan(url, (ask,), sizes.rate, seconds, patience=_DEADLINE + 1)


def _continue(host: Measured) -> None:
    """Let a frozen host go on, so that it can be stopped."""
    with suppress(psutil.NoSuchProcess):
        host.process.resume()


def _figures(phases: list[_Phase], outcome: Outcome, names: dict[str, str]) -> dict[str, Any]:
    replied = {n for n in outcome.which(REPLY) if outcome.ended[n] - outcome.sent[n] <= _DEADLINE}
    ends: Counter[str] = Counter()
    shares: dict[str, Counter[str]] = {phase.name: Counter() for phase in phases}
    early, late = Counter[str](), Counter[str]()
    for n, sent in enumerate(outcome.sent):
        phase, since_fault = _at(phases, outcome.started + sent)
        ends["replied" if n in replied else "failed"] += 1
        if n in replied:
            shares[phase][names[outcome.hosts[outcome.sources[n]]]] += 1
        else:
            code = outcome.codes[outcome.ends[n]] or "no answer"
            (early if since_fault < _GRACE else late)[f"{phase}: {code}"] += 1
    return {
        "failed_after_3s": late.total(),
        "failed_within_3s": early.total(),
        "sent": len(outcome.sent),
        "replied": ends["replied"],
        "answered_twice": outcome.repeated,
        "detail": {
            "shares": {phase: _shares(counts) for phase, counts in shares.items()},
            "failed_after_3s": dict(late),
            "failed_within_3s": dict(early),
            "latency_ms": spread(outcome.from_schedule(replied)),
            "rate": outcome.rate,
        },
    }


def _at(phases: list[_Phase], at: float) -> tuple[str, float]:
    """Return the phase a message was sent in, and the seconds since the fault before it."""
    before = [phase for phase in phases if phase.at <= at] or phases[:1]
    faults = [phase.at for phase in before if phase.fault]
    return before[-1].name, at - faults[-1] if faults else float("inf")


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {name: round(count / counts.total(), 3) for name, count in sorted(counts.items())}
