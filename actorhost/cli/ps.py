"""``actorhost ps``: the actors of a lattice and how they fare, all in a table or one in detail."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer

from actorhost.cli import listing, output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats
from actorhost.cli.options import utf8
from actorhost.errors import ActorhostError, NoRoute
from actorhost.host.control_messages import ActorStatus, HostInfo
from actorhost.ids import ActorName

_Rows = list[tuple[HostInfo, ActorStatus]]

_COLUMNS: Final[tuple[listing.Column[ActorStatus], ...]] = (
    ("ACTOR", lambda _host, actor: actor.name),
    ("APPLICATION", lambda _host, actor: actor.application),
    ("HOST", lambda host, _actor: host.id[: shown.SHORT]),
    ("STATE", lambda _host, actor: actor.state),
    ("INST", lambda _host, actor: str(actor.instances)),
    ("WAITING", lambda _host, actor: str(actor.waiting)),
    ("REPLIED", lambda _host, actor: str(actor.replied)),
    ("FAULTS", lambda _host, actor: str(sum(actor.faults.values()))),
    ("RESTARTS", lambda _host, actor: str(actor.restarts)),
    ("RATE/S", lambda _host, actor: f"{actor.rate:.1f}"),
    ("P50", lambda _host, actor: shown.milliseconds(actor.p50_ms)),
    ("P99", lambda _host, actor: shown.milliseconds(actor.p99_ms)),
    ("GUEST", lambda _host, actor: shown.milliseconds(actor.guest_ms)),
    ("TICKS", lambda _host, actor: str(actor.ticks)),
    ("MEMORY", lambda _host, actor: shown.size(actor.memory_used)),
    ("MODULE", lambda _host, actor: actor.digest[:12]),
)
_WIDE: Final = frozenset({"APPLICATION", "INST", "REPLIED", "GUEST", "MODULE"})
"""Columns that are left out of a terminal; that of the host is, where there is only one."""


def ps(
    actor: Annotated[
        str | None, typer.Argument(metavar="ACTOR", callback=utf8, help="Show all that is known of this one.")
    ] = None,
    wide: Annotated[bool, typer.Option("--wide", "-w", help="Show more columns.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the actors that are running, on every host of the lattice.

    WAITING are in the mailbox; FAULTS and RESTARTS count since the actor was deployed. RATE/S is over
    about the last minute, P50 and P99 are from the mailbox to the answer, TICKS counts how often a
    guest was interrupted because it took long, MEMORY is the linear memory of all instances. With
    --wide, INST may handle messages at a time, and GUEST is processor time.
    """
    name = None if actor is None else ActorName.parse(actor)

    found = listing.gather(nats, lattice, lambda client, host: client.control.actors(host.id))
    if name is not None:
        found = _only(name, found)
    if json:
        listing.print_json("actors", found)
    elif name is not None:
        _print_details(listing.rows(found))
    else:
        _print_actors(listing.rows(found), hosts=len(found), wide=wide)
    listing.end(found)


def _only(name: ActorName, found: listing.Found[ActorStatus]) -> listing.Found[ActorStatus]:
    """Return the hosts that run actor `name`, or could not be asked; raises :class:`NoRoute` if none does."""
    kept: listing.Found[ActorStatus] = []
    for info, answer in found:
        if isinstance(answer, ActorhostError):
            kept.append((info, answer))
        elif actors := [actor for actor in answer if actor.name == name]:
            kept.append((info, actors))
    if not kept:
        raise NoRoute(f"no host runs an actor {name!r}", hint="`actorhost ps` shows what runs")
    return kept


def _print_actors(rows: _Rows, *, hosts: int, wide: bool) -> None:
    left_out = frozenset() if wide else _WIDE | (set() if hosts > 1 else {"HOST"})
    columns = [column for column in _COLUMNS if column[0] not in left_out]
    listing.print_table(columns, rows, f"no actors on {hosts} host{'s' * (hosts != 1)}")


def _print_details(rows: _Rows) -> None:
    """Print every fact of each actor on a line of its own."""
    for number, (info, actor) in enumerate(rows):
        if number:
            output.data("")
        facts = {"host": info.id, **msgspec.to_builtins(actor)}
        facts["faults"] = ", ".join(f"{code} {count}" for code, count in actor.faults.items())
        width = max(map(len, facts))
        for name, value in facts.items():
            output.data(f"{name.replace('_', ' '):<{width}}  {value}".rstrip())
