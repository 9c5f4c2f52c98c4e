"""Who runs when: budgets for each pass of the loop, weights, deadlines, and rest when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import psutil
import pytest

from actorhost import clock
from actorhost.engine import Engine, Instance
from actorhost.errors import DeadlineExceeded
from tests.integration.engine.conftest import Make, call
from tests.wat import ECHO, LOOP, guest

pytestmark = pytest.mark.alone

WORK = """(local $n i32) (local.set $n (i32.const 400000000))
  (loop $again (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n)))
  (call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""


async def _endless(instance: Instance, seconds: float, ends: list[float]) -> None:
    deadline = clock.monotonic() + seconds
    try:
        await instance.call("Op", b"", deadline=deadline, host_call=_no_calls)
    except DeadlineExceeded:
        ends.append(clock.monotonic() - deadline)


async def _no_calls(*_: object) -> bytes:
    raise AssertionError


async def _longest_gap(work: Callable[[], Awaitable[None]]) -> float:
    """Return the longest time the event loop kept a heartbeat waiting while `work` ran, in seconds."""
    longest, last, done = 0.0, clock.monotonic(), asyncio.Event()

    async def beat() -> None:
        nonlocal longest, last
        while not done.is_set():
            await asyncio.sleep(0)
            now = clock.monotonic()
            longest, last = max(longest, now - last), now

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beat)
        await work()
        done.set()
    return longest


async def test_endless_guests_leave_the_loop_responsive_and_end_in_time(make: Make) -> None:
    instances = [await make(guest(LOOP)) for _ in range(20)]
    ends: list[float] = []

    async def work() -> None:
        async with anyio.create_task_group() as tasks:
            for instance in instances:
                tasks.start_soon(_endless, instance, 0.3, ends)

    gap = await _longest_gap(work)
    assert len(ends) == 20
    assert max(ends) < 0.05
    assert gap < 0.05


async def test_a_short_call_overtakes_long_ones(make: Make) -> None:
    busy, healthy = [await make(guest(LOOP)) for _ in range(20)], await make(guest(ECHO))
    waits: list[float] = []

    async def ask() -> None:
        for _ in range(40):
            started = clock.monotonic()
            await call(healthy, "Echo", b"hi")
            waits.append(clock.monotonic() - started)
            await asyncio.sleep(0.002)

    async with anyio.create_task_group() as tasks:
        for instance in busy:
            tasks.start_soon(_endless, instance, 0.5, [])
        await asyncio.sleep(0.02)
        await ask()
    assert sorted(waits)[len(waits) // 2] < 0.01


async def test_weight_is_a_share_of_busy_time(make: Make) -> None:
    light, heavy = await make(guest(WORK), weight=1), await make(guest(WORK), weight=8)
    finished: list[tuple[str, float]] = []
    started = clock.monotonic()

    async def run(name: str, instance: Instance) -> None:
        await call(instance, timeout=30)
        finished.append((name, clock.monotonic() - started))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, "light", light)
        tasks.start_soon(run, "heavy", heavy)
    assert [name for name, _ in finished] == ["heavy", "light"]
    assert finished[0][1] < 0.8 * finished[1][1]


async def test_many_calls_in_one_pass_let_the_loop_breathe(make: Make) -> None:
    instances = [await make(guest(ECHO)) for _ in range(8)]

    async def ask(instance: Instance) -> None:
        for _ in range(3000):
            await call(instance, "Echo", b"hi")

    async def work() -> None:
        async with anyio.create_task_group() as tasks:
            for instance in instances:
                tasks.start_soon(ask, instance)

    assert await _longest_gap(work) < 0.1


async def test_an_idle_engine_rests(engine: Engine, make: Make) -> None:
    instance = await make(guest(ECHO))
    await call(instance, "Echo", b"hi")
    await asyncio.sleep(0.1)
    process = psutil.Process()
    before = process.cpu_times()
    await asyncio.sleep(0.5)
    after = process.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.03
    ticks = engine.statistics().ticks
    await asyncio.sleep(0.05)
    assert engine.statistics().ticks == ticks
    assert await call(instance, "Echo", b"again") == b"again"
