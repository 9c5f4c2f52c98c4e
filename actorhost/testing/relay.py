"""One connection through a fault proxy: two streams of bytes, each under the conditions of its way.

Owned by the proxy, from :meth:`Relay.run` until both ends have ended, one broke, or
:meth:`Relay.reset`. It holds about `HELD` bytes each way, and then stops reading.
"""

from __future__ import annotations

import asyncio
import operator
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from actorhost import clock
from actorhost.testing.conditions import Conditions

CHUNK: Final = 16 * 1024
HELD: Final = 128 * 1024
"""Bytes held each way, about: at a latency of 0.1 s that is 1.3 MB a second in one connection."""
_PIECES: Final = 4096
_PARTING: Final = 1.0
"""Seconds that an end may take to read the last bytes."""
_ABRUPT: Final = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset."""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Arrival = tuple[float, bytes]
"""When bytes came, and the bytes."""


@dataclass(slots=True)
class Traffic:
    """Bytes that went through a proxy, both ways; altered ones have passed."""

    passed: int = 0
    swallowed: int = 0
    altered: int = 0


class Window:
    """Bounds what is read and not handed over yet."""

    def __init__(self) -> None:
        self._held = 0
        self._room = anyio.Event()

    async def room(self) -> None:
        """Return when more may be read."""
        while self._held >= HELD:
            self._room = anyio.Event()
            await self._room.wait()

    def change(self, size: int) -> None:
        """Count `size` bytes as held, or as handed over when it is negative."""
        self._held += size
        self._room.set()


class Relay:
    """Connection number `number`; `client` is the end that connected, `dial` makes the other one."""

    def __init__(
        self, number: int, client: Ends, dial: Callable[[], Awaitable[Ends]], traffic: Traffic
    ) -> None:
        self.spoiled = False
        self._number = number
        self._client = client
        self._dial = dial
        self._traffic = traffic
        self._writers = [client[1]]
        self._scope = anyio.CancelScope()
        self._lost = False

    async def run(self, to_server: Conditions, to_client: Conditions) -> None:
        """Pass bytes both ways."""
        try:
            with self._scope:
                if to_server.now.swallowing:
                    await self._swallow_all()
                else:
                    await self._pass_both(to_server, to_client)
        except* OSError:
            # One end broke, or there is no server: the other end is told in the same way.
            self.reset()
        finally:
            for writer in self._writers:
                writer.transport.abort()

    def reset(self) -> None:
        """Break the connection off, at both ends."""
        for writer in self._writers:
            if not writer.transport.is_closing():
                end = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
        self._scope.cancel()

    async def _swallow_all(self) -> None:
        """Be a connection that leads nowhere."""
        self._lose(0)
        while data := await self._client[0].read(CHUNK):
            self._lose(len(data))

    async def _pass_both(self, to_server: Conditions, to_client: Conditions) -> None:
        server = await self._dial()
        self._writers.append(server[1])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass, self._client[0], server[1], to_server)
            tasks.start_soon(self._pass, server[0], self._client[1], to_client)
        with anyio.move_on_after(_PARTING):
            for writer in self._writers:
                writer.close()
                await writer.wait_closed()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, conditions: Conditions
    ) -> None:
        send, receive = anyio.create_memory_object_stream[_Arrival](_PIECES)
        window = Window()
        async with send, receive, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, reader, send, window)
            async with aclosing(self._pieces(receive, conditions, window)) as pieces:
                await self._write(pieces, writer, conditions)

    async def _read(
        self, reader: asyncio.StreamReader, send: MemoryObjectSendStream[_Arrival], window: Window
    ) -> None:
        async with send:
            while data := await self._read_some(reader):
                await send.send((clock.monotonic(), data))
                window.change(len(data))
                await window.room()

    async def _read_some(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(CHUNK)
        except OSError:
            if not self._lost:
                raise
            # The other end is not to learn of it.
            return b""

    async def _pieces(
        self, receive: MemoryObjectReceiveStream[_Arrival], way: Conditions, window: Window
    ) -> AsyncGenerator[bytes, None]:
        """Yield what came, as soon as it may go on."""
        async for arrived, data in receive:
            rest = data
            while rest:
                piece = rest[: way.piece(len(rest))]
                await way.passage(arrived, len(piece))
                yield piece
                rest = rest[len(piece) :]
                window.change(-len(piece))
        await way.passage(clock.monotonic(), 0)

    async def _write(
        self, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter, way: Conditions
    ) -> None:
        offset = 0
        async for piece in pieces:
            await self._hand_over(piece, offset, writer, way)
            offset += len(piece)
        if way.now.swallowing or self._lost:
            self._lose(0)
        else:
            writer.write_eof()

    async def _hand_over(
        self, piece: bytes, offset: int, writer: asyncio.StreamWriter, way: Conditions
    ) -> None:
        # A stream with a hole is never continued.
        if way.now.swallowing or self._lost:
            self._lose(len(piece))
            return
        sent = way.broken(piece, self._number, offset)
        if sent is not piece:
            self.spoiled = True
            self._traffic.altered += sum(map(operator.ne, sent, piece))
        self._traffic.passed += len(piece)
        writer.write(sent)
        await writer.drain()

    def _lose(self, size: int) -> None:
        self._lost = self.spoiled = True
        self._traffic.swallowed += size
