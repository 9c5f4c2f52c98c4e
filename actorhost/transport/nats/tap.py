"""Takes messages off a socket as they come, before the reader that nats-py waits on.

On the way of every message that reader costs a buffer, a future and a turn of the event loop. What is
taken here also meets what is waiting to be sent: one write carries both. Put in by one
:class:`~actorhost.transport.nats.connection.Connection` for each socket that it opens; ends with the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Tap(asyncio.Protocol):
    """Stands before `reader`, the protocol of a socket, and passes on what `take` leaves of what came.

    Bytes stay in order: nothing is taken while the reader holds `unread` ones.
    """

    def __init__(self, reader: asyncio.Protocol, take: Callable[[bytes], bytes]) -> None:
        self._reader = reader
        self._take = take
        self.unread = 0

    def data_received(self, data: bytes) -> None:
        """Take what can be taken, and pass the rest on."""
        left = data if self.unread else self._take(data)
        if left:
            self.unread += len(left)
            self._reader.data_received(left)

    def read(self, size: int) -> None:
        """Note that `size` bytes were read, perhaps some that came before this stood here: a greeting."""
        self.unread = max(0, self.unread - size)

    def eof_received(self) -> None:
        """Pass it on; the socket closes."""
        self._reader.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._reader.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._reader.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._reader.resume_writing()


def tap(transport: Any, take: Callable[[bytes], bytes]) -> None:
    """Put a :class:`Tap` into the socket of `transport`, one of nats-py's, and again when TLS comes."""
    socket = transport._io_writer.transport  # noqa: SLF001 - it has no public name
    tapped = Tap(socket.get_protocol(), take)
    socket.set_protocol(tapped)
    kind = type(transport)

    async def read(size: int) -> bytes:
        data: bytes = await kind.read(transport, size)
        tapped.read(len(data))
        return data

    async def readline() -> bytes:
        line: bytes = await kind.readline(transport)
        tapped.read(len(line))
        return line

    async def connect_tls(*args: Any) -> None:
        await kind.connect_tls(transport, *args)
        # nats-py leaves it out; without, a reader that has too much cannot say so.
        transport._io_reader.set_transport(transport._io_writer.transport)  # noqa: SLF001 - as above
        tap(transport, take)

    transport.read, transport.readline, transport.connect_tls = read, readline, connect_tls
