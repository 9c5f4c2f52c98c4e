"""A lattice inside one process: hosts and clients that reach each other over a bus in memory.

Owned by whoever enters it; leaving the block stops everything in it, newest first. No server, no
socket, no file; the semantics, limits and faults are those of hosts on NATS. There are no streams, so
what is given up (dead letters) is counted and lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Self

from actorhost.contracts.provider import Provider
from actorhost.host import Client, Host
from actorhost.limits import MIB, Limits
from actorhost.transport import MemoryBus, MemoryTransport


class MemoryLattice:
    """The lattice `name`; one message on its bus may carry `max_payload` bytes."""

    def __init__(
        self, name: str = "default", *, limits: Limits | None = None, max_payload: int = MIB
    ) -> None:
        self._name = name
        self._limits = limits
        self._bus = MemoryBus(max_payload=max_payload)
        self._parts = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Be there; nothing runs yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop every host and client."""
        await self._parts.aclose()

    def transport(self) -> MemoryTransport:
        """Return another connection to the bus, not yet started: for a host or client of your own."""
        return MemoryTransport(self._bus)

    async def host(self, providers: Mapping[str, type[Provider]] | None = None) -> Host:
        """Return another host, open; `providers` are classes its manifests may name."""
        host = Host(lattice=self._name, limits=self._limits, transport=self.transport(), providers=providers)
        return await self._parts.enter_async_context(host)

    async def client(self) -> Client:
        """Return another client, connected."""
        client = Client(lattice=self._name, limits=self._limits, transport=self.transport())
        return await self._parts.enter_async_context(client)
