"""The fault proxy does to a connection what it says, can be replayed, and leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from actorhost import clock
from actorhost.errors import InvalidInput, InvalidLimit
from actorhost.testing import Direction, FaultProxy

PATIENCE = 5.0
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echo_server() -> AsyncIterator[str]:
    """Answer with what comes, after an ``INFO`` of its own; return where."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(b"INFO\n")
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.transport.abort()


@asynccontextmanager
async def opened(proxy: FaultProxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    async with echo_server() as url, FaultProxy(url, seed=7) as running:
        yield running


async def exchanged(ends: Ends, data: bytes) -> bytes:
    ends[1].write(data)
    async with asyncio.timeout(PATIENCE):
        return await ends[0].readexactly(len(data))


async def silent(ends: Ends) -> bool:
    """Whether nothing comes, for a while."""
    with anyio.move_on_after(0.1):
        await ends[0].read(1)
        return False
    return True


async def test_bytes_pass_whole_and_an_end_is_an_end(proxy: FaultProxy) -> None:
    async with opened(proxy) as ends:
        assert await ends[0].readline() == b"INFO\n"
        data = bytes(range(256)) * 4096
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ends[1].drain)
            assert await exchanged(ends, data) == data
        ends[1].write_eof()
        assert await ends[0].read() == b""
    assert proxy.statistics().passed_bytes == 5 + 2 * len(data)


@pytest.mark.alone
async def test_latency_is_added_each_way_and_is_not_a_bound(proxy: FaultProxy) -> None:
    async with opened(proxy) as ends:
        await ends[0].readline()
        proxy.latency(0.1)
        began = clock.monotonic()
        for _ in range(20):
            ends[1].write(b"x" * 50)
            await asyncio.sleep(0.001)
        await ends[0].readexactly(1000)
        assert 0.2 <= clock.monotonic() - began < 0.5


async def test_latency_that_ends_holds_nothing_back(proxy: FaultProxy) -> None:
    async with opened(proxy) as ends:
        await ends[0].readline()
        proxy.latency(60)
        ends[1].write(b"late")
        assert await silent(ends)
        proxy.latency(0)
        assert await ends[0].readexactly(4) == b"late"


async def test_a_throttled_link_is_shared_by_its_connections(proxy: FaultProxy) -> None:
    async with opened(proxy) as one, opened(proxy) as other:
        await one[0].readline()
        await other[0].readline()
        proxy.throttle(100_000, Direction.TO_SERVER)
        began = clock.monotonic()
        async with anyio.create_task_group() as tasks:
            for ends in (one, other):
                tasks.start_soon(exchanged, ends, bytes(15_000))
        assert 0.2 <= clock.monotonic() - began < 1


async def test_a_cut_network_resets_and_refuses_and_comes_back_at_the_same_address(proxy: FaultProxy) -> None:
    url = proxy.url
    async with opened(proxy) as ends:
        await ends[0].readline()
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await ends[0].read()
        with pytest.raises(ConnectionRefusedError):
            async with opened(proxy):
                pass
    await proxy.restore()
    assert proxy.url == url
    async with opened(proxy) as ends:
        await ends[0].readline()
        assert await exchanged(ends, b"back") == b"back"


async def test_half_open_connections_stay_silent_and_are_reset_afterwards(proxy: FaultProxy) -> None:
    async with opened(proxy) as talking, opened(proxy) as idle:
        await talking[0].readline()
        await idle[0].readline()
        proxy.half_open()
        talking[1].write(b"anybody?")
        async with opened(proxy) as new:
            assert await silent(talking)
            assert await silent(new)
            await proxy.restore()
            for ends in (talking, new):
                with pytest.raises(ConnectionResetError):
                    await ends[0].read()
        assert await exchanged(idle, b"lost nothing") == b"lost nothing"
    assert proxy.statistics().swallowed_bytes == 8


async def test_half_open_connections_may_stay_dead(proxy: FaultProxy) -> None:
    async with opened(proxy) as ends:
        await ends[0].readline()
        proxy.half_open()
        ends[1].write(b"anybody?")
        assert await silent(ends)
        await proxy.restore(reset=False)
        ends[1].write(b"still there?")
        assert await silent(ends)
        async with opened(proxy) as new:
            assert await new[0].readline() == b"INFO\n"


async def test_a_frozen_direction_keeps_what_it_holds_and_is_bounded(proxy: FaultProxy) -> None:
    async with opened(proxy) as ends:
        await ends[0].readline()
        proxy.freeze(Direction.TO_SERVER)
        ends[1].write(bytes(20 * 1024 * 1024))
        with anyio.move_on_after(0.3) as scope:
            await ends[1].drain()
        assert scope.cancelled_caught, "the sender is stopped"
        assert proxy.statistics().passed_bytes == 5
        await proxy.restore()
        assert await ends[0].readexactly(100_000) == bytes(100_000)


async def _altered(seed: int, pieces: list[bytes]) -> bytes:
    async with echo_server() as url, FaultProxy(url, seed=seed) as proxy, opened(proxy) as ends:
        await ends[0].readline()
        proxy.corrupt(0.2, Direction.TO_CLIENT)
        for piece in pieces:
            ends[1].write(piece)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE):
            received = await ends[0].readexactly(sum(map(len, pieces)))
        assert proxy.statistics().altered_bytes == sum(byte != 0 for byte in received)
        return received


async def test_the_same_seed_alters_the_same_bytes_however_they_are_cut_into_pieces() -> None:
    first = await _altered(1, [bytes(20_000)])
    assert first == await _altered(1, [bytes(size) for size in (7, 12_000, 993, 7000)])
    assert first != await _altered(2, [bytes(20_000)])
    assert 5 < sum(byte != 0 for byte in first) < 40


async def test_a_server_that_is_gone_is_a_reset() -> None:
    async with echo_server() as url:
        pass
    async with FaultProxy(url) as proxy, opened(proxy) as ends:
        with pytest.raises(ConnectionResetError):
            await ends[0].read()


async def test_leaving_the_block_ends_every_connection() -> None:
    async with echo_server() as url:
        async with FaultProxy(url) as proxy, opened(proxy) as ends:
            await ends[0].readline()
            proxy.freeze()
            ends[1].write(b"held")
        assert proxy.statistics().open == 0


@pytest.mark.parametrize("url", ["", "nats://", "nats://here", "nats://h:x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="not the address of a server"):
        FaultProxy(url)


def test_conditions_that_cannot_be_are_refused() -> None:
    proxy = FaultProxy("nats://127.0.0.1:4222")
    with pytest.raises(InvalidLimit, match="latency -1"):
        proxy.latency(-1)
    with pytest.raises(InvalidLimit, match="probability 2"):
        proxy.corrupt(2)
    with pytest.raises(InvalidLimit, match="rate nan"):
        proxy.throttle(float("nan"))
