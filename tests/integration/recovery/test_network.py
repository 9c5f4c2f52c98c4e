"""Calls under load while the network misbehaves: in time, typed, and answered again right afterwards."""

from __future__ import annotations

import asyncio

import pytest

from actorhost import clock
from actorhost.errors import OutcomeUnknown
from actorhost.testing import Direction, FaultProxy
from tests.integration.recovery.conftest import Lattice
from tests.transports import Arrivals, ended, started

SIDES = pytest.mark.parametrize("side", ["host_side", "client_side"])


def proxy_of(lattice: Lattice, side: str) -> FaultProxy:
    proxy = getattr(lattice, side)
    assert isinstance(proxy, FaultProxy)
    return proxy


@SIDES
async def test_a_cut_network(lattice: Lattice, side: str) -> None:
    async with lattice.load() as load:
        await asyncio.sleep(0.2)
        proxy_of(lattice, side).cut()
        await asyncio.sleep(1.0)
        await lattice.recover()
    assert load.outcomes["answered"] > 0


@pytest.mark.alone
async def test_calls_in_flight_when_the_connection_breaks_end_at_once(lattice: Lattice) -> None:
    lattice.client_side.freeze(Direction.TO_CLIENT)
    calls = [started(lattice.client.ask("echo", "Echo", b"x", timeout=60)) for _ in range(20)]
    await asyncio.sleep(0.1)
    began = clock.monotonic()
    lattice.client_side.cut()
    outcomes = [await ended(call) for call in calls]
    assert {type(outcome) for outcome in outcomes} == {OutcomeUnknown}
    assert clock.monotonic() - began < 0.25
    await lattice.recover()


@pytest.mark.parametrize(("side", "reset"), [("host_side", True), ("client_side", False)])
async def test_a_half_open_connection(lattice: Lattice, side: str, reset: bool) -> None:
    async with lattice.load() as load:
        await asyncio.sleep(0.2)
        proxy_of(lattice, side).half_open()
        # The connection is known to be dead then, and the next one has fallen into the same hole.
        await asyncio.sleep(2.2)
        await lattice.recover(reset=reset)
    assert load.outcomes["timeout"] > 0


async def test_two_hundred_milliseconds_of_latency(lattice: Lattice) -> None:
    async with lattice.load(timeout=3.0) as load:
        for proxy in (lattice.host_side, lattice.client_side):
            proxy.latency(0.1)
        await asyncio.sleep(1.0)
        answered = load.outcomes["answered"]
        assert answered > 0
        await lattice.recover()
    assert set(load.outcomes) == {"answered"}, "slow is not broken"
    assert lattice.client.transport.statistics().reconnects == 0


@SIDES
@pytest.mark.parametrize("probability", [0.01, 0.3])
async def test_corrupted_bytes(lattice: Lattice, side: str, probability: float) -> None:
    async with lattice.load() as load:
        proxy = proxy_of(lattice, side)
        proxy.corrupt(probability)
        await asyncio.sleep(0.7)
        assert proxy.statistics().altered_bytes > 0
        await lattice.recover()
    assert load.outcomes["answered"] > 0


@pytest.mark.parametrize("size", [1000, 100_000])
async def test_a_throttled_link(lattice: Lattice, size: int) -> None:
    unsent = 0
    async with lattice.load(payload=bytes(size)) as load:
        lattice.client_side.throttle(200_000)
        for _ in range(100):
            await asyncio.sleep(0.01)
            unsent = max(unsent, lattice.client.transport.statistics().unsent_bytes)
        await lattice.recover()
    assert unsent <= lattice.client.limits.outbox_bytes
    assert lattice.client.transport.statistics().reconnects == 0, "slow is not broken"
    if size == 1000:
        assert set(load.outcomes) == {"answered"}


async def test_a_slow_link_with_much_to_carry_is_not_taken_for_a_dead_one(lattice: Lattice) -> None:
    """A ping waits behind what the system took before it, here for three seconds."""
    arrivals = Arrivals()
    client, host = lattice.client.transport, lattice.host.transport
    bulk = await host.subscribe("bulk", arrivals)
    lattice.client_side.throttle(1_500_000)
    for _ in range(50):
        await client.publish("bulk", bytes(100_000))
    await arrivals.until(50)
    await bulk.close()
    assert client.statistics().reconnects == 0


@pytest.mark.soak
@SIDES
@pytest.mark.parametrize("reset", [True, False])
async def test_a_half_open_connection_for_long(lattice: Lattice, side: str, reset: bool) -> None:
    async with lattice.load():
        proxy_of(lattice, side).half_open()
        await asyncio.sleep(20)
        await lattice.recover(reset=reset)


@pytest.mark.soak
@SIDES
@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("probability", [0.001, 0.01, 0.1, 0.5])
async def test_corrupted_bytes_for_long(
    lattice: Lattice, side: str, direction: Direction, probability: float
) -> None:
    async with lattice.load():
        for _ in range(5):
            proxy_of(lattice, side).corrupt(probability, direction)
            await asyncio.sleep(2)
            await lattice.recover()
