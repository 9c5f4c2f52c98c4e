"""``actorhost call`` and ``tell``: one message to an actor, by name."""

from __future__ import annotations

from typing import Annotated

import typer

from actorhost import Client, clock
from actorhost.cli import output, payload
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, with_client
from actorhost.cli.options import Timeout
from actorhost.ids import ActorName, OperationName

Actor = Annotated[str, typer.Argument(metavar="ACTOR", help="Name of the actor.")]
Operation = Annotated[str, typer.Argument(metavar="OPERATION", help="Operation name.")]
Payload = Annotated[
    str | None, typer.Argument(metavar="PAYLOAD", help="JSON, @FILE, or - for standard input.")
]
Hexadecimal = Annotated[bool, typer.Option("--hex", help="The payload is in hex digits.")]


def call(
    actor: Actor,
    operation: Operation,
    payload_text: Payload = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Send the payload's bytes as they are, and print the reply's so.")
    ] = False,
    hexadecimal: Hexadecimal = False,
    timeout: Timeout = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Send a message to an actor and print its reply.

    The payload is JSON and travels as MessagePack; the reply is printed as JSON, else as text or hex.
    """
    name, wanted = ActorName.parse(actor), OperationName.parse(operation)
    message = payload.read(payload_text, raw=raw, hexadecimal=hexadecimal)
    started = clock.monotonic()

    async def ask(client: Client) -> bytes:
        nonlocal started
        started = clock.monotonic()
        return await client.ask(name, wanted, message, timeout=timeout)

    reply = with_client(nats, lattice, ask)
    elapsed = clock.monotonic() - started
    if json:
        _print_json(reply, elapsed)
    elif raw:
        output.raw(reply)
    else:
        output.data(payload.show(reply))


def tell(
    actor: Actor,
    operation: Operation,
    payload_text: Payload = None,
    raw: Annotated[bool, typer.Option("--raw", help="Send the payload's bytes as they are.")] = False,
    hexadecimal: Hexadecimal = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Send a message to an actor without waiting for a reply.

    Nobody tells whether it arrived; use `call` to know.
    """
    name, wanted = ActorName.parse(actor), OperationName.parse(operation)
    message = payload.read(payload_text, raw=raw, hexadecimal=hexadecimal)
    with_client(nats, lattice, lambda client: client.tell(name, wanted, message))


def _print_json(reply: bytes, elapsed: float) -> None:
    output.json_line(
        {
            "reply": payload.as_json(reply),
            "reply_bytes": len(reply),
            "reply_hex": reply.hex(),
            "time_ms": round(elapsed * 1000, 3),
        }
    )
