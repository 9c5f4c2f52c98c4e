"""A connection that a bad network breaks, spoils or leads into a hole is replaced, and leaves nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from actorhost import clock
from actorhost.errors import ActorhostError, OutcomeUnknown
from actorhost.limits import Limits
from actorhost.testing import Direction, FaultProxy
from actorhost.transport import NatsServer, NatsTransport
from actorhost.transport.nats import connect as connect_module
from tests.transports import Arrivals, answering, ended, started

PROMPT = 3.0
GREETING = b'INFO {"max_payload":1048576,"headers":true}\r\n'
Talk = Callable[[bytes], bytes]


@asynccontextmanager
async def between(server_url: str, *, greetings: dict[int, bytes], talk: Talk) -> AsyncIterator[str]:
    """Stand before a server: connection n gets a greeting of ours, or what `talk` makes of both sides."""
    numbers, writers = itertools.count(), set[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        number = next(numbers)
        if number in greetings:
            writer.write(greetings[number])
            await reader.read()
            writer.close()
            return
        there, server = await asyncio.open_connection("127.0.0.1", int(server_url.rpartition(":")[2]))
        writers.add(server)
        await asyncio.gather(pump(reader, server, number), pump(there, writer, number))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(talk(data) if number == 1 else data)
        except OSError:
            pass
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()


def as_it_is(data: bytes) -> bytes:
    return data


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[NatsTransport]:
    transport = NatsTransport(url, name="test", limits=Limits(connect_timeout=1.0))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


async def served(transport: NatsTransport, within: float = PROMPT) -> None:
    """Return when a request is answered."""
    until = clock.monotonic() + within
    while True:
        try:
            assert await transport.request("echo", b"here", 0.3) == b"here"
        except ActorhostError:
            assert clock.monotonic() < until
            await asyncio.sleep(0.02)
        else:
            return


async def lost(transport: NatsTransport) -> None:
    async with asyncio.timeout(PROMPT):
        while transport.statistics().connected:  # noqa: ASYNC110 - counters have no events
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "greeting",
    [
        b"INFO\r\n",
        b"INFO {\xff}\r\n",
        b'INFO {"max_payload"}\r\n',
        b"PING\r\n",
        b"\x00" * 100_000,
        GREETING + b"POmG\r\n",
        GREETING + b"+OK\r\n",
        GREETING + b"-ERR\xff\r\n",
        GREETING + b"-ERR\r\n",
        GREETING + b"\x00" * 100_000,
        b"",
        GREETING,
    ],
)
async def test_a_greeting_that_makes_no_sense_is_one_failed_attempt(
    server: NatsServer, greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_module, "RECONNECT_WAIT", 0.02)
    async with (
        between(server.url, greetings={1: greeting}, talk=as_it_is) as url,
        connected(server.url) as other,
        answering(other, "echo"),
        connected(url) as transport,
    ):
        connection = transport._connection
        assert connection is not None
        await connection.replace("the test says so")
        await served(transport)
        assert transport.statistics().reconnects == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"INFO {\xff}\r\n",
        b"-ERR \r\n",
        b"-ERR '\xff'\r\n",
        b"MSG a 1 99999999999\r\nhello\r\n",
        b"HMSG a 1 500 5\r\nhell",
        b"WHAT " + b"x" * 5000 + b"\r\n",
        b"x" * 100_000,
    ],
)
async def test_nonsense_from_a_server_ends_the_connection_at_once(
    server: NatsServer, nonsense: bytes
) -> None:
    said = False

    def talk(data: bytes) -> bytes:
        nonlocal said
        if not said and b"say it" in data and data.startswith(b"MSG"):
            said = True
            return nonsense
        return data

    async with (
        between(server.url, greetings={}, talk=talk) as url,
        connected(url),  # connection 0 is not talked into
        connected(url) as transport,
        connected(server.url) as other,
        answering(other, "echo"),
    ):
        await transport.subscribe("mine", Arrivals())
        request = started(transport.request("mine", b"say it", 60))
        assert type(await ended(request)) is OutcomeUnknown
        await served(transport)
        assert (transport.statistics().reconnects, transport.statistics().server_errors > 0) == (1, True)


async def test_a_connection_that_answers_cannot_come_back_on_is_replaced(server: NatsServer) -> None:
    def talk(data: bytes) -> bytes:
        return data.replace(b"SUB _INBOX.", b"SUB _INBOY.")

    async with (
        between(server.url, greetings={}, talk=talk) as url,
        connected(server.url) as other,
        answering(other, "echo"),
        connected(url) as transport,
    ):
        connection = transport._connection
        assert connection is not None
        await connection.replace("the test says so")
        await served(transport)
        assert transport.statistics().reconnects == 2


async def test_a_request_whose_caller_was_told_is_not_sent_later(server: NatsServer) -> None:
    arrivals = Arrivals()
    async with (
        FaultProxy(server.url) as proxy,
        connected(server.url) as other,
        connected(proxy.url) as transport,
    ):
        await other.subscribe("work", arrivals)
        proxy.freeze(Direction.TO_SERVER)
        requests = []
        # The first fill what the system takes; those after them wait here.
        for _ in range(2):
            requests += [started(transport.request("work", bytes(700_000), 60)) for _ in range(10)]
            await asyncio.sleep(0.1)
        assert transport.statistics().unsent_bytes > 7_000_000
        await transport.publish("work", b"nobody was told that this did not arrive")
        proxy.cut()
        assert {type(await ended(request)) for request in requests} == {OutcomeUnknown}
        await proxy.restore()
        await arrivals.until(1)
        await transport.flush(PROMPT)
        assert [len(body) for body in arrivals.bodies] == [40]


async def test_a_silent_server_is_given_up_and_attempts_do_not_pile_up(server: NatsServer) -> None:
    async with (
        FaultProxy(server.url) as proxy,
        connected(server.url) as other,
        answering(other, "echo"),
        connected(proxy.url) as transport,
    ):
        proxy.half_open()
        began = clock.monotonic()
        await lost(transport)
        assert clock.monotonic() - began < 2.5
        await anyio.sleep(1.5)
        assert proxy.statistics().open <= 2, "the one the server still knows, and one attempt"
        await proxy.restore(reset=False)
        await served(transport, within=1.0)
