"""``actorhost events``: follows what happens in a lattice."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Final

import anyio
import msgspec
import typer

from actorhost import Client
from actorhost.cli import output, shown
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, with_client
from actorhost.cli.json_text import json_text
from actorhost.cli.options import utf8
from actorhost.errors import InvalidInput
from actorhost.host.event_stream import EventStream
from actorhost.telemetry.event import Event, EventKind

_WIDTH: Final = max(map(len, EventKind))
_LOOK: Final = 0.5
"""Seconds between looks at the connection."""


def events(
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="PATTERN",
            callback=utf8,
            help="Only these, such as actor-failed or 'actor-*'; may be given again.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print each as one line of JSON, a CloudEvent.")
    ] = False,
    count: Annotated[
        int | None, typer.Option("-n", "--count", metavar="COUNT", min=1, help="End after so many.")
    ] = None,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Follow what happens in a lattice from now on, until Ctrl-C.

    Hosts start and stop, applications are deployed, actors end, wait, fail and recover, refuse messages
    and take them again, the connection to NATS breaks and comes back, dead letters are kept. Of one
    kind and subject a host tells some five a second; `count` says how many an event stands for.
    """
    patterns = types or []
    for pattern in patterns:
        _check(pattern)

    async def follow(client: Client) -> None:
        async with client.events(*patterns) as stream:
            output.note(f"following the events of lattice {client.lattice!r}; Ctrl-C ends that")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_tell_outages, client)
                await _print_all(stream, count=count, as_json=json)
                tasks.cancel_scope.cancel()

    with_client(nats, lattice, follow)


async def _print_all(stream: EventStream, *, count: int | None, as_json: bool) -> None:
    printed = missed = 0
    while printed != count:
        event = await anext(stream)
        if as_json:
            output.json_line(msgspec.to_builtins(event))
        else:
            output.line(_line(event))
        printed += 1
        if stream.dropped + stream.unreadable > missed:
            missed = stream.dropped + stream.unreadable
            output.note(f"{stream.dropped} events were dropped, {stream.unreadable} could not be read so far")


async def _tell_outages(client: Client) -> None:
    """Say, until cancelled, when the connection is lost and when it is back."""
    connected, reconnects = True, 0
    while True:
        await anyio.sleep(_LOOK)
        now = client.transport.statistics()
        if connected and not now.connected:
            output.note("the connection to NATS is lost; the events of meanwhile are, too")
        elif now.connected and (not connected or now.reconnects > reconnects):
            output.note("the connection to NATS was lost and is back; following again")
        connected, reconnects = now.connected, now.reconnects


def _check(pattern: str) -> None:
    if not any(fnmatchcase(kind, pattern) for kind in EventKind):
        raise InvalidInput(f"no type of event matches {pattern!r}", hint=f"there are {', '.join(EventKind)}")


def _line(event: Event) -> str:
    """Return an event for people: when, which host, what, to whom, and the rest as ``name=value``."""
    host = event.source.rpartition("/")[2]
    when = f"{shown.utc(event.time)} {host[: shown.SHORT]}"
    subject = "" if event.subject == host else event.subject
    facts = [f"{name}={_value(value)}" for name, value in event.data.items() if value not in ("", [])]
    return "  ".join(filter(None, (when, f"{event.kind:<{_WIDTH}}", subject, " ".join(facts)))).rstrip()


def _value(value: Any) -> str:
    """Return a plain word as it is, and anything else as JSON."""
    plain = isinstance(value, str) and value.isprintable() and not set(value) & set(" \"'=")
    return value if plain else json_text(value)
