"""The NATS transport under floods, and while the server is away or frozen: nothing hangs or is forgotten."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from actorhost import clock
from actorhost.errors import CallTimeout, Closed, NoRoute, Overloaded, ServerUnavailable
from actorhost.limits import KIB, Limits
from actorhost.transport.nats import NatsTransport
from actorhost.transport.server import NatsServer

PROMPT = 2.0
"""Seconds within which what should happen at once must have happened, on a busy machine."""


@pytest_asyncio.fixture
async def server(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[NatsServer]:
    async with NatsServer(tmp_path / "nats", port=unused_tcp_port, limits=Limits()) as running:
        yield running


@asynccontextmanager
async def connected(server: NatsServer, limits: Limits | None = None) -> AsyncIterator[NatsTransport]:
    transport = NatsTransport(server.url, name="test", limits=limits or Limits())
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


async def until(holds: Callable[[], bool], patience: float = 10.0) -> None:
    deadline = clock.monotonic() + patience
    while not holds():
        assert clock.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def flood(transport: NatsTransport, count: int, size: int) -> None:
    for _ in range(count):
        await transport.publish("a", bytes(size))


def ignore(_subject: str, _reply: str, _data: bytes) -> None:
    """Answer nothing: a request that goes here waits."""


async def test_a_flood_leaves_the_event_loop_responsive(server: NatsServer) -> None:
    received_in_pass = [0]

    def count(_subject: str, _reply: str, _data: bytes) -> None:
        received_in_pass[-1] += 1

    async with (
        connected(server) as transport,
        connected(server) as flooder,
        anyio.create_task_group() as tasks,
    ):
        await transport.subscribe("a", count)
        tasks.start_soon(flood, flooder, 20_000, 1)
        while sum(received_in_pass) < 20_000:
            await asyncio.sleep(0)
            if received_in_pass[-1]:
                received_in_pass.append(0)
    assert max(received_in_pass) <= 512


async def test_a_subscription_closed_while_the_server_is_away_stays_closed(server: NatsServer) -> None:
    async with connected(server) as transport:
        opened_before = await transport.subscribe("before", ignore)
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: not transport.statistics().connected)
        opened_meanwhile = await transport.subscribe("meanwhile", ignore)
        await opened_before.close()
        await opened_meanwhile.close()
        await server.stop()
        await server.start()
        await until(lambda: transport.statistics().connected)
        for subject in ("before", "meanwhile"):
            with pytest.raises(NoRoute):
                await transport.request(subject, b"", 5)


async def test_a_flood_into_a_frozen_server_is_refused_in_time_and_the_transport_still_closes(
    server: NatsServer,
) -> None:
    limits = Limits(outbox_bytes=1024 * KIB, bus_timeout=0.3)
    transport = NatsTransport(server.url, name="test", limits=limits)
    await transport.start()
    os.kill(server.pid, signal.SIGSTOP)
    started = clock.monotonic()
    with pytest.raises(Overloaded):
        await flood(transport, 500, 256 * KIB)
    await transport.close()
    assert clock.monotonic() - started < 0.6 + 2 * PROMPT
    os.kill(server.pid, signal.SIGCONT)
    with pytest.raises(Closed):
        await transport.publish("a", b"")


async def test_waiting_for_a_frozen_server_has_an_end_and_its_late_answers_do_no_harm(
    server: NatsServer,
) -> None:
    async with connected(server, Limits(bus_timeout=0.2)) as transport:
        await transport.subscribe("slow", ignore)
        os.kill(server.pid, signal.SIGSTOP)
        with pytest.raises(CallTimeout):
            await transport.request("slow", b"x", 0.2)
        with pytest.raises(ServerUnavailable):
            await transport.flush(0.2)
        with pytest.raises(ServerUnavailable):
            await transport.subscribe("more", ignore)
        os.kill(server.pid, signal.SIGCONT)
        await transport.flush(PROMPT)
        assert transport.statistics().reconnects == 0
