"""``actorhost logs``: what an actor has logged, from every host that runs it."""

from __future__ import annotations

from typing import Annotated

import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, ask_all, with_client
from actorhost.errors import ActorhostError, NoRoute
from actorhost.host.control_messages import HostInfo, LogsReply
from actorhost.host.log import KEPT_LINES, Line
from actorhost.ids import ActorName


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
        return await ask_all(client, lambda info: client.control.log(info.id, name, count))

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
            where = f"{host[: shown.SHORT]} " if len(answers) > 1 else ""
            output.data(f"{shown.moment(line.time_ns)} {where}{line.source} {line.text}")
    if any(answer.cut for _, answer in answers):
        output.note("older lines did not fit into one message; ask for fewer with -n")


def _none_has(name: ActorName, errors: list[ActorhostError]) -> ActorhostError:
    """Return why no host gave the log: what stopped them, or that none runs the actor."""
    others = [error for error in errors if not isinstance(error, NoRoute)]
    if others:
        return others[0]
    return NoRoute(f"no host runs an actor {name!r}", hint="`actorhost ps` shows what runs")


def _line_as_json(host: str, line: Line) -> dict[str, str]:
    return {"time": shown.moment(line.time_ns), "host": host, "source": line.source, "text": line.text}
