"""``actorhost ps`` and ``logs``: what runs in a lattice, and what actors have logged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import anyio
import msgspec
import typer

from actorhost import Client
from actorhost.cli import output
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, hosts_of, with_client
from actorhost.errors import ActorhostError, NoRoute
from actorhost.host.control_messages import ActorStatus, HostInfo, LogsReply
from actorhost.host.log import KEPT_LINES, Line
from actorhost.ids import ActorName
from actorhost.limits import KIB, MIB

T = TypeVar("T")
_SHORT = 8
"""Digits of a host's id that tell it from others."""


def ps(
    wide: Annotated[bool, typer.Option("--wide", "-w", help="Show more columns.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the actors that are running, on every host of the lattice.

    WAITING are in the mailbox; FAULTS and RESTARTS count since the actor was deployed. RATE/S is over
    about the last minute, P50 and P99 are from the mailbox to the answer, MEMORY is the linear memory
    of all instances; INST of --wide may handle messages at a time. --json says more.
    """

    async def gather(client: Client) -> list[tuple[HostInfo, list[ActorStatus] | ActorhostError]]:
        return await _ask_all(client, lambda info: client.control.actors(info.id))

    found = with_client(nats, lattice, gather)
    if json:
        output.json_line({"hosts": [_host_as_json(info, answer) for info, answer in found]})
    else:
        _print_actors([(info, answer) for info, answer in found if isinstance(answer, list)], wide=wide)
    failures = [answer for _, answer in found if isinstance(answer, ActorhostError)]
    for error in failures:
        output.error(error)
    raise typer.Exit(1 if failures else 0)


def logs(
    actor: Annotated[str, typer.Argument(metavar="ACTOR", help="Name of the actor.")],
    count: Annotated[
        int,
        typer.Option(
            "-n", "--lines", metavar="COUNT", min=1, max=KEPT_LINES, help="How many lines, at most."
        ),
    ] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each line.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the last lines an actor has logged, oldest first, from every host that runs it.

    Hosts keep the last thousand lines of each actor, in memory.
    """
    name = ActorName.parse(actor)

    async def gather(client: Client) -> list[tuple[HostInfo, LogsReply | ActorhostError]]:
        return await _ask_all(client, lambda info: client.control.log(info.id, name, count))

    found = with_client(nats, lattice, gather)
    answers = [(info, answer) for info, answer in found if isinstance(answer, LogsReply)]
    if not answers:
        raise _none_has(name, [answer for _, answer in found if isinstance(answer, ActorhostError)])
    lines = sorted(
        ((line.time_ns, info.id, line) for info, answer in answers for line in answer.lines),
        key=lambda item: item[:2],
    )
    for _, host, line in lines[-count:]:
        if json:
            output.json_line(_line_as_json(host, line))
        else:
            where = f"{host[:_SHORT]} " if len(answers) > 1 else ""
            output.data(f"{_moment(line.time_ns)} {where}{line.source} {line.text}")
    if any(answer.cut for _, answer in answers):
        output.note("older lines did not fit into one message; ask for fewer with -n")


async def _ask_all(
    client: Client, ask: Callable[[HostInfo], Awaitable[T]]
) -> list[tuple[HostInfo, T | ActorhostError]]:
    """Return each host with its answer or the error instead of one, in the order of the hosts."""
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


def _none_has(name: ActorName, errors: list[ActorhostError]) -> ActorhostError:
    """Return why no host gave the log: what stopped them, or that none runs the actor."""
    others = [error for error in errors if not isinstance(error, NoRoute)]
    if others:
        return others[0]
    return NoRoute(f"no host runs an actor {name!r}", hint="`actorhost ps` shows what runs")


_Cell = Callable[[HostInfo, ActorStatus], str]

_COLUMNS: Final[tuple[tuple[str, _Cell], ...]] = (
    ("ACTOR", lambda _host, actor: actor.name),
    ("APPLICATION", lambda _host, actor: actor.application),
    ("HOST", lambda host, _actor: host.id[:_SHORT]),
    ("STATE", lambda _host, actor: actor.state),
    ("INST", lambda _host, actor: str(actor.instances)),
    ("WAITING", lambda _host, actor: str(actor.waiting)),
    ("REPLIED", lambda _host, actor: str(actor.replied)),
    ("FAULTS", lambda _host, actor: str(sum(actor.faults.values()))),
    ("RESTARTS", lambda _host, actor: str(actor.restarts)),
    ("RATE/S", lambda _host, actor: f"{actor.rate:.1f}"),
    ("P50", lambda _host, actor: f"{actor.p50_ms:.1f}ms"),
    ("P99", lambda _host, actor: f"{actor.p99_ms:.1f}ms"),
    ("MEMORY", lambda _host, actor: _size(actor.memory_used)),
    ("MODULE", lambda _host, actor: actor.digest[:12]),
)
_WIDE: Final = frozenset({"APPLICATION", "INST", "REPLIED", "MODULE"})
"""Columns that are left out of 80 columns; that of the host is, where there is only one."""


def _print_actors(found: list[tuple[HostInfo, list[ActorStatus]]], *, wide: bool) -> None:
    left_out = frozenset() if wide else _WIDE | (set() if len(found) > 1 else {"HOST"})
    columns = [(name, cell) for name, cell in _COLUMNS if name not in left_out]
    rows = [[cell(host, actor) for _, cell in columns] for host, actors in found for actor in actors]
    if rows:
        output.table([name for name, _ in columns], rows)
    else:
        output.note(f"no actors on {len(found)} host{'s' * (len(found) != 1)}")


def _size(count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / MIB:.1f}MiB" if count >= MIB else f"{count // KIB}KiB"


def _host_as_json(info: HostInfo, answer: list[ActorStatus] | ActorhostError) -> dict[str, Any]:
    host: dict[str, Any] = {**msgspec.to_builtins(info), "started": _moment(info.started_ns)}
    if isinstance(answer, ActorhostError):
        return {**host, "actors": None, "error": {"code": str(answer.code), "message": answer.message}}
    return {**host, "actors": msgspec.to_builtins(answer), "error": None}


def _line_as_json(host: str, line: Line) -> dict[str, str]:
    return {"time": _moment(line.time_ns), "host": host, "source": line.source, "text": line.text}


def _moment(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
