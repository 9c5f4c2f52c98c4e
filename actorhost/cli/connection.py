"""How commands reach a lattice: their options for it, and a client for the time of one command."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import typer

from actorhost import Client
from actorhost.errors import Unavailable
from actorhost.host import loop
from actorhost.host.control_messages import HostInfo
from actorhost.telemetry import log

T = TypeVar("T")

DEFAULT_NATS: Final = "nats://127.0.0.1:4222"
"""Where `actorhost up` starts its server unless told otherwise."""

Nats = Annotated[
    str, typer.Option("--nats", metavar="URL", envvar="ACTORHOST_NATS", help="NATS server of the lattice.")
]
Lattice = Annotated[
    str, typer.Option("--lattice", metavar="NAME", envvar="ACTORHOST_LATTICE", help="Name of the lattice.")
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", min=0.001, max=3600, help="How long to wait.")
]


def with_client(nats: str, lattice: str, work: Callable[[Client], Awaitable[T]]) -> T:
    """Return what `work` returns, which gets a connected client.

    Raises :class:`ServerUnavailable` when there is no server, and what `work` raises.
    """
    log.configure(sys.stderr, level="warning", style="text")

    async def connected() -> T:
        async with Client(nats, lattice=lattice) as client:
            return await work(client)

    return loop.run(connected())


async def hosts_of(client: Client) -> list[HostInfo]:
    """Return the hosts of the client's lattice, or raise :class:`Unavailable` when there is none."""
    hosts = await client.control.hosts()
    if not hosts:
        raise Unavailable(
            f"no host of lattice {client.lattice!r} answers on this NATS server",
            hint="start one with `actorhost up`, or name another --lattice or --nats",
        )
    return hosts
