"""``actorhost trace``: each message an actor handles, as it happens, from every host that runs it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from actorhost import Client
from actorhost.cli import output, payload, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, with_client
from actorhost.cli.options import utf8
from actorhost.cli.watching import Watching
from actorhost.host.follow import Round, following
from actorhost.host.log import printable
from actorhost.host.watch_messages import SHOWN_PAYLOAD, Handled, TraceBatch
from actorhost.ids import ActorName
from actorhost.wire.subject import Watched

_PAYLOAD: Final = 200
"""Characters of a payload on a line for people."""


def trace(
    actor: Annotated[str, typer.Argument(metavar="ACTOR", callback=utf8, help="Name of the actor.")],
    count: Annotated[
        int | None,
        typer.Option("-n", "--count", metavar="COUNT", min=1, help="End after this many messages."),
    ] = None,
    payloads: Annotated[
        bool, typer.Option("--payload", help="Show how payloads begin; they may hold secrets.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each message.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show each message an actor handles from now on: who called, how it ended, and what it called.

    Until Ctrl-C, or --count messages. Hosts publish this only while somebody watches, and drop what
    is too much rather than slow the actor: a note says how many. Messages that are refused because
    the mailbox is full are not shown. With --payload the first KiB of each message travels over
    NATS to everybody who may subscribe to ah.LATTICE.trace.ACTOR.
    """
    name = ActorName.parse(actor)

    async def follow(client: Client) -> None:
        async with following(client, name, Watched.TRACE, payloads=payloads) as followed:
            watching = Watching(name, followed.first)
            left = count
            async for item in followed.items:
                if isinstance(item, Round):
                    watching.round(item)
                elif isinstance(item, TraceBatch):
                    _show(item, left, watching, json=json)
                    left = None if left is None else left - len(item.records)
                if left is not None and left <= 0:
                    return

    with_client(nats, lattice, follow)


def _show(batch: TraceBatch, left: int | None, watching: Watching, *, json: bool) -> None:
    watching.saw(batch.host)
    for record in batch.records[:left]:
        if json:
            output.json_line(_as_json(batch.host, record))
            continue
        where = f"{batch.host[: shown.SHORT]} " if watching.many else ""
        for line in _lines(record, where):
            output.data(printable(line))
    if batch.dropped:
        output.note(
            f"{batch.dropped} messages were handled faster than they could be told, and are not shown"
        )


def _lines(record: Handled, where: str) -> list[str]:
    callers = " > ".join(record.callers)
    ended = f"reply {record.reply_size}B" if record.outcome == "reply" else record.outcome
    waited = f" after {record.waited_ms:.1f}ms in the mailbox" if record.waited_ms >= 1 else ""
    what = f"{callers + ' > ' if callers else ''}{record.operation} {record.size}B"
    how = f"{ended} in {_duration(record.handled_ms)}{waited}"
    lines = [f"{shown.moment(record.time_ns)} {where}{what}: {how}"]
    if record.payload is not None:
        text = payload.show(record.payload)
        cut = len(text) > _PAYLOAD or record.size > SHOWN_PAYLOAD
        lines.append(f"    payload {text[:_PAYLOAD]}{'...' if cut else ''}")
    lines += [
        f"    {call.target} {call.operation}: {call.outcome} in {_duration(call.ms)}" for call in record.calls
    ]
    if record.more_calls:
        lines.append(f"    and {record.more_calls} more calls")
    return lines


def _duration(milliseconds: float) -> str:
    """Return a duration as people read it, with microseconds where there is nothing else."""
    return f"{milliseconds:.3f}ms" if milliseconds < 1 else shown.milliseconds(milliseconds)


def _as_json(host: str, record: Handled) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "time": shown.moment(record.time_ns),
        "host": host,
        "callers": list(record.callers),
        "operation": record.operation,
        "size": record.size,
        "outcome": record.outcome,
        "reply_size": record.reply_size,
        "waited_ms": record.waited_ms,
        "handled_ms": record.handled_ms,
        "calls": msgspec.to_builtins(record.calls),
        "more_calls": record.more_calls,
    }
    if record.payload is not None:
        facts |= {"payload": payload.as_json(record.payload), "payload_hex": record.payload.hex()}
    return facts
