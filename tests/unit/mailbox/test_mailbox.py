"""Mailboxes: bounded by count and bytes, in order, safe to cancel."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from actorhost.errors import Closed, Overloaded
from actorhost.mailbox import Mailbox


def _mailbox(count: int = 3, size: int = 100) -> Mailbox[int]:
    return Mailbox("worker", max_count=count, max_bytes=size)


async def test_items_come_out_in_order() -> None:
    mailbox = _mailbox()
    for n in range(3):
        mailbox.put(n, 10)
    assert [await mailbox.get() for _ in range(3)] == [0, 1, 2]


async def test_a_full_mailbox_refuses_by_count_and_counts_it() -> None:
    mailbox = _mailbox(count=2)
    mailbox.put(0, 1)
    mailbox.put(1, 1)
    with pytest.raises(Overloaded, match="actor 'worker' is full: 2 messages"):
        mailbox.put(2, 1)
    await mailbox.get()
    mailbox.put(3, 1)
    statistics = mailbox.statistics()
    assert (statistics.waiting, statistics.accepted, statistics.refused) == (2, 3, 1)


async def test_a_full_mailbox_refuses_by_bytes() -> None:
    mailbox = _mailbox(size=100)
    mailbox.put(0, 60)
    with pytest.raises(Overloaded):
        mailbox.put(1, 41)
    mailbox.put(2, 40)
    assert mailbox.statistics().waiting_bytes == 100
    await mailbox.get()
    assert mailbox.statistics().waiting_bytes == 40


async def test_waiting_consumers_are_served_in_order() -> None:
    mailbox = _mailbox()
    served: list[tuple[str, int]] = []

    async def consume(name: str) -> None:
        served.append((name, await mailbox.get()))

    async with anyio.create_task_group() as tasks:
        for name in "ab":
            tasks.start_soon(consume, name)
            await asyncio.sleep(0)
        mailbox.put(1, 1)
        mailbox.put(2, 1)
    assert served == [("a", 1), ("b", 2)]


async def test_a_cancelled_consumer_takes_nothing_with_it() -> None:
    mailbox = _mailbox()
    got: list[int] = []

    async def consume() -> None:
        got.append(await mailbox.get())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await asyncio.sleep(0)
        tasks.start_soon(consume)
        await asyncio.sleep(0)
        tasks.cancel_scope.cancel()
        mailbox.put(7, 1)  # wakes a consumer that is about to be cancelled
    assert got == []
    assert await mailbox.get() == 7


async def test_the_wake_up_of_a_cancelled_consumer_goes_to_the_next() -> None:
    mailbox = _mailbox()
    loop = asyncio.get_running_loop()
    first = loop.create_task(mailbox.get())
    second = loop.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put(1, 1)
    first.cancel()
    assert await asyncio.wait_for(second, 1) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_closing_gives_back_what_was_left_and_wakes_everybody() -> None:
    mailbox = _mailbox()
    waiting = asyncio.get_running_loop().create_task(mailbox.get())
    await asyncio.sleep(0)
    assert mailbox.close() == []
    with pytest.raises(Closed):
        await waiting
    with pytest.raises(Closed):
        mailbox.put(1, 1)
    other = _mailbox()
    other.put(1, 1)
    other.put(2, 1)
    assert other.close() == [1, 2]
