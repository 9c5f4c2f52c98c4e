"""Words altered on the way at the worst moment: the connection finds out, or what they spoilt is renewed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from actorhost import clock
from actorhost.errors import ActorhostError, NoRoute
from actorhost.limits import Limits
from actorhost.transport import NatsServer, NatsTransport
from tests.transports import PATIENCE, answering

Alter = Callable[[bytes], bytes]


class Line:
    """A way to a server; `up` and `down` alter what goes there and what comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.up: Alter = lambda data: data
        self.down: Alter = lambda data: data

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, back]
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(reader, back, "up"), self._pump(there, writer, "down"))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        while data := await reader.read(65536):
            alter: Alter = getattr(self, way)
            writer.write(alter(data))
            await writer.drain()
        writer.close()

    def cut(self) -> None:
        while self._writers:
            self._writers.pop().transport.abort()


def once(old: bytes, new: bytes) -> Alter:
    """Return what puts `new` for the first `old` that comes by."""
    left = [old]

    def alter(data: bytes) -> bytes:
        if left and left[0] in data:
            return data.replace(left.pop(), new, 1)
        return data

    return alter


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[tuple[Line, NatsTransport, NatsTransport]]:
    """A line, a transport on it, and another one with a line of its own."""
    async with NatsServer(tmp_path / "nats", limits=Limits()) as server:
        line = Line(int(server.url.rpartition(":")[2]))
        listener = await asyncio.start_server(line.carry, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        far = NatsTransport(f"nats://127.0.0.1:{port}", name="far", limits=Limits())
        near = NatsTransport(server.url, name="near", limits=Limits())
        async with listener:
            await far.start()
            await near.start()
            yield line, far, near
            await near.close()
            await far.close()
            line.cut()


async def _until_answered(near: NatsTransport, subject: str) -> list[type[ActorhostError]]:
    """Return how requests ended until one was answered."""
    ends: list[type[ActorhostError]] = []
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await near.request(subject, b"?", 0.5)
            except ActorhostError as error:
                ends.append(type(error))
                await asyncio.sleep(0.02)
            else:
                return ends


@pytest.mark.parametrize("queue", ["", "workers"])
async def test_a_subscription_that_was_altered_at_a_reconnection_is_renewed(
    line: tuple[Line, NatsTransport, NatsTransport], queue: str
) -> None:
    way, far, near = line
    async with answering(far, "spoilt.here", queue=queue), answering(far, "whole", queue=queue) as whole:
        way.up = once(b"SUB spoilt.here", b"SUB spoilt.hare")
        way.cut()
        await _until_answered(near, "whole")
        with pytest.raises(NoRoute):
            await near.request("spoilt.here", b"?", 1)
        began = clock.monotonic()
        assert set(await _until_answered(near, "spoilt.here")) <= {NoRoute}
        assert clock.monotonic() - began < 2
        # Nothing is lost or doubled by it, and the old numbers end.
        assert [await near.request("whole", b"%d" % n, 1) for n in range(200)] == [
            b"%d" % n for n in range(200)
        ]
        await whole.close()
        with pytest.raises(NoRoute):
            await near.request("whole", b"?", 1)
        assert far.statistics().subscriptions == 1


async def test_a_length_that_was_altered_makes_nobody_deaf(
    line: tuple[Line, NatsTransport, NatsTransport],
) -> None:
    way, far, near = line
    async with answering(far, "echo"):
        way.down = once(b" 1000\r\n", b" 9000\r\n")
        await near.publish("echo", b"x" * 1000, "nobody")
        began = clock.monotonic()
        await _until_answered(near, "echo")
        assert clock.monotonic() - began < 2.5
        assert far.statistics().reconnects == 1
