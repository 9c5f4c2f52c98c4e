"""``bench density``: how many live instances fit in one process, and what each takes.

Runs in a process of its own (``python -m actorhost.bench.density N``), so that nothing else is in
its memory. Every instance has answered once: its stack has been used and stays.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path
from typing import Any, Final

import psutil

from actorhost import clock
from actorhost.engine import Engine, Instance
from actorhost.errors import Unavailable
from actorhost.examples import example
from actorhost.host.child import tell_parent

_KIB: Final = 1024
_TIMEOUT: Final = 600.0
_GUARD: Final = "---p"


async def run(*, instances: int) -> dict[str, Any]:
    """Return ``answered``, ``bytes_per_instance``, ``guard_pages`` and ``limit``."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "actorhost.bench.density", str(instances), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise Unavailable(f"the measuring process ended with status {child.returncode}")
    found: dict[str, Any] = json.loads(output)
    return found


async def measure(wanted: int) -> dict[str, Any]:
    """Make up to `wanted` instances in this process and say what they take."""
    async with Engine() as engine:
        module = await engine.compile(example("actors/echo/echo.wasm").read_bytes())
        first = await engine.instantiate(module, engine.options())
        await _ask(first, 0)
        gc.collect()
        resident, mapped = _resident(), _mappings()
        made: list[Instance] = []
        stopped = ""
        started = clock.monotonic()
        try:
            for number in range(wanted):
                instance = await engine.instantiate(module, engine.options())
                made.append(instance)
                await _ask(instance, number)
        except Unavailable as error:
            stopped = error.message
        seconds = clock.monotonic() - started
        used = (_resident() - resident) / max(1, len(made))
        mappings = {kind: count - mapped[kind] for kind, count in _mappings().items()}
        answered = [await _ask(instance, number) for number, instance in enumerate(made) if instance.alive]
        return {
            "answered": sum(answered),
            "bytes_per_instance": round(used),
            "guard_pages": mappings["guard"],
            "limit": _limit(len(made), mappings["all"], stopped),
            "detail": {
                "made": len(made),
                "us_per_instance": round(seconds / max(1, len(made)) * 1e6, 1),
                "mappings_per_instance": round(mappings["all"] / max(1, len(made)), 2),
            },
        }


async def _ask(instance: Instance, number: int) -> bool:
    """Tell whether the instance echoes a message of its own."""
    message = b"instance %d" % number
    deadline = clock.monotonic() + _TIMEOUT
    return await instance.call("Echo", message, deadline=deadline, host_call=_refuse) == message


async def _refuse(_binding: str, _namespace: str, _operation: str, _payload: bytes) -> bytes:
    raise Unavailable("the echo guest calls nobody here")


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _mappings() -> dict[str, int]:
    """Return how many memory mappings this process has, and how many of them guard something."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {"all": len(lines), "guard": sum(line.split()[1] == _GUARD for line in lines)}


def _limit(made: int, mappings: int, stopped: str) -> str:
    """Say in words what ends it, and at how many."""
    most = int(Path("/proc/sys/vm/max_map_count").read_text())
    each = mappings / max(1, made)
    room = f"about {int(most / each):,} instances of {each:.1f} mappings each"
    words = f"vm.max_map_count = {most} allows {room}"
    return f"{words}; stopped at {made:,}: {stopped}" if stopped else words


if __name__ == "__main__":
    tell_parent(asyncio.run(measure(int(sys.argv[1]))))
