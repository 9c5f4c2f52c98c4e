"""The working actor of a measured host: asked, watched and counted, before, under and after load.

Owned by one benchmark run, which closes the client. What a host says of itself comes over its control
subject, its memory from the system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import anyio

from actorhost import Client, clock
from actorhost.bench.process import Measured
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import ActorStatus

ACTOR: Final = "work"
OPERATION: Final = "Work"

_CALLERS: Final = 16
"""Callers while capacity is measured, each with an ask and at times a tell on its way."""
_WARM: Final = 1.0
_LOOK: Final = 0.5
_PAUSE: Final = 0.01
_SETTLED: Final = 30.0
_STREAK: Final = 5
"""Probes in a row that are answered as quickly as without load: then the host is normal again."""


@dataclass(frozen=True)
class Sample:
    """What a host says of the actor `at` a time, its resident memory in MiB and processor time used."""

    at: float
    status: ActorStatus
    resident: float
    processor: float


@dataclass
class Watched:
    """What was seen beside a load: samples, and asks one at a time (sent, ended, answered)."""

    samples: list[Sample] = field(default_factory=list)
    probes: list[tuple[float, float, bool]] = field(default_factory=list)
    over: bool = False

    def normal_from(self, since: float, within: float) -> float:
        """Return when the first of a streak of answers as quick as `within` after `since` was there."""
        after = [(end, ok and end - sent <= within) for sent, end, ok in self.probes if sent >= since]
        for at in range(len(after) - _STREAK + 1):
            if all(good for _, good in after[at : at + _STREAK]):
                return after[at][0]
        return float("inf")


class Worker:
    """The actor ``work`` of `host`, reached through `client` with the same `payload` each time."""

    def __init__(self, host: Measured, client: Client, payload: bytes) -> None:
        self.host = host
        self.payload = payload
        self._client = client

    async def ask(self) -> None:
        """Ask once."""
        await self._client.ask(ACTOR, OPERATION, self.payload)

    async def sample(self) -> Sample:
        """Return what the host says now."""
        (status,) = await self._client.control.actors(self.host.host)
        return Sample(clock.monotonic(), status, self.host.resident_mb(), self.host.cpu_seconds())

    async def settled(self) -> Sample:
        """Return the same once all that was sent has ended; asks once itself, to be sure of that."""
        async with asyncio.timeout(_SETTLED):
            while (await self.sample()).status.waiting:  # noqa: ASYNC110 - in another process
                await asyncio.sleep(_PAUSE)
        await self.ask()
        return await self.sample()

    async def unloaded(self, asks: int) -> list[float]:
        """Return the seconds that asks take one at a time."""
        found = []
        for _ in range(asks):
            started = clock.monotonic()
            await self.ask()
            found.append(clock.monotonic() - started)
        return found

    async def capacity(self, seconds: float) -> list[Sample]:
        """Return samples while a few callers that wait keep the actor busy."""
        samples = list[Sample]()
        async with anyio.create_task_group() as tasks:
            for _ in range(_CALLERS):
                tasks.start_soon(self._keep_asking)
            await asyncio.sleep(min(_WARM, seconds))
            until = clock.monotonic() + seconds
            while len(samples) < 2 or clock.monotonic() < until:
                samples.append(await self.sample())
                await asyncio.sleep(_LOOK)
            tasks.cancel_scope.cancel()
        return samples

    async def watch(self, seen: Watched) -> None:
        """Take samples until ``seen.over``."""
        while not seen.over:
            seen.samples.append(await self.sample())
            await asyncio.sleep(_LOOK)

    async def probe(self, seen: Watched) -> None:
        """Ask one at a time until ``seen.over``."""
        while not seen.over:
            sent = clock.monotonic()
            try:
                await self.ask()
            except ActorhostError:
                answered = False
            else:
                answered = True
            seen.probes.append((sent, clock.monotonic(), answered))
            await asyncio.sleep(_PAUSE)

    async def _keep_asking(self) -> None:
        while True:
            await self._client.tell(ACTOR, OPERATION, self.payload)
            for _ in range(9):
                await self.ask()


def rates(samples: Sequence[Sample]) -> list[float]:
    """Return the messages handled in a second between each two samples."""
    return [
        (later.status.replied - early.status.replied) / (later.at - early.at)
        for early, later in pairwise(samples)
    ]


def processor_us(samples: Sequence[Sample]) -> float:
    """Return the microseconds of processor time the host used for each message it handled."""
    first, last = samples[0], samples[-1]
    return (last.processor - first.processor) / (last.status.replied - first.status.replied) * 1e6
