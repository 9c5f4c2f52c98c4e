"""``actorhost demo``: a year of real temperature readings through sandboxed actors.

Starts ``actorhost up`` as a child, sends it every reading over NATS, shows what happens meanwhile,
and prints each city's year as the actors themselves found it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import msgspec
import typer

from actorhost import Client
from actorhost.cli import output
from actorhost.cli.demo_view import live
from actorhost.cli.options import finite
from actorhost.cli.stopping import until_told
from actorhost.demo.readings import deal
from actorhost.demo.replay import HIGH, LOW, Progress, alarms_of, replay, statistics_of
from actorhost.demo.summary import City, by_city
from actorhost.examples import example
from actorhost.host import child, loop

_MANIFEST = "manifests/thermostats.yaml"
_SIGNALLED: Final = 128
"""With the number of a signal added, the exit code of a program that it ended."""


def demo(
    seconds: Annotated[
        float,
        typer.Option(min=0, max=86_400, callback=finite, help="Length of the year; 0: as fast as it goes."),
    ] = 15.0,
    sensors: Annotated[int, typer.Option(min=2, max=2000, help="Sensors, half of them in each city.")] = 100,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Watch actors process a year of hourly temperature readings of two cities.

    Exits with 1 when a reading was not answered.
    """
    raise typer.Exit(loop.run(_until_told(seconds, sensors, keep=keep, json=json)))


async def _until_told(seconds: float, count: int, *, keep: bool, json: bool) -> int:
    """Run it, stop everything also when told to end, and return the exit code."""
    faults = 0

    async def run() -> None:
        nonlocal faults
        faults = await _demo(seconds, count, keep=keep, json=json)

    number = await until_told(run())
    return _SIGNALLED + number if number else int(faults > 0)


async def _demo(seconds: float, count: int, *, keep: bool, json: bool) -> int:
    """Run it all; returns the number of readings that ended in a fault."""
    sensors = deal(count)
    progress = Progress(sum(map(len, sensors.values())))
    if not json:
        output.note(f"starting a host with {_MANIFEST} ...")
    async with _running() as url, Client(url) as client:
        if not json:
            output.note(f"{progress.total} readings of {len(sensors)} sensors go over {url}")
        async with anyio.create_task_group() as tasks:
            if not json:
                tasks.start_soon(live, progress, sys.stdout.isatty())
            await replay(client, sensors, seconds, progress)
            rate = progress.rate()
        cities = by_city(await statistics_of(client, list(sensors)))
        raised = await alarms_of(client, list(sensors))
        _print(_Summary(cities, progress, rate, raised), json=json)
        if keep:
            with suppress(asyncio.CancelledError):  # Ctrl-C, which is how this ends
                await _keep(url, next(iter(sensors)))
    return sum(progress.faults.values())


@asynccontextmanager
async def _running() -> AsyncIterator[str]:
    """Run the host and its NATS server in a directory that goes with them; yields the server's URL."""
    with tempfile.TemporaryDirectory(prefix="actorhost-demo-") as folder:
        async with child.host([example(_MANIFEST)], Path(folder) / "nats") as started:
            yield started.ready["nats"]


async def _keep(url: str, sensor: str) -> None:
    output.note(
        f"\nstill running; try in another terminal, and Ctrl-C here to stop:\n  export ACTORHOST_NATS={url}"
    )
    output.note(f'  actorhost call thermostat Statistics \'{{"sensor": "{sensor}"}}\'')
    output.note("  actorhost ps\n  actorhost logs alarm")
    await asyncio.Event().wait()


@dataclass(frozen=True)
class _Summary:
    cities: list[City]
    progress: Progress
    rate: float
    raised: int

    def percentiles_ms(self) -> tuple[float, float]:
        """Return median and 99th percentile of the answers' times."""
        ordered = sorted(self.progress.latencies)
        return 1e3 * ordered[len(ordered) // 2], 1e3 * ordered[int(len(ordered) * 0.99)]


def _print(summary: _Summary, *, json: bool) -> None:
    if json:
        output.json_line(_as_json(summary))
        return
    progress, (p50, p99) = summary.progress, summary.percentiles_ms()
    output.data("")
    columns = ("CITY", "SENSORS", "READINGS", "MEAN", "MIN", "MAX", "DEVIATION", "ALARMS")
    output.table(columns, [_row(city) for city in summary.cities])
    faults = ", ".join(f"{count} {code}" for code, count in progress.faults.items()) or "none"
    output.data(f"\ndegrees Celsius; an alarm is a reading above {HIGH:g} or below {LOW:g}")
    output.data(f"actor alarm was called {summary.raised} times by actor thermostat")
    output.data(f"{progress.done} readings, {summary.rate:,.0f} a second, p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    output.data(f"faults: {faults}")


def _row(city: City) -> list[str]:
    figures = (f"{value:.2f}" for value in (city.mean, city.minimum, city.maximum, city.deviation))
    return [city.name, str(city.sensors), str(city.readings), *figures, str(city.alarms)]


def _as_json(summary: _Summary) -> dict[str, Any]:
    p50, p99 = summary.percentiles_ms()
    return {
        "cities": msgspec.to_builtins(summary.cities),
        "readings": summary.progress.done,
        "alarms_raised": summary.raised,
        "faults": summary.progress.faults,
        "readings_per_second": round(summary.rate, 1),
        "p50_ms": round(p50, 3),
        "p99_ms": round(p99, 3),
    }
