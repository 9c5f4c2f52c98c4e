"""``actorhost hosts``: the hosts of a lattice that answer now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import typer

from actorhost import clock
from actorhost.cli import output
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, hosts_of, with_client
from actorhost.host.control_messages import HostInfo

_COLUMNS: Final = ("HOST", "VERSION", "PID", "UP", "APPLICATIONS", "ACTORS")


def hosts(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the hosts of a lattice that answer now, longest running first.

    One that is stopped or cut off does not answer, and is not shown.
    """
    found = with_client(nats, lattice, hosts_of)
    if json:
        output.json_line({"hosts": [_as_json(info) for info in found]})
        return
    now = clock.wall_ns()
    output.table(
        _COLUMNS,
        [
            (info.id, info.version, str(info.pid), _duration(now - info.started_ns),
             str(info.applications), str(info.actors))
            for info in found
        ],
    )  # fmt: skip


def _as_json(info: HostInfo) -> dict[str, Any]:
    started = datetime.fromtimestamp(info.started_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    return {**msgspec.to_builtins(info), "started": started.replace("+00:00", "Z")}


def _duration(nanoseconds: int) -> str:
    """Return a time up as people say it: two units at most."""
    seconds = max(0, nanoseconds // 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {seconds}s" if minutes else f"{seconds}s"
