"""``actorhost logs``: what an actor has logged, and with ``--follow`` logs, on every host that runs it."""

from __future__ import annotations

from typing import Annotated

import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, ask_all, with_client
from actorhost.cli.watching import Watching
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import HostInfo, LogsReply
from actorhost.host.follow import Round, following, none_gives
from actorhost.host.log import KEPT_LINES, Line, printable
from actorhost.host.log_lines import Found, LogLines
from actorhost.host.watch_messages import LogBatch
from actorhost.ids import ActorName
from actorhost.wire.subject import Watched


def logs(
    actor: Annotated[str, typer.Argument(metavar="ACTOR", help="Name of the actor.")],
    count: Annotated[
        int,
        typer.Option(
            "-n", "--lines", metavar="COUNT", min=1, max=KEPT_LINES, help="How many lines, at most."
        ),
    ] = 100,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on with new lines as they come, until Ctrl-C.")
    ] = False,
    ends_after: Annotated[
        int | None,
        typer.Option("--count", metavar="COUNT", min=1, help="With --follow, end after this many lines."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each line.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show the last lines an actor has logged, oldest first, from every host that runs it.

    Hosts keep the last thousand lines of each actor, in memory. With --follow, lines that were lost on
    the way are fetched from there, hosts that come later are followed too, and so is the actor when
    it is deployed again.
    """
    name = ActorName.parse(actor)
    if ends_after is not None and not follow:
        raise typer.BadParameter("--count is for --follow; -n says how many lines to show.")
    if follow:
        with_client(nats, lattice, lambda client: _follow(client, name, count, ends_after, json=json))
    else:
        _show_last(name, count, nats, lattice, json=json)


def _show_last(name: ActorName, count: int, nats: str, lattice: str, *, json: bool) -> None:

    async def gather(client: Client) -> list[tuple[HostInfo, LogsReply | ActorhostError]]:
        return await ask_all(client, lambda info: client.control.log(info.id, name, count))

    found = with_client(nats, lattice, gather)
    answers = [(info, answer) for info, answer in found if isinstance(answer, LogsReply)]
    if not answers:
        raise none_gives(name, [answer for _, answer in found if isinstance(answer, ActorhostError)])
    lines = sorted(
        ((line.time_ns, info.id, line) for info, answer in answers for line in answer.lines),
        key=lambda item: item[:2],
    )
    for _, host, line in lines[-count:]:
        _show(host, line, many=len(answers) > 1, json=json)
    if any(answer.cut for _, answer in answers):
        output.note("older lines did not fit into one message; ask for fewer with -n")


async def _follow(client: Client, name: ActorName, count: int, ends_after: int | None, *, json: bool) -> None:
    """Show the last `count` lines and what follows, until `ends_after` lines."""
    async with following(client, name, Watched.LOGS) as followed:
        lines = LogLines(lambda host, wanted: client.control.log(host, name, wanted))
        last = await lines.begin(followed.first, count)
        # Not before: what is logged after this note comes in addition to the last lines.
        watching = Watching(name, followed.first)
        left = _show_some(last, ends_after, watching, json=json)
        while left is None or left > 0:
            item = await anext(followed.items)
            if isinstance(item, Round):
                watching.round(item)
            if isinstance(item, Round | LogBatch):
                left = _show_some(await lines.take(item), left, watching, json=json)
            if lines.lost:
                output.note("some lines were lost: they came faster than they could be told")
                lines.lost = False


def _show_some(found: Found, left: int | None, watching: Watching, *, json: bool) -> int | None:
    """Show at most `left` lines and return how many are left then; None is no end."""
    for host, line in found[:left]:
        watching.saw(host)
        _show(host, line, many=watching.many, json=json)
    return None if left is None else left - len(found)


def _show(host: str, line: Line, *, many: bool, json: bool) -> None:
    if json:
        output.json_line(_line_as_json(host, line))
    else:
        where = f"{host[: shown.SHORT]} " if many else ""
        output.data(printable(f"{shown.moment(line.time_ns)} {where}{line.source} {line.text}"))


def _line_as_json(host: str, line: Line) -> dict[str, str]:
    return {"time": shown.moment(line.time_ns), "host": host, "source": line.source, "text": line.text}
