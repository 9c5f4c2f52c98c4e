"""Hosts that stand still, on NATS servers that would take minutes to miss them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from actorhost import Client, clock
from actorhost.errors import ActorhostError, InvalidInput, ServerUnavailable
from actorhost.limits import Limits
from actorhost.testing import FaultProxy
from actorhost.transport import NatsServer, NatsTransport, drops_silent
from tests.integration.test_cli import going_up
from tests.servers import configured_nats
from tests.transports import PATIENCE, started

GIVEN_UP = 3.0
"""Seconds after which a host that stands still gets no more messages."""


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[str]:
    """A NATS server as it is when nobody configures it."""
    async with configured_nats(tmp_path, f'jetstream {{store_dir: "{tmp_path}/js"}}') as address:
        yield f"nats://{address}"


@pytest.fixture
async def guarded(stock: str) -> AsyncIterator[NatsTransport]:
    transport = NatsTransport(stock, name="guarded", limits=Limits(), guarded=True)
    await transport.start()
    yield transport
    await transport.close()


async def _unanswered(client: Client, count: int) -> list[str]:
    """Return how those of `count` calls ended that got no reply."""

    async def ask() -> str:
        try:
            await client.ask("echo", "Echo", b"hello", timeout=1.0)
        except ActorhostError as error:
            return str(error.code)
        return ""

    async with asyncio.TaskGroup() as tasks:
        calls = []
        for _ in range(count):
            calls.append(tasks.create_task(ask()))
            await asyncio.sleep(0.01)
    return [ended for call in calls if (ended := call.result())]


async def _queue_of_both(client: Client, hosts: set[str]) -> None:
    end = clock.monotonic() + PATIENCE
    while {host.id for host in await client.control.hosts(count=2)} != hosts:
        assert clock.monotonic() < end, "the frozen host did not come back"


async def test_a_frozen_host_gets_no_more_calls_on_a_stock_server(stock: str, tmp_path: Path) -> None:
    with (
        going_up(tmp_path / "first", "--nats", stock, "manifests/echo.yaml") as first,
        going_up(tmp_path / "second", "--nats", stock, "manifests/echo.yaml") as second,
    ):
        async with Client(stock) as client:
            for _ in range(2):  # the second time it is the connection that replaced the first
                first.process.send_signal(signal.SIGSTOP)
                try:
                    await asyncio.sleep(GIVEN_UP)
                    assert await _unanswered(client, 150) == []
                finally:
                    first.process.send_signal(signal.SIGCONT)
                assert await _unanswered(client, 150) == []
                await _queue_of_both(client, {first.ready["host"], second.ready["host"]})
        _guard_of(first.process.pid).kill()
        await asyncio.sleep(0.5)
        assert psutil.pid_exists(first.process.pid)
    errors = (tmp_path / "first" / "stderr").read_text()
    assert errors.count("nobody watches whether this process stands still") == 1
    assert errors.count("the NATS server keeps silent clients for more than 3 s") == 1


def _guard_of(pid: int) -> psutil.Process:
    (guard,) = (
        child for child in psutil.Process(pid).children() if "guard_process.py" in str(child.cmdline())
    )
    return guard


async def test_a_blocked_event_loop_counts_as_standing_still(guarded: NatsTransport, stock: str) -> None:
    clock.sleep(GIVEN_UP)
    await asyncio.sleep(0.1)
    end = clock.monotonic() + PATIENCE
    while not guarded.statistics().connected:
        assert clock.monotonic() < end
        await asyncio.sleep(0.02)
    assert guarded.statistics().reconnects == 1


async def test_nothing_is_cut_while_the_loop_turns(guarded: NatsTransport) -> None:
    await asyncio.sleep(GIVEN_UP)
    await guarded.flush(1.0)
    assert guarded.statistics().reconnects == 0


async def test_a_connection_that_is_given_up_ends_though_it_is_shared(stock: str) -> None:
    async with FaultProxy(stock, seed=1) as proxy:
        transport = NatsTransport(proxy.url, name="guarded", limits=Limits(), guarded=True)
        await transport.start()
        # It goes on holding the socket until it is ended, which takes longer than is waited here.
        _guard_of(os.getpid()).suspend()
        closing = started(transport.close())
        end = clock.monotonic() + 1.0
        while proxy.statistics().open:
            assert clock.monotonic() < end, "the server still has it"
            await asyncio.sleep(0.01)
        await closing


async def test_without_a_guard_the_transport_runs_and_says_so(
    stock: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    transport = NatsTransport(stock, name="unguarded", limits=Limits(), guarded=True)
    with caplog.at_level(logging.WARNING):
        await transport.start()
    assert "nobody watches whether this process stands still" in caplog.text
    await transport.flush(1.0)
    await transport.close()


@pytest.mark.parametrize(("rules", "dropped"), [("", False), ('ping_interval: "1s", ping_max: 1', True)])
async def test_how_long_a_server_keeps_a_silent_client(tmp_path: Path, rules: str, *, dropped: bool) -> None:
    async with configured_nats(tmp_path, rules) as address:
        assert await drops_silent(f"nats://{address}", name="silent", timeout=2.0, within=3.0) is dropped


async def test_the_embedded_server_drops_a_silent_client_in_time(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats", limits=Limits()) as server:
        assert await drops_silent(server.url, name="silent", timeout=2.0, within=3.0)


async def test_a_server_that_is_not_there_cannot_be_examined() -> None:
    with pytest.raises(ServerUnavailable):
        await drops_silent("nats://127.0.0.1:9", name="silent", timeout=0.5, within=3.0)
    with pytest.raises(InvalidInput):
        await drops_silent("http://127.0.0.1:9", name="silent", timeout=0.5, within=3.0)
