"""``actorhost deploy``: a manifest and its modules to every host of a lattice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from actorhost import Client, limits
from actorhost.cli import manifest_file, output
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, hosts_of, with_client
from actorhost.cli.options import finite
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import DeployReply, DeployRequest
from actorhost.host.remote_control import DEPLOY_TIMEOUT, Progress, modules_by_digest

Results = dict[str, DeployReply | ActorhostError]
"""What came of it, by host."""


def deploy(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The manifest to deploy.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the actors run.")] = True,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.1, max=3600, callback=finite, help="How long each host may take."
        ),
    ] = DEPLOY_TIMEOUT,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Deploy a manifest to all hosts of a lattice.

    An application of the same name is replaced. Exits with 1 when any host refused.
    """
    (source,) = manifest_file.read([manifest], limits.load(), here=False)
    digests, modules = modules_by_digest(source.modules())
    order = _Order(DeployRequest(source.content, str(manifest), digests, wait), modules, timeout)
    results = with_client(nats, lattice, lambda client: _deploy_to_all(client, order))
    if json:
        application = source.application
        hosts = [_as_json(host, result) for host, result in results.items()]
        output.json_line(
            {"application": str(application.name), "version": application.version, "hosts": hosts}
        )
    failed = _report(results, quiet=json)
    raise typer.Exit(1 if failed else 0)


@dataclass(frozen=True)
class _Order:
    """What goes to each host."""

    request: DeployRequest
    modules: dict[str, bytes]
    timeout: float

    @property
    def size(self) -> int:
        return sum(map(len, self.modules.values()))


async def _deploy_to_all(client: Client, order: _Order) -> Results:
    hosts = [info.id for info in await hosts_of(client)]
    results: Results = {}

    async def one(host: str, progress: Progress) -> None:
        try:
            results[host] = await client.control.deploy(
                host, order.request, order.modules, timeout=order.timeout, progress=progress
            )
        except ActorhostError as error:
            error.where = error.where or f"host {host}"
            results[host] = error

    with output.progress("uploading", order.size * len(hosts)) as progress:
        async with anyio.create_task_group() as tasks:
            for host in hosts:
                tasks.start_soon(one, host, progress)
    return {host: results[host] for host in hosts}


def _report(results: Results, *, quiet: bool) -> bool:
    """Print what came of it; return whether any host refused."""
    failed = False
    for host, result in results.items():
        if isinstance(result, ActorhostError):
            failed = True
            output.error(result)
        elif not quiet:
            name = " ".join(filter(None, (result.application, result.version)))
            count = f"{len(result.actors)} actor{'s' * (len(result.actors) != 1)}"
            state = "running" if result.finished else "accepted"
            output.data(f"{host}  {name}  {count} {state}")
    return failed


def _as_json(host: str, result: DeployReply | ActorhostError) -> dict[str, Any]:
    if isinstance(result, ActorhostError):
        error = {"code": str(result.code), "message": result.message, "hint": result.hint}
        return {"host": host, "actors": None, "finished": False, "error": error}
    return {"host": host, "actors": list(result.actors), "finished": result.finished, "error": None}
