"""Parts that are killed and started again: the NATS server under load, and a whole ``actorhost up``."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from actorhost import Client, Host
from actorhost.limits import Limits
from actorhost.transport.stream import Stream, StreamLimits
from tests.integration.recovery.conftest import BACK, Lattice, served
from tests.integration.test_cli import going_up


async def _outage(lattice: Lattice, seconds: float) -> None:
    """Kill the server under load, start it again on the same port and store, and be served."""
    server = lattice.server
    stream = Stream(lattice.client.transport, "KEPT", "kept.>", timeout=5.0)
    await stream.create(StreamLimits(count=10, size=10_000))
    assert await stream.append_all([("kept.one", b"before")]) == [1]
    async with lattice.load() as load:
        await asyncio.sleep(0.2)
        os.kill(server.pid, signal.SIGKILL)
        await server.wait()
        await asyncio.sleep(seconds)
        assert not lattice.host.transport.statistics().connected
        await server.stop()
        await server.start()
        await served(lattice.client)
    assert load.outcomes["unknown_outcome"] > 0
    assert load.outcomes["unavailable"] > 0
    record = await stream.get(1)
    assert record is not None
    assert record.data == b"before"


async def test_a_server_that_is_killed_and_started_again(lattice: Lattice) -> None:
    await _outage(lattice, 1.5)


@pytest.mark.soak
async def test_a_server_that_is_away_for_twenty_seconds(lattice: Lattice) -> None:
    await _outage(lattice, 20)


@pytest.mark.soak
async def test_a_frozen_server_under_load(lattice: Lattice) -> None:
    async with lattice.load() as load:
        os.kill(lattice.server.pid, signal.SIGSTOP)
        await asyncio.sleep(2.5)
        os.kill(lattice.server.pid, signal.SIGCONT)
        await served(lattice.client)
    assert load.outcomes["timeout"] > 0


async def test_hosts_opened_while_the_network_is_bad_leave_nothing(lattice: Lattice) -> None:
    lattice.host_side.half_open()
    limits = Limits(connect_timeout=0.3)
    for _ in range(3):
        with pytest.raises(Exception, match="no NATS server"):
            async with Host(nats=lattice.host_side.url, limits=limits):
                pass
    await lattice.recover()


async def test_a_killed_host_is_started_again_on_its_store(tmp_path: Path, unused_tcp_port: int) -> None:
    """The server dies with its host, lets go of port and files, and both come back with new ones."""
    arguments = ("--port", str(unused_tcp_port), "--store", str(tmp_path / "nats"), "manifests/echo.yaml")
    with going_up(tmp_path / "first", *arguments) as first:
        async with Client(first.url) as client:
            assert await client.ask("echo", "Echo", b"hello") == b"hello"
            first.process.kill()
            first.process.wait()
            with going_up(tmp_path / "second", *arguments) as second:
                assert second.url == first.url
                assert await served(client) < BACK
