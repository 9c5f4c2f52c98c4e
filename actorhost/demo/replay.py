"""Sends every reading once, as an ask over NATS, each sensor's in order and the year at an even pace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import msgspec

from actorhost import Client, clock
from actorhost.demo.readings import Reading
from actorhost.errors import ActorhostError

HIGH, LOW = 20.0, 5.0
"""Degrees Celsius beyond which a reading is an alarm."""

_AT_ONCE: Final = 64
_TIMEOUT: Final = 30.0


@dataclass
class Progress:
    """How far the replay is; `statistics` holds each sensor's latest answer."""

    total: int
    started: float = 0.0
    done: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rate(self) -> float:
        """Return readings a second since the start."""
        return self.done / max(clock.monotonic() - self.started, 1e-9)


async def replay(
    client: Client, sensors: Mapping[str, Sequence[Reading]], seconds: float, progress: Progress
) -> None:
    """Send all readings, taking about `seconds` for the year (0: as fast as possible)."""
    progress.started = clock.monotonic()
    hours = 1 + max(reading.hour for readings in sensors.values() for reading in readings)
    turns = anyio.Semaphore(_AT_ONCE)
    async with anyio.create_task_group() as tasks:
        for name, readings in sensors.items():
            tasks.start_soon(_send, client, name, readings, (seconds / hours, turns, progress))


async def statistics_of(client: Client, sensors: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what the actors have found for each sensor, asked by name."""
    return {name: await _ask(client, "thermostat", "Statistics", {"sensor": name}) for name in sensors}


async def alarms_of(client: Client, sensors: Sequence[str]) -> int:
    """Return how many alarms actor ``alarm`` was called with, for all sensors together."""
    return sum([await _ask(client, "alarm", "Count", {"sensor": name}) for name in sensors])


async def _send(
    client: Client, name: str, readings: Sequence[Reading], how: tuple[float, anyio.Semaphore, Progress]
) -> None:
    pace, turns, progress = how
    for reading in readings:
        delay = progress.started + reading.hour * pace - clock.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        async with turns:
            await _send_one(client, name, reading, progress)


async def _send_one(client: Client, name: str, reading: Reading, progress: Progress) -> None:
    sent = clock.monotonic()
    message = {
        "sensor": name,
        "time": reading.time,
        "celsius": reading.celsius,
        "high": HIGH,
        "low": LOW,
    }
    try:
        progress.statistics[name] = await _ask(client, "thermostat", "Reading", message)
    except ActorhostError as error:
        progress.faults[error.code] = progress.faults.get(error.code, 0) + 1
    progress.latencies.append(clock.monotonic() - sent)
    progress.done += 1


async def _ask(client: Client, actor: str, operation: str, message: dict[str, Any]) -> Any:
    payload = msgspec.msgpack.encode(message)
    return msgspec.msgpack.decode(await client.ask(actor, operation, payload, timeout=_TIMEOUT))
