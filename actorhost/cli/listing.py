"""What the hosts of a lattice have of one kind: asked of each, shown as a table or as JSON.

Owned by one run of a command. A host that does not answer costs no other host its rows: they are shown,
then the errors, and the exit code says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import ask_all, with_client
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import HostInfo

T = TypeVar("T")

Found = list[tuple[HostInfo, list[T] | ActorhostError]]
"""Each host with what it has, or with the error instead."""
Column = tuple[str, Callable[[HostInfo, T], str]]
"""The head of a column, and what stands in it for one thing of a host."""


def gather(nats: str, lattice: str, ask: Callable[[Client, HostInfo], Awaitable[list[T]]]) -> Found[T]:
    """Return what `ask` returns for each host; raises :class:`Unavailable` when there is none."""

    async def work(client: Client) -> Found[T]:
        return await ask_all(client, lambda info: ask(client, info))

    return with_client(nats, lattice, work)


def rows(found: Found[T]) -> list[tuple[HostInfo, T]]:
    """Return everything that was found, each with its host."""
    return [(info, each) for info, answer in found if isinstance(answer, list) for each in answer]


def print_table(columns: Sequence[Column[T]], things: Sequence[tuple[HostInfo, T]], nothing: str) -> None:
    """Print a row for each of `things`, or the note `nothing` if there are none."""
    if not things:
        output.note(nothing)
        return
    cells = [[cell(info, thing) for _, cell in columns] for info, thing in things]
    output.table([head for head, _ in columns], cells)


def print_json(what: str, found: Found[T]) -> None:
    """Print one object with all hosts; what each has is its member `what`."""
    output.json_line({"hosts": [_host_as_json(what, info, answer) for info, answer in found]})


def end(found: Found[T]) -> NoReturn:
    """Print why hosts did not answer, and end the command with exit code 1 if there are any, else 0."""
    failures = [answer for _, answer in found if isinstance(answer, ActorhostError)]
    for error in failures:
        output.error(error)
    raise typer.Exit(1 if failures else 0)


def _host_as_json(what: str, info: HostInfo, answer: list[T] | ActorhostError) -> dict[str, Any]:
    host: dict[str, Any] = {**msgspec.to_builtins(info), "started": shown.moment(info.started_ns)}
    if isinstance(answer, ActorhostError):
        return {**host, what: None, "error": {"code": str(answer.code), "message": answer.message}}
    return {**host, what: msgspec.to_builtins(answer), "error": None}
