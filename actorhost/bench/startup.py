"""``bench startup``: how soon ``actorhost up`` is ready, and how much memory it then holds.

Each start has a store and a cache of compiled modules of its own, both empty, a NATS server of its own,
and the example application with two actors and a provider: what the first start on a machine takes
once the files are in memory. A second start with the same cache is in the detail. The command line
itself and the bare interpreter are timed in turns with it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from typing import Any, Final

from actorhost import clock
from actorhost.bench import process
from actorhost.bench.figures import spread
from actorhost.bench.process import Place
from actorhost.errors import Unavailable
from actorhost.examples import example

_MANIFEST: Final = "manifests/thermostats.yaml"
_AFTER: Final = 0.5
"""Seconds after which the memory is looked at again: what starting left to do is done by then."""


async def run(*, starts: int) -> dict[str, Any]:
    """Return ``ready_s``, ``rss_mb`` and ``cli_s``, medians of `starts`."""
    interpreter, helped, command, cold, warm, resident = ([] for _ in range(6))
    for _ in range(starts):
        interpreter.append(await _seconds("-c", "pass"))
        helped.append(await _seconds("-m", "actorhost", "--help"))
        command.append(await _seconds("-m", "actorhost", "ps", "--help"))
        with process.place() as place:
            ready, memory = await _start(place)
            cold.append(ready)
            resident.append(memory)
            warm.append((await _start(place))[0])
    return {
        "ready_s": round(statistics.median(cold), 3),
        "rss_mb": round(statistics.median(resident), 1),
        "cli_s": round(statistics.median(helped), 3),
        "detail": {
            "ready_s": spread(cold),
            "ready_with_compiled_modules_s": spread(warm),
            "rss_mb": spread(resident),
            "cli_s": spread(helped),
            "one_command_s": spread(command),
            "bare_interpreter_s": spread(interpreter),
        },
    }


async def _start(place: Place) -> tuple[float, float]:
    """Start a host; return the seconds until it was ready, and its resident memory in MiB."""
    started = clock.monotonic()
    cache = {"XDG_CACHE_HOME": str(place.folder / "cache")}
    async with place.up(example(_MANIFEST), environment=cache) as host:
        ready = clock.monotonic() - started
        at_once = host.resident_mb()
        await asyncio.sleep(_AFTER)
        return ready, max(at_once, host.resident_mb())


async def _seconds(*arguments: str) -> float:
    """Return how long the interpreter takes with these arguments, from its start to its end."""
    started = clock.monotonic()
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    if await child.wait():
        raise Unavailable(f"{' '.join(arguments)} ended with status {child.returncode}")
    return clock.monotonic() - started
