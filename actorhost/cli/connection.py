"""How commands reach a lattice: their options for it, and a client for the time of one command."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import anyio
import typer

from actorhost import Client
from actorhost.cli.options import utf8
from actorhost.errors import ActorhostError, Unavailable
from actorhost.host import loop
from actorhost.host.control_messages import HostInfo
from actorhost.telemetry import log

T = TypeVar("T")

DEFAULT_NATS: Final = "nats://127.0.0.1:4222"
"""Where `actorhost up` starts its server unless told otherwise."""


def _address(value: str) -> str:
    if not value:
        raise typer.BadParameter("an address is needed.")
    return utf8(value)


Nats = Annotated[
    str,
    typer.Option(
        "--nats",
        metavar="URL",
        envvar="ACTORHOST_NATS",
        callback=_address,
        help="NATS server of the lattice.",
    ),
]
Lattice = Annotated[
    str, typer.Option("--lattice", metavar="NAME", envvar="ACTORHOST_LATTICE", help="Name of the lattice.")
]


def with_client(nats: str, lattice: str, work: Callable[[Client], Awaitable[T]]) -> T:
    """Return what `work` returns, which gets a connected client.

    Raises :class:`ServerUnavailable` when there is no server, and what `work` raises.
    """
    # The error that ends the command says it all, unless somebody wants to see how it came to that.
    log.configure(sys.stderr, level=os.environ.get(log.LEVEL_VARIABLE) or "error", style="text")

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


async def ask_all(
    client: Client, ask: Callable[[HostInfo], Awaitable[T]]
) -> list[tuple[HostInfo, T | ActorhostError]]:
    """Return each host with its answer or the error instead of one, in the order of the hosts.

    Raises :class:`Unavailable` when there is no host.
    """
    hosts = await hosts_of(client)
    answers: dict[str, T | ActorhostError] = {}

    async def one(info: HostInfo) -> None:
        try:
            answers[info.id] = await ask(info)
        except ActorhostError as error:
            answers[info.id] = error

    async with anyio.create_task_group() as tasks:
        for info in hosts:
            tasks.start_soon(one, info)
    return [(info, answers[info.id]) for info in hosts]
