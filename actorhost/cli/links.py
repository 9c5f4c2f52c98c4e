"""``actorhost links``: who is linked to what in a lattice, and how the calls fare."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from actorhost.cli import listing, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats
from actorhost.host.control_messages import LinkStatus

_COLUMNS: Final[tuple[listing.Column[LinkStatus], ...]] = (
    ("ACTOR", lambda _host, link: link.actor),
    ("HOST", lambda host, _link: host.id[: shown.SHORT]),
    ("LINK", lambda _host, link: link.name),
    ("CONTRACT", lambda _host, link: link.namespace),
    ("TARGET", lambda _host, link: link.target),
    ("PLACE", lambda _host, link: link.place),
    ("CALLS", lambda _host, link: str(link.calls)),
    ("FAILED", lambda _host, link: str(sum(link.failed.values()))),
    ("P50", lambda _host, link: shown.milliseconds(link.p50_ms)),
    ("P99", lambda _host, link: shown.milliseconds(link.p99_ms)),
)


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
    found = listing.gather(nats, lattice, lambda client, host: client.control.links(host.id))
    if json:
        listing.print_json("links", found)
    else:
        listing.print_table(_COLUMNS, listing.rows(found), "no links")
    listing.end(found)
