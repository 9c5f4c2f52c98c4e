"""``actorhost undeploy``: an application off every host of a lattice."""

from __future__ import annotations

from typing import Annotated

import anyio
import typer

from actorhost import Client
from actorhost.cli import output
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, hosts_of, with_client
from actorhost.errors import ActorhostError, NoRoute
from actorhost.ids import ActorName

Results = dict[str, list[str] | ActorhostError]
"""What came of it, by host."""


def undeploy(
    application: Annotated[str, typer.Argument(metavar="APPLICATION", help="Name of the application.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Stop an application on all hosts of a lattice.

    What its actors have in hand may finish first. Exits with 1 when it runs nowhere, or a host
    could not stop it.
    """
    name = ActorName.parse(application)
    results = with_client(nats, lattice, lambda client: _undeploy_from_all(client, name))
    errors = [result for result in results.values() if isinstance(result, ActorhostError)]
    failures = [error for error in errors if not isinstance(error, NoRoute)]
    if len(errors) == len(results) and not failures:
        known = errors[0].hint if len(errors) == 1 else "`actorhost ps --wide` shows what runs"
        raise NoRoute(f"no host runs an application {name!r}", hint=known)
    if json:
        output.json_line({"application": str(name), "hosts": [_as_json(*item) for item in results.items()]})
    for host, result in results.items():
        if isinstance(result, list) and not json:
            output.data(f"{host}  {name}  {len(result)} actor{'s' * (len(result) != 1)} stopped")
    for error in failures:
        output.error(error)
    raise typer.Exit(1 if failures else 0)


async def _undeploy_from_all(client: Client, name: ActorName) -> Results:
    hosts = [info.id for info in await hosts_of(client)]
    results: Results = {}

    async def one(host: str) -> None:
        try:
            results[host] = await client.control.undeploy(host, name)
        except ActorhostError as error:
            error.where = error.where or f"host {host}"
            results[host] = error

    async with anyio.create_task_group() as tasks:
        for host in hosts:
            tasks.start_soon(one, host)
    return {host: results[host] for host in hosts}


def _as_json(host: str, result: list[str] | ActorhostError) -> dict[str, object]:
    if isinstance(result, list):
        return {"host": host, "actors": result, "error": None}
    return {"host": host, "actors": [], "error": {"code": str(result.code), "message": result.message}}
