"""``actorhost providers``: the providers of a lattice, where they run and how they fare."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, ask_all, with_client
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import HostInfo, ProviderStatus

_COLUMNS: Final = (
    "PROVIDER", "APPLICATION", "HOST", "ENTRY POINT", "CONTRACT", "PLACE", "PID", "STATE", "RESTARTS",
    "LINKS",
)  # fmt: skip

_Found = list[tuple[HostInfo, list[ProviderStatus] | ActorhostError]]


def providers(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the providers of every host of the lattice.

    PLACE says where one runs: in its host, in a process of its own that the host started, or started by
    somebody else in the lattice. RESTARTS count since it was deployed, LINKS lead to it.
    """

    async def gather(client: Client) -> _Found:
        return await ask_all(client, lambda info: client.control.providers(info.id))

    found = with_client(nats, lattice, gather)
    if json:
        output.json_line({"hosts": [as_json(info, "providers", answer) for info, answer in found]})
    else:
        _print([(info, each) for info, answer in found if isinstance(answer, list) for each in answer])
    raise typer.Exit(failures_shown(found))


def as_json(info: HostInfo, what: str, answer: Any) -> dict[str, Any]:
    """Return what a host answered, or why it did not, as JSON can hold it."""
    host: dict[str, Any] = {**msgspec.to_builtins(info), "started": shown.moment(info.started_ns)}
    if isinstance(answer, ActorhostError):
        return {**host, what: None, "error": {"code": str(answer.code), "message": answer.message}}
    return {**host, what: msgspec.to_builtins(answer), "error": None}


def failures_shown(found: Any) -> int:
    """Print why hosts did not answer, and return the exit code."""
    failures = [answer for _, answer in found if isinstance(answer, ActorhostError)]
    for error in failures:
        output.error(error)
    return 1 if failures else 0


def _print(rows: list[tuple[HostInfo, ProviderStatus]]) -> None:
    if not rows:
        output.note("no providers")
        return
    output.table(
        _COLUMNS,
        [
            (each.name, each.application, info.id[: shown.SHORT], each.provider, each.contract, each.place,
             str(each.pid), each.state, str(each.restarts), str(each.links))
            for info, each in rows
        ],
    )  # fmt: skip
