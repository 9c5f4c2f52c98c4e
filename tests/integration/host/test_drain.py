"""Stopping: nothing new is taken, what is in hand may finish within a budget, the rest gets a fault."""

from __future__ import annotations

import asyncio

import pytest

from actorhost import Client, Host, clock
from actorhost.errors import ActorhostError, Closed, NoRoute
from actorhost.host.dead_letter import DeadLetterBox
from actorhost.limits import Limits
from actorhost.transport import NatsServer
from tests.integration.host.conftest import PATIENCE, actor, application, until
from tests.transports import started
from tests.wat import ECHO, LOOP, guest

BUSY = "(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))"
SLOW = guest(
    f"{BUSY} (br_if $l (i32.lt_u (local.get $n) (i32.const 30000000))))"
    " (call $respond (i32.const 0) (i32.const 1)) (i32.const 1)"
)


async def test_what_waits_and_is_in_hand_finishes(server: NatsServer, client: Client) -> None:
    async with Host(nats=server.url) as host:
        await host.deploy_modules(application(actor("slow")), {"slow": SLOW})
        asks = [started(client.ask("slow", "Op")) for _ in range(5)]
        await until(lambda: host.router.actors["slow"].mailbox_statistics().accepted == 5)
    assert await asyncio.gather(*asks) == [b"\0"] * 5
    with pytest.raises(NoRoute):
        await client.ask("slow", "Op")


async def test_what_does_not_finish_in_time_gets_a_fault(server: NatsServer, client: Client) -> None:
    outcomes: list[bytes | BaseException] = []
    async with Host(nats=server.url, limits=Limits(stop_timeout=0.3)) as host:
        await host.deploy_modules(
            application(actor("loop"), actor("echo")), {"loop": guest(LOOP), "echo": guest(ECHO)}
        )
        asks = [started(client.ask("loop", "Op", timeout=10)) for _ in range(3)]
        await until(lambda: host.router.actors["loop"].mailbox_statistics().accepted == 3)
        stopping = clock.monotonic()
    assert clock.monotonic() - stopping < 1.0
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert all(isinstance(outcome, ActorhostError) for outcome in outcomes)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, ActorhostError)] == [Closed.code] * 3
    assert sum(outcome.outcome_known for outcome in outcomes if isinstance(outcome, ActorhostError)) == 2


async def test_tells_that_a_stopping_host_cannot_handle_become_dead_letters(
    server: NatsServer, client: Client
) -> None:
    async with Host(nats=server.url, limits=Limits(stop_timeout=0.3)) as host:
        await host.deploy_modules(application(actor("loop")), {"loop": guest(LOOP)})
        for n in range(3):
            await client.tell("loop", "Op", bytes([n]))
        await until(lambda: host.router.actors["loop"].mailbox_statistics().waiting == 2)
    box = DeadLetterBox(client.transport, client.lattice, timeout=PATIENCE)
    found = sorted([letter async for _, letter in box.list()], key=lambda letter: letter.payload)
    assert [(letter.payload, letter.code) for letter in found] == [
        (bytes([n]), "unavailable") for n in range(3)
    ]
