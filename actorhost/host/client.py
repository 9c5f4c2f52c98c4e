"""A client of a lattice: reaches actors by name over NATS, without running any itself.

Owned by whoever enters it; leaving the block disconnects. It keeps nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import anyio

from actorhost import limits as limits_module
from actorhost.errors import InvalidInput
from actorhost.host.arguments import deadline_after, payload_bytes
from actorhost.host.event_stream import EventStream
from actorhost.host.remote import Remote
from actorhost.host.remote_control import RemoteControl
from actorhost.ids import ActorName, LatticeName, OperationName, new_call_id
from actorhost.limits import Limits
from actorhost.transport import NatsTransport, Transport
from actorhost.wire.subject import event_wildcard


class Client:
    """Talks to the actors of `lattice` through the NATS server at `url`; use ``async with``.

    `transport` carries messages instead of `url`, such as one on a bus in memory; the client opens
    and closes it. ``control`` asks the hosts themselves: who is there, what runs, what was logged;
    and deploys.
    """

    def __init__(
        self,
        url: str = "",
        *,
        lattice: str = "default",
        limits: Limits | None = None,
        transport: Transport | None = None,
    ) -> None:
        if bool(url) is (transport is not None):
            raise InvalidInput("a client takes the `url` of a NATS server or a `transport`, one of both")
        self.lattice = LatticeName.parse(lattice)
        self.limits = limits or limits_module.load()
        name = f"client-{new_call_id()}"
        self.transport = transport or NatsTransport(url, name=name, limits=self.limits)
        self._remote = Remote(self.transport, self.lattice, name)
        self.control = RemoteControl(self.transport, self.lattice, self._remote, self.limits)

    async def __aenter__(self) -> Self:
        """Connect; raises :class:`~actorhost.errors.ServerUnavailable`."""
        await self.transport.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Send what is waiting, and disconnect."""
        await self.transport.close()

    async def ask(
        self, actor: str, operation: str, payload: bytes = b"", *, timeout: float | None = None
    ) -> bytes:
        """Return the reply of `actor` to one message; `timeout` is in seconds.

        Raises a :class:`~actorhost.errors.CallFailed` that says how the call ended, and
        :class:`~actorhost.errors.InvalidInput` for arguments that cannot be sent.
        """
        deadline = deadline_after(timeout, self.limits)
        name, operation = ActorName.parse(actor), OperationName.parse(operation)
        return await self._remote.ask(name, operation, payload_bytes(payload), deadline)

    async def tell(self, actor: str, operation: str, payload: bytes = b"") -> None:
        """Send one message that gets no answer; at most once, and handled within the actor's own time-out."""
        name, operation = ActorName.parse(actor), OperationName.parse(operation)
        await self._remote.tell(name, operation, payload_bytes(payload))

    @asynccontextmanager
    async def events(self, *patterns: str) -> AsyncIterator[EventStream]:
        """Follow what happens in the lattice from now on; use ``async with``, then ``async for``.

        `patterns` choose kinds such as ``actor-failed`` or ``actor-*``; without any it is all of them.
        See :class:`~actorhost.telemetry.event.EventKind` for the kinds. Nobody keeps events: those told
        while this client is away from NATS are lost to it.
        """
        stream = EventStream(patterns)
        subscription = await self.transport.subscribe(event_wildcard(self.lattice), stream.receive)
        try:
            yield stream
        finally:
            stream.close()
            with anyio.CancelScope(shield=True):
                await subscription.close()
