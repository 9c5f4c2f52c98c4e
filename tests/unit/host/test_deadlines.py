"""Waits end at their deadline, not before and not much later, and share timers."""

from __future__ import annotations

import asyncio
import random

import pytest

from actorhost import clock
from actorhost.host.deadlines import Deadlines


@pytest.mark.parametrize("left", [-1.0, 0.0, 0.003, 0.05, 0.13])
async def test_a_wait_ends_with_none_when_its_time_is_up(left: float) -> None:
    deadlines, began = Deadlines(), clock.monotonic()
    wait: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
    deadlines.watch(wait, began + left)
    async with asyncio.timeout(5):
        assert await wait is None
    # The system's timers count milliseconds.
    assert clock.monotonic() - began >= left - 0.002
    assert len(deadlines) == 0


async def test_what_has_ended_or_was_let_go_is_left_alone() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    ended, gone = loop.create_future(), loop.create_future()
    until = clock.monotonic() + 0.02
    deadlines.watch(ended, until)
    ended.set_result(b"in time")
    deadlines.watch(gone, until).discard(gone)
    last = loop.create_future()
    deadlines.watch(last, until + 0.01)
    assert await last is None
    assert ended.result() == b"in time"
    assert not gone.done()


async def test_many_waits_have_few_timers_and_end_when_they_should() -> None:
    deadlines, draw = Deadlines(), random.Random(7)  # noqa: S311 - the same each time
    began = clock.monotonic()
    wait: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
    for _ in range(3_000):
        left = draw.expovariate(1) * draw.choice([0.1, 5, 300, 86_400])
        group = deadlines.watch(wait, began + left)
        due = next(due for due, each in deadlines._groups.items() if each is group) / 100
        assert 0 < due - (began + left) <= max(0.011, left / 63)
        group.discard(wait)
    assert len(deadlines) < 1_200
