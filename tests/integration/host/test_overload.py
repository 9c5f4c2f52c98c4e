"""Overload: refusals at once, dead letters for tells, other hosts take over, one hop, no message twice."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator

import pytest

from actorhost import Client, Host
from actorhost.errors import InvalidInput, Overloaded
from actorhost.host.actor import Actor
from actorhost.host.dead_letter import DeadLetter, DeadLetterBox
from actorhost.limits import Limits
from actorhost.mailbox import MailboxStatistics
from actorhost.transport import NatsServer
from tests.integration.host.conftest import PATIENCE, actor, application, until
from tests.transports import started
from tests.wat import ECHO, LOOP, TRAP, guest


@pytest.fixture
async def other(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url) as running:
        yield running


def box_of(client: Client) -> DeadLetterBox:
    return DeadLetterBox(client.transport, client.lattice, timeout=PATIENCE)


async def overloaded(host: Host, face: Host | Client) -> list[asyncio.Task[bytes]]:
    """Ask the looping actor ``worker`` through `face` until `host` refuses; return what is stuck there."""
    worker = host.router.actors["worker"]
    stuck: list[asyncio.Task[bytes]] = []
    for count in range(1, 5):
        stuck.append(started(face.ask("worker", "Op", timeout=2.5)))
        await until(functools.partial(_came, worker, count))
    assert worker.counts.refused == 1
    return stuck


def _came(worker: Actor, count: int) -> bool:
    """Whether `count` messages have come, and the first is in hand."""
    return worker.mailbox_statistics().accepted + worker.counts.refused == count and (
        worker.mailbox_statistics().waiting == min(count - 1, 2)
    )


async def letters(client: Client, count: int) -> list[DeadLetter]:
    """Return the dead letters once there are `count`."""
    box = box_of(client)
    await box.open()
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [letter async for _, letter in box.list()]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_tells_that_find_no_room_become_dead_letters(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("loop", mailbox_count=1, timeout=1.0)), {"loop": guest(LOOP)}
    )
    loop = nats_host.router.actors["loop"]
    for n in range(5):
        await client.tell("loop", "Op", bytes([n]))
        await client.transport.flush(PATIENCE)
        if n == 0:  # in hand, and not in the mailbox any more
            await until(lambda: loop.mailbox_statistics() == MailboxStatistics(0, 0, 1, 0))
    found = await letters(client, 3)
    assert [(letter.payload, letter.code, letter.operation) for letter in found[:3]] == [
        (bytes([n]), "overloaded", "Op") for n in (2, 3, 4)
    ]
    assert nats_host.router.dead.counts.put == nats_host.router.dead.counts.stored == 3
    assert found[0].actor == "loop"
    assert found[0].host == nats_host.id
    assert "is full" in found[0].reason
    (status,) = await client.control.actors(nats_host.id)
    assert (status.accepted, status.refused, status.dead) == (2, 3, 3)


async def test_tells_that_fail_become_dead_letters_and_expired_ones_are_counted(
    nats_host: Host, client: Client
) -> None:
    await nats_host.deploy_modules(application(actor("trap")), {"trap": guest(TRAP)})
    await client.tell("trap", "Op", b"poison")
    (letter,) = await letters(client, 1)
    assert (letter.payload, letter.code) == (b"poison", "trapped")
    (status,) = await client.control.actors(nats_host.id)
    assert (status.accepted, status.refused, status.dead, status.faults) == (1, 0, 1, {"trapped": 1})


async def test_bytes_that_are_no_envelope_become_a_dead_letter(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    await client.transport.publish("ah.default.rpc.echo.Op", b"garbage")
    (letter,) = await letters(client, 1)
    assert (letter.payload, letter.code, letter.operation) == (b"garbage", "bad_request", "Op")
    assert letter.source == "ah.default.rpc.echo.Op"


async def test_dead_letters_are_shown_and_dropped_by_number(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("trap"), actor("rap")), {"trap": guest(TRAP), "rap": guest(TRAP)}
    )
    for n in range(3):
        await client.tell("trap", "Op", bytes([n]))
    await client.tell("rap", "Op", b"other")
    await letters(client, 4)
    box = box_of(client)
    numbers = [number async for number, letter in box.list("trap")]
    assert len(numbers) == 3
    assert (await box.get(numbers[1])).payload == b"\1"
    await box.drop(numbers[1])
    assert [number async for number, _ in box.list("trap")] == [numbers[0], numbers[2]]
    for _ in range(2):
        for forget in (box.get, box.drop):
            with pytest.raises(InvalidInput, match="there is no dead letter"):
                await forget(numbers[1])
        for number in [number async for number, _ in box.list()]:
            await box.drop(number)  # the second time the stream is empty, which the server words otherwise


async def test_the_host_bounds_all_mailboxes_together(server: NatsServer, client: Client) -> None:
    limits = Limits(host_mailbox_count=2)
    async with Host(nats=server.url, limits=limits) as host:
        names = ("a", "b", "c")
        modules = {name: guest(LOOP) for name in names}
        await host.deploy_modules(application(*(actor(name, timeout=0.5) for name in names)), modules)
        asks = []
        for name in names:
            asks.append(started(client.ask(name, "Op")))
            await until(functools.partial(_came, host.router.actors[name], 1))
        asks += [started(client.ask(name, "Op")) for name in names[:2]]
        await until(lambda: host.router.budget.count == 2)
        with pytest.raises(Overloaded, match="the host's mailboxes are full: 2 messages"):
            await client.ask("c", "Op")
        await asyncio.gather(*asks, return_exceptions=True)
        assert host.router.budget.count == host.router.budget.size == 0


async def test_an_overloaded_host_steps_back_while_another_has_room(
    nats_host: Host, other: Host, client: Client
) -> None:
    spec = actor("worker", mailbox_count=2, timeout=3.0)
    await nats_host.deploy_modules(application(spec), {"worker": guest(LOOP)})
    async with client.events("actor-*") as events:
        stuck = await overloaded(nats_host, client)
        await asyncio.sleep(0.6)
        assert not nats_host.router.intake.away("worker"), "alone it stays, and says that it is overloaded"
        await other.deploy_modules(application(spec), {"worker": guest(ECHO)})
        await until(lambda: nats_host.router.intake.away("worker"))
        assert [await client.ask("worker", "Op", b"x") for _ in range(20)] == [b"x"] * 20
        await asyncio.gather(*stuck, return_exceptions=True)
        await until(lambda: not nats_host.router.intake.away("worker"))
        told = [await anext(events) for _ in range(3)]
    assert [event.kind for event in told] == ["actor-overloaded", "actor-overloaded", "actor-accepting"]
    assert [event.data.get("left") for event in told] == [False, True, None]


async def test_a_host_that_stepped_back_returns_when_the_other_is_gone(
    nats_host: Host, server: NatsServer, client: Client
) -> None:
    spec = actor("worker", mailbox_count=2, timeout=5.0)
    await nats_host.deploy_modules(application(spec), {"worker": guest(LOOP)})
    async with Host(nats=server.url) as other:
        await other.deploy_modules(application(spec), {"worker": guest(ECHO)})
        stuck = await overloaded(nats_host, nats_host)
        await until(lambda: nats_host.router.intake.away("worker"))
    await until(lambda: not nats_host.router.intake.away("worker"))
    with pytest.raises(Overloaded):
        await client.ask("worker", "Op")
    for ask in stuck:
        ask.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


async def test_local_calls_spill_to_another_host_when_half_the_mailbox_is_taken(
    nats_host: Host, other: Host
) -> None:
    spec = actor("worker", mailbox_count=4, timeout=3.0)
    await nats_host.deploy_modules(application(spec), {"worker": guest(LOOP)})
    await other.deploy_modules(application(spec), {"worker": guest(ECHO)})
    stuck = [started(nats_host.ask("worker", "Op", timeout=2)) for _ in range(4)]
    await until(lambda: nats_host.router.actors["worker"].mailbox_statistics().waiting == 3)
    nats_host.router.intake.covered("worker")
    await until(lambda: nats_host.router.intake.covered("worker"))
    before = other.router.actors["worker"].counts.replied
    # The server deals a spilled call to either host: of so many one certainly goes to the other.
    asks = [started(nats_host.ask("worker", "Op", b"x", timeout=1.8)) for _ in range(32)]
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    served = [outcome for outcome in outcomes if outcome == b"x"]
    assert len(served) == other.router.actors["worker"].counts.replied - before > 0
    await asyncio.gather(*stuck, return_exceptions=True)
