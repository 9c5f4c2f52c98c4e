"""A bad network between clients and a NATS server: a proxy on the loopback interface, with controls.

Owned by whoever enters it; leaving the block breaks off every connection and nothing is left. Faults
hold from the call on, for connections that exist and those that come, until :meth:`FaultProxy.restore`.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

import anyio
from anyio.abc import TaskGroup

from actorhost.errors import InvalidInput
from actorhost.testing.conditions import Conditions, Direction
from actorhost.testing.relay import CHUNK, Ends, Relay, Traffic

_HOST: Final = "127.0.0.1"
_SOCKET_BYTES: Final = 64 * 1024
"""What a socket may hold: more would hide from a sender that a link is slow or frozen."""
_DIAL_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyStatistics:
    """What a proxy has done; bytes of both ways together, altered ones among those that passed."""

    open: int
    """Connections now."""
    accepted: int
    passed_bytes: int
    swallowed_bytes: int
    altered_bytes: int


class FaultProxy:
    """Stands before the NATS server at `server_url`; clients connect to :attr:`url`.

    Everything random comes from `seed`: the same bytes sent in the same connection (counted as they
    are accepted) are altered in the same way. Raises :class:`InvalidInput` for what is no address, and
    the controls :class:`~actorhost.errors.InvalidLimit` for numbers out of range.
    """

    def __init__(self, server_url: str, *, seed: int = 0) -> None:
        self._server = _address(server_url)
        self._ways = {way: Conditions(f"{seed}/{way.name}") for way in Direction}
        self._relays: set[Relay] = set()
        self._numbers = itertools.count()
        self._traffic = Traffic()
        self._accepted = 0
        self._port = 0
        self._placeholder: socket.socket | None = None
        self._listener: asyncio.Server | None = None
        self._refusing = False
        self._tasks: TaskGroup | None = None
        self._owner: asyncio.Task[None] | None = None
        self._stopping = anyio.Event()

    @property
    def url(self) -> str:
        """Where clients connect; the same for as long as the proxy is open."""
        return f"nats://{_HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        # Bound and never listening: while the network is cut nobody else may get the port.
        self._placeholder = _bound(0)
        self._port = self._placeholder.getsockname()[1]
        started = anyio.Event()
        # A task of its own holds the task group, so that a fixture may enter here and leave elsewhere.
        self._owner = asyncio.create_task(self._run(started))  # noqa: TID251 - __aexit__ waits for it
        try:
            await started.wait()
            await self._listen()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Break everything off, and let go of the port."""
        await self._end()

    def latency(self, seconds: float, direction: Direction = Direction.BOTH) -> None:
        """Delay every byte by `seconds`, each way, also what is on its way. 0 ends it."""
        self._change(direction, latency=seconds)

    def throttle(self, bytes_per_second: float, direction: Direction = Direction.BOTH) -> None:
        """Let so many bytes a second pass, each way, of all connections together. 0 ends it."""
        self._change(direction, rate=bytes_per_second)

    def corrupt(self, probability: float, direction: Direction = Direction.BOTH) -> None:
        """Alter one byte of each block of 256 bytes with `probability`, 0 to 1. 0 ends it.

        Blocks count from the beginning of a connection, whatever pieces the bytes come in.
        """
        self._change(direction, corruption=probability)

    def freeze(self, direction: Direction = Direction.BOTH) -> None:
        """Hold back every byte; senders are stopped once a few buffers are full."""
        self._change(direction, frozen=True)

    def half_open(self) -> None:
        """Keep and accept connections, and swallow what they carry: nobody learns that nobody listens."""
        self._change(Direction.BOTH, swallowing=True)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._refusing = True
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for relay in self._relays:
            relay.reset()

    async def restore(self, *, reset: bool = True) -> None:
        """Be a good network again, at once.

        Connections that lost bytes, or had some altered, are reset, as an end does that knows nothing of
        them. Without `reset` they stay: those that lost bytes go on swallowing, as behind a firewall that
        has forgotten them.
        """
        for way in self._ways.values():
            way.clear()
        for relay in self._relays:
            if reset and relay.spoiled:
                relay.reset()
        await self._listen()

    def statistics(self) -> ProxyStatistics:
        """Return the counts now."""
        return ProxyStatistics(
            open=len(self._relays),
            accepted=self._accepted,
            passed_bytes=self._traffic.passed,
            swallowed_bytes=self._traffic.swallowed,
            altered_bytes=self._traffic.altered,
        )

    def _change(self, direction: Direction, **new: Any) -> None:
        for way in direction:
            self._ways[way].change(**new)

    async def _listen(self) -> None:
        if self._listener is None:
            self._refusing = False
            listener = _bound(self._port)
            self._listener = await asyncio.start_server(self._accept, sock=listener, limit=CHUNK)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection in; called by the listener for each."""
        if self._refusing or self._tasks is None:
            writer.transport.abort()
            return
        self._accepted += 1
        relay = Relay(next(self._numbers), (reader, writer), self._dial, self._traffic)
        self._tasks.start_soon(self._serve, relay)

    async def _serve(self, relay: Relay) -> None:
        self._relays.add(relay)
        try:
            await relay.run(self._ways[Direction.TO_SERVER], self._ways[Direction.TO_CLIENT])
        finally:
            self._relays.discard(relay)

    async def _dial(self) -> Ends:
        async with asyncio.timeout(_DIAL_TIMEOUT):
            reader, writer = await asyncio.open_connection(*self._server, limit=CHUNK)
        _shrink(writer.get_extra_info("socket"))
        return reader, writer

    async def _run(self, started: anyio.Event) -> None:
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            started.set()
            await self._stopping.wait()
            self._tasks = None
            tasks.cancel_scope.cancel()

    async def _end(self) -> None:
        self.cut()
        self._stopping.set()
        owner, self._owner = self._owner, None
        if owner is not None:
            await asyncio.shield(owner)
        if self._placeholder is not None:
            self._placeholder.close()


def _address(server_url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(server_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise InvalidInput(f"{server_url!r} is not the address of a server", hint="use nats://HOST:PORT")
    return host, port


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _shrink(bound)
        bound.bind((_HOST, port))
    except BaseException:
        bound.close()
        raise
    return bound


def _shrink(end: Any) -> None:
    """Let a socket hold little; those accepted by a listener are like it."""
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        end.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BYTES)
