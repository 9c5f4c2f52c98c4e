"""``actorhost links``: who is linked to what in a lattice, and how the calls fare."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, ask_all, with_client
from actorhost.cli.providers import as_json, failures_shown
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import HostInfo, LinkStatus

_COLUMNS: Final = ("ACTOR", "HOST", "LINK", "CONTRACT", "TARGET", "PLACE", "CALLS", "FAILED", "P50", "P99")

_Found = list[tuple[HostInfo, list[LinkStatus] | ActorhostError]]


def links(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the links of the actors on every host of the lattice.

    CONTRACT is what is called over a link, or the actor it leads to. CALLS and FAILED count since the
    actor was deployed, what the actor called over this link and what a provider called it for; P50 and P99
    are of the calls that were answered.
    """

    async def gather(client: Client) -> _Found:
        return await ask_all(client, lambda info: client.control.links(info.id))

    found = with_client(nats, lattice, gather)
    if json:
        output.json_line({"hosts": [as_json(info, "links", answer) for info, answer in found]})
    else:
        _print([(info, each) for info, answer in found if isinstance(answer, list) for each in answer])
    raise typer.Exit(failures_shown(found))


def _print(rows: list[tuple[HostInfo, LinkStatus]]) -> None:
    if not rows:
        output.note("no links")
        return
    output.table(
        _COLUMNS,
        [
            (each.actor, info.id[: shown.SHORT], each.name, each.namespace, each.target, each.place,
             str(each.calls), str(sum(each.failed.values())), shown.milliseconds(each.p50_ms),
             shown.milliseconds(each.p99_ms))
            for info, each in rows
        ],
    )  # fmt: skip
