"""Hosts and clients on one bus in memory reach each other as they would over a server."""

from __future__ import annotations

import asyncio

import pytest

from actorhost import Client, Host
from actorhost.errors import InvalidInput, NoRoute, TooLarge
from actorhost.ids import ActorName
from actorhost.manifest import ActorSpec, Application, LinkSpec
from actorhost.testing import MemoryLattice
from actorhost.transport import MemoryBus, MemoryTransport
from tests.leaks import nothing_left
from tests.wat import ECHO, guest

FORWARD = guest(
    "(call $request (i32.const 512) (i32.const 1024)) (drop"
    " (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 2)"
    " (i32.const 1024) (local.get $m)))"
    " (call $reply (i32.const 2048)) (call $respond (i32.const 2048) (call $reply_length)) (i32.const 1)",
    '(data (i32.const 0) "echo")',
)


def application(name: str, *links: str) -> Application:
    found = tuple(LinkSpec(target=ActorName(link), namespace=link, is_actor=True) for link in links)
    spec = ActorSpec(name=ActorName(name), module=name, links=found)
    return Application(name=ActorName(name), actors=(spec,), providers=())


async def test_a_client_and_hosts_reach_each_other_and_nothing_is_left() -> None:
    async with nothing_left(), MemoryLattice() as lattice:
        one, other = await lattice.host(), await lattice.host()
        client = await lattice.client()
        await one.deploy_modules(application("echo"), {"echo": guest(ECHO)})
        await other.deploy_modules(application("forward", "echo"), {"forward": FORWARD})
        assert await client.ask("forward", "Op", b"through both") == b"through both"
        assert await other.ask("echo", "Op", b"there") == b"there"
        assert len(await client.control.hosts(count=2)) == 2
        with pytest.raises(NoRoute):
            await client.ask("nobody", "Op")


async def test_hosts_of_one_actor_share_its_messages() -> None:
    async with MemoryLattice() as lattice:
        hosts = [await lattice.host() for _ in range(3)]
        for host in hosts:
            await host.deploy_modules(application("echo"), {"echo": guest(ECHO)})
        client = await lattice.client()
        await asyncio.gather(*(client.ask("echo", "Op", b"x") for _ in range(30)))
        assert [host.router.actors["echo"].counts.replied for host in hosts] == [10, 10, 10]


async def test_lattices_do_not_see_each_other() -> None:
    async with MemoryLattice() as one, MemoryLattice() as other:
        host = await one.host()
        await host.deploy_modules(application("echo"), {"echo": guest(ECHO)})
        client = await other.client()
        with pytest.raises(NoRoute):
            await client.ask("echo", "Op")


async def test_the_bus_has_a_limit() -> None:
    async with MemoryLattice(max_payload=1000) as lattice:
        client = await lattice.client()
        with pytest.raises(TooLarge):
            await client.ask("echo", "Op", bytes(1000))


def test_a_host_and_a_client_take_one_way_to_reach_others() -> None:
    transport = MemoryTransport(MemoryBus())
    with pytest.raises(InvalidInput, match="not both"):
        Host(nats="nats://127.0.0.1:4222", transport=transport)
    with pytest.raises(InvalidInput, match="one of both"):
        Client("nats://127.0.0.1:4222", transport=transport)
    with pytest.raises(InvalidInput, match="one of both"):
        Client()
