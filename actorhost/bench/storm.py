"""The second half of ``bench recovery``: an actor that traps on each message, and its neighbour.

A generator sends two messages to the trapping actor for each one to an echo actor of the same host,
on schedule; before that the echo actor got its messages alone. How often the trapping actor may be
started again follows from the default policy and the length of the storm.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import anyio

from actorhost import Client, clock
from actorhost.bench import guests, load
from actorhost.bench.figures import percentile, spread
from actorhost.bench.load import REPLY, UNANSWERED, Outcome, Plan
from actorhost.bench.process import Measured, Place
from actorhost.errors import FaultCode
from actorhost.examples import example
from actorhost.lifecycle import RestartPolicy, Restarts

_TRAP: Final = "trap"
_ECHO: Final = "echo"
_STORM: Final = (0, 1)
"""The turns of the plan that go to the trapping actor."""
_NEIGHBOUR: Final = (2,)
_QUIET: Final = 5.0
_LOOK: Final = 0.1


@dataclass(frozen=True)
class Sizes:
    """Messages to the trapping actor, and how many of them in a second."""

    messages: int
    rate: float


@dataclass(frozen=True)
class _Memory:
    """Resident MiB of the host `at` a time."""

    at: float
    resident: float


async def run(place: Place, sizes: Sizes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the storm's figures and their detail, measured at a host of its own in `place`."""
    manifest = place.manifest({_ECHO: example("actors/echo/echo.wasm"), _TRAP: guests.trapping()})
    async with place.up(manifest) as host, Client(host.url) as client:
        seconds = sizes.messages / sizes.rate
        echo, trap = load.message(_ECHO, "Echo", b"x" * 64), load.message(_TRAP, "Op", b"x" * 64)
        quiet = await load.offer(Plan(host.url, (echo,), sizes.rate / 2, min(_QUIET, seconds)))
        memory = list[_Memory]()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, host, memory)
            stormy = await load.offer(Plan(host.url, (trap, trap, echo), sizes.rate * 1.5, seconds))
            tasks.cancel_scope.cancel()
        made = {status.name: status.made for status in await client.control.actors(host.host)}[_TRAP]
    allowed = restarts_allowed(RestartPolicy(), seconds)
    return _figures(quiet, stormy, memory, restarts=made - 1, allowed=allowed)


def restarts_allowed(policy: RestartPolicy, seconds: float) -> int:
    """Return how often what ends at once may be started again in that time."""
    record = Restarts(policy)
    now, count = 0.0, 0
    while (wait := record.ended("", now)) is not None and now + wait <= seconds:
        now += wait
        count += 1
    return count


async def _watch(host: Measured, memory: list[_Memory]) -> None:
    while True:
        memory.append(_Memory(clock.monotonic(), host.resident_mb()))
        await asyncio.sleep(_LOOK)


def _figures(
    quiet: Outcome, stormy: Outcome, memory: list[_Memory], *, restarts: int, allowed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    before = quiet.from_schedule(quiet.which(REPLY))
    beside = stormy.from_schedule(stormy.which(REPLY, turns=_NEIGHBOUR))
    residents = [one.resident for one in memory if 0 <= one.at - stormy.started <= stormy.sent[-1]]
    trapped = stormy.which(FaultCode.TRAPPED, turns=_STORM)
    refused = stormy.which(FaultCode.UNAVAILABLE, FaultCode.OVERLOADED, turns=_STORM)
    asked = sum(n % stormy.turns in _STORM for n in range(len(stormy.sent)))
    neighbour_asked = len(stormy.sent) - asked
    figures = {
        "restarts": restarts,
        "restarts_allowed": allowed,
        "neighbour_p99_rise_ms": round(percentile(beside, 0.99) - percentile(before, 0.99), 2),
        "neighbour_failed": neighbour_asked - len(beside),
        "memory_growth_mb": round(residents[-1] - residents[len(residents) // 2], 1),
        "storm_sent": asked,
        "storm_trapped": len(trapped),
        "storm_refused": len(refused),
        "storm_unanswered": len(stormy.which(UNANSWERED)),
    }
    detail = {
        "neighbour_quiet_ms": spread(before),
        "neighbour_in_storm_ms": spread(beside),
        "resident_mb": {
            "start": round(residents[0], 1),
            "middle": round(residents[len(residents) // 2], 1),
            "end": round(residents[-1], 1),
        },
        "storm_ends": {code: len(stormy.which(code, turns=_STORM)) for code in stormy.codes if code},
    }
    return figures, detail
