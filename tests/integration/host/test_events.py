"""What happens in a real host is told to whoever follows, also what happened while NATS was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from actorhost import Client, Host
from actorhost.errors import GuestTrapped, ModuleRefused, Overloaded
from actorhost.host.event_stream import EventStream
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import Limits
from actorhost.telemetry.event import Event
from actorhost.transport import NatsServer
from tests.integration.host.conftest import PATIENCE, actor, application, until
from tests.transports import started
from tests.wat import ECHO, LOOP, TRAP, guest

POLICY = RestartPolicy(intensity=1, period=10.0, backoff=0.05, attempts=1)


@asynccontextmanager
async def following(client: Client, *patterns: str) -> AsyncIterator[EventStream]:
    async with asyncio.timeout(PATIENCE), client.events(*patterns) as stream:
        yield stream


async def some(stream: EventStream, count: int) -> list[Event]:
    return [await anext(stream) for _ in range(count)]


async def test_an_actor_that_keeps_ending_is_told_from_the_first_end_to_the_last(
    nats_host: Host, client: Client
) -> None:
    await nats_host.deploy_modules(application(actor("trap", restarts=POLICY)), {"trap": guest(TRAP)})
    supervision = nats_host.router.actors["trap"].supervision
    async with following(client, "instance-*", "actor-*", "deadletter-*") as stream:
        await client.tell("trap", "Op", b"never shown")
        first, letter = await some(stream, 2)
        with pytest.raises(GuestTrapped):
            await client.ask("trap", "Op")
        second, waiting = await some(stream, 2)
        await until(lambda: not supervision.holds())
        with pytest.raises(GuestTrapped):
            await client.ask("trap", "Op")
        third, failed = await some(stream, 2)
    assert {event.kind for event in (first, second, third)} == {"instance-ended"}
    assert first.data["code"] == "trapped"
    assert "unreachable" in first.data["reason"]
    assert first.data["backtrace"].startswith("in ")
    assert (first.source, first.subject) == (f"/default/{nats_host.id}", "trap")
    assert (letter.kind, letter.data) == ("deadletter-stored", {"operation": "Op", "code": "trapped"})
    assert (waiting.kind, waiting.data["seconds"], len(waiting.data["causes"])) == ("actor-waiting", 0.05, 2)
    assert (failed.kind, len(failed.data["causes"])) == ("actor-failed", 3)


async def test_hosts_and_deployments_are_told(server: NatsServer, client: Client) -> None:
    async with following(client, "host-*", "application-*", "deployment-*") as stream:
        async with Host(nats=server.url) as host:
            for _ in range(2):
                await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
            with pytest.raises(ModuleRefused):
                await host.deploy_modules(application(actor("echo")), {"echo": b"no module"})
            await host.undeploy("app")
        told = await some(stream, 6)
    assert [(event.kind, event.subject) for event in told] == [
        ("host-started", host.id),
        ("application-deployed", "app"),
        ("application-deployed", "app"),
        ("deployment-failed", "app"),
        ("application-undeployed", "app"),
        ("host-stopping", host.id),
    ]
    assert [event.id for event in told] == ["1", "2", "3", "4", "5", "6"]
    assert [event.data.get("replaced") for event in told[1:3]] == [False, True]
    assert (told[3].data["code"], told[3].data["running"]) == ("bad_request", True)


async def test_an_actor_that_refuses_messages_and_has_room_again(nats_host: Host, client: Client) -> None:
    spec = actor("loop", mailbox_count=2, timeout=0.4, restarts=RestartPolicy(intensity=1000))
    await nats_host.deploy_modules(application(spec), {"loop": guest(LOOP)})
    async with following(client, "actor-*") as stream:
        asks = [started(client.ask("loop", "Op")) for _ in range(6)]
        overloaded, accepting = await some(stream, 2)
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
    refused = sum(isinstance(outcome, Overloaded) for outcome in outcomes)
    assert refused > 0
    assert (overloaded.kind, overloaded.subject) == ("actor-overloaded", "loop")
    assert overloaded.data["full"] == "mailbox"
    assert not overloaded.data["left"], "there is no other host"
    assert accepting.kind == "actor-accepting"
    assert 0 < accepting.data["refused"] <= refused


async def test_an_outage_is_told_with_what_happened_meanwhile(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats", limits=Limits()) as server:
        url = server.url
        host = Host(nats=url)
        await host.__aenter__()
    try:
        await until(lambda: not host.transport.statistics().connected)
        await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
        port = urlsplit(url).port
        assert port is not None
        async with NatsServer(tmp_path / "nats", port=port, limits=Limits()), Client(url) as client:
            async with following(client, "nats-*", "application-*") as stream:
                told = await some(stream, 3)
            await host.__aexit__()
    finally:
        await host.__aexit__()
    assert [event.kind for event in told] == ["nats-lost", "application-deployed", "nats-restored"]
    assert told[0].time < told[1].time < told[2].time
    assert 0 < told[2].data["seconds"] < PATIENCE


async def test_what_is_no_event_is_counted_and_passed_over(nats_host: Host, client: Client) -> None:
    async with following(client) as stream:
        for subject in ("ah.default.evt.actor-failed", "ah.default.evt.NONSENSE"):
            await client.transport.publish(subject, b"garbage")
        await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
        assert (await anext(stream)).kind == "application-deployed"
    assert (stream.unreadable, stream.dropped) == (2, 0)
    assert [event async for event in stream] == []
