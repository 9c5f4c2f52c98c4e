"""``actorhost providers``: the providers of a lattice, where they run and how they fare."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from actorhost.cli import listing, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats
from actorhost.host.control_messages import ProviderStatus

_COLUMNS: Final[tuple[listing.Column[ProviderStatus], ...]] = (
    ("PROVIDER", lambda _host, provider: provider.name),
    ("APPLICATION", lambda _host, provider: provider.application),
    ("HOST", lambda host, _provider: host.id[: shown.SHORT]),
    ("ENTRY POINT", lambda _host, provider: provider.provider),
    ("CONTRACT", lambda _host, provider: provider.contract),
    ("PLACE", lambda _host, provider: provider.place),
    ("PID", lambda _host, provider: str(provider.pid)),
    ("STATE", lambda _host, provider: provider.state),
    ("RESTARTS", lambda _host, provider: str(provider.restarts)),
    ("LINKS", lambda _host, provider: str(provider.links)),
)


def providers(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the providers of every host of the lattice.

    PLACE says where one runs: in its host, in a process of its own that the host started, or started by
    somebody else in the lattice. RESTARTS count since it was deployed, LINKS lead to it.
    """
    found = listing.gather(nats, lattice, lambda client, host: client.control.providers(host.id))
    if json:
        listing.print_json("providers", found)
    else:
        listing.print_table(_COLUMNS, listing.rows(found), "no providers")
    listing.end(found)
