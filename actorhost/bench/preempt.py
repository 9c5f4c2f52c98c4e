"""``bench preempt``: what endless guests and a busy thread do to everybody else.

Fifty actors loop until their deadline, again and again, while a Python thread never rests. Beside
them an echo actor is asked every few milliseconds; the same was measured before, in peace.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

from actorhost import Host, clock
from actorhost.bench import process
from actorhost.bench.figures import percentile
from actorhost.bench.local import echo_application
from actorhost.engine.source import to_wasm
from actorhost.errors import DeadlineExceeded
from actorhost.host import loop
from actorhost.ids import ActorName
from actorhost.manifest import ActorSpec, Application

_LOOP: Final = """(module (memory (export "memory") 1)
  (func (export "__guest_call") (param i32 i32) (result i32) (loop $again (br $again)) (i32.const 1)))"""
_TIMEOUT: Final = 0.5
_PAUSE: Final = 0.003
_BEAT: Final = 0.001


@dataclass
class _Seen:
    """What was measured in one phase, in seconds."""

    answers: list[float] = field(default_factory=list)
    overruns: list[float] = field(default_factory=list)
    longest_block: float = 0.0


async def run(*, actors: int, seconds: float) -> dict[str, Any]:
    """Return ``p99_rise_ms``, ``deadline_overrun_ms``, ``loop_block_ms`` and ``idle_cpu_percent``."""
    idle, idle_with_server = await _idle_percent(max(1.0, seconds / 2))
    async with Host() as host:
        await host.deploy_modules(*echo_application())
        await host.deploy_modules(_loops(actors), {"loop": to_wasm(_LOOP.encode(), "loop.wat")})
        loop.settle()  # as `actorhost up` does
        quiet, busy = _Seen(), _Seen()
        await _ask_for(host, seconds, quiet)
        with _busy_thread():
            async with _looping(host, actors, busy):
                await _ask_for(host, seconds, busy)
    rise = percentile(busy.answers, 0.99) - percentile(quiet.answers, 0.99)
    return {
        "p99_rise_ms": round(rise * 1e3, 2),
        "deadline_overrun_ms": round(max(busy.overruns) * 1e3, 2),
        "loop_block_ms": round(busy.longest_block * 1e3, 2),
        "idle_cpu_percent": round(idle, 3),
        "detail": {
            "quiet_p99_ms": round(percentile(quiet.answers, 0.99) * 1e3, 3),
            "busy_p50_ms": round(percentile(busy.answers, 0.5) * 1e3, 3),
            "busy_p99_ms": round(percentile(busy.answers, 0.99) * 1e3, 3),
            "asked": len(busy.answers),
            "loops_ended": len(busy.overruns),
            "idle_with_server_percent": round(idle_with_server, 3),
        },
    }


def _loops(actors: int) -> Application:
    specs = tuple(ActorSpec(name=ActorName(f"loop-{n}"), module="loop") for n in range(actors))
    return Application(name=ActorName("loops"), actors=specs)


async def _ask_for(host: Host, seconds: float, seen: _Seen) -> None:
    """Ask the echo actor for that long, with a heartbeat beside it."""
    until = clock.monotonic() + seconds
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_beat, seen)
        while (started := clock.monotonic()) < until:
            await host.ask("echo", "Echo", b"hello")
            seen.answers.append(clock.monotonic() - started)
            await asyncio.sleep(_PAUSE)
        tasks.cancel_scope.cancel()


async def _beat(seen: _Seen) -> None:
    """Note the longest time that the event loop kept a sleeper waiting."""
    while True:
        started = clock.monotonic()
        await asyncio.sleep(_BEAT)
        seen.longest_block = max(seen.longest_block, clock.monotonic() - started - _BEAT)


@asynccontextmanager
async def _looping(host: Host, actors: int, seen: _Seen) -> AsyncIterator[None]:
    """Call every looping actor again and again."""

    async def call(name: str) -> None:
        while True:
            deadline = clock.monotonic() + _TIMEOUT
            try:
                await host.ask(name, "Loop", timeout=_TIMEOUT)
            except DeadlineExceeded:
                seen.overruns.append(clock.monotonic() - deadline)

    async with anyio.create_task_group() as tasks:
        for n in range(actors):
            tasks.start_soon(call, f"loop-{n}")
        await asyncio.sleep(_TIMEOUT / 2)
        yield
        tasks.cancel_scope.cancel()


@contextmanager
def _busy_thread() -> Iterator[None]:
    """Keep a Python thread computing while the block runs."""
    done = threading.Event()

    def work() -> None:
        total = 0
        while not done.is_set():
            for number in range(1000):
                total += number

    thread = threading.Thread(target=work, name="busy")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


async def _idle_percent(seconds: float) -> tuple[float, float]:
    """Return the share of a core that a host without messages uses, alone and with its server."""
    async with process.host() as host:
        await asyncio.sleep(1)
        before = host.cpu_seconds(), host.family_cpu_seconds()
        await asyncio.sleep(seconds)
        after = host.cpu_seconds(), host.family_cpu_seconds()
    alone, family = ((late - early) / seconds * 100 for early, late in zip(before, after, strict=True))
    return alone, family
