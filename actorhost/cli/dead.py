"""``actorhost dead``: the messages that no actor could take or handle, and what to do with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import typer

from actorhost import Client
from actorhost.cli import output, payload
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats, with_client
from actorhost.cli.options import finite
from actorhost.errors import ActorhostError, InvalidInput
from actorhost.host.dead_letter import DeadLetter, DeadLetterBox
from actorhost.ids import ActorName

T = TypeVar("T")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, show, send again or drop messages that no actor could take or handle.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COLUMNS: Final = ("NUMBER", "TIME", "ACTOR", "OPERATION", "BYTES", "CODE", "REASON")
_REASON: Final = 60
"""Characters of a reason in the table; `show` has all of it."""

Numbers = Annotated[list[int] | None, typer.Argument(metavar="NUMBER", min=1, help="Numbers from the list.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them, or all of --actor.")]
OfActor = Annotated[str, typer.Option("--actor", metavar="ACTOR", help="Only those for this actor.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object for each.")]


@app.command("list")
def list_letters(
    actor: OfActor = "",
    count: Annotated[
        int, typer.Option("-n", "--count", metavar="COUNT", min=1, max=100_000, help="How many, at most.")
    ] = 100,
    json: Json = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """List dead letters, oldest first."""

    async def gather(_client: Client, box: DeadLetterBox) -> list[tuple[int, DeadLetter]]:
        found: list[tuple[int, DeadLetter]] = []
        async for entry in box.list(_pattern(actor)):
            found.append(entry)
            if len(found) > count:
                break
        return found

    found = _with_box(nats, lattice, gather)
    shown = found[:count]
    if json:
        for number, letter in shown:
            output.json_line(_as_json(number, letter))
    elif shown:
        output.table(_COLUMNS, [_row(number, letter) for number, letter in shown])
    else:
        output.note("no dead letters")
    if len(found) > count:
        output.note(f"there are more than {count}: ask for more with -n")


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Its number in the list.")],
    json: Json = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Show one dead letter: what it was, for whom, and why it was given up."""
    letter = _with_box(nats, lattice, lambda _client, box: box.get(number))
    if json:
        output.json_line(_as_json(number, letter))
        return
    for name, value in _lines(letter):
        output.data(f"{name:<11}{value}")


@app.command()
def retry(
    numbers: Numbers = None,
    everything: Everything = False,
    actor: OfActor = "",
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0.001,
            max=3600,
            callback=finite,
            help="How long each may take.",
        ),
    ] = None,
    json: Json = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Send dead letters again; one is dropped when its actor has answered without a fault.

    Each is sent as a call, so that its end is known. One whose outcome is unknown stays, and may
    have been handled. Exits with 1 when any failed.
    """

    async def send(client: Client, box: DeadLetterBox, number: int) -> None:
        letter = await box.get(number)
        await client.ask(letter.actor, letter.operation, letter.payload, timeout=timeout)
        await box.drop(number)

    _each(nats, lattice, _Chosen(numbers, actor, everything=everything), send, done="sent again", json=json)


@app.command()
def drop(
    numbers: Numbers = None,
    everything: Everything = False,
    actor: OfActor = "",
    json: Json = False,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
) -> None:
    """Forget dead letters."""

    async def forget(_client: Client, box: DeadLetterBox, number: int) -> None:
        await box.drop(number)

    _each(nats, lattice, _Chosen(numbers, actor, everything=everything), forget, done="dropped", json=json)


class _Chosen:
    """Which letters a command is about: by number, all, or all of an actor."""

    def __init__(self, numbers: list[int] | None, actor: str, *, everything: bool) -> None:
        if bool(numbers) == everything or (actor and not everything):
            raise InvalidInput(
                "say which dead letters: either their numbers, or --all, perhaps with --actor",
                hint="`actorhost dead list` shows the numbers",
            )
        self._numbers = numbers or []
        self._pattern = _pattern(actor)

    async def find(self, box: DeadLetterBox) -> list[int]:
        """Return their numbers as they are now."""
        if self._numbers:
            return list(dict.fromkeys(self._numbers))
        return [number async for number, _ in box.list(self._pattern)]


def _each(
    nats: str,
    lattice: str,
    chosen: _Chosen,
    work: Callable[[Client, DeadLetterBox, int], Awaitable[None]],
    *,
    done: str,
    json: bool,
) -> None:
    """Do `work` for each letter, say how it went, and exit with 1 when any failed."""

    async def all_of_them(client: Client, box: DeadLetterBox) -> int:
        failed = 0
        for number in await chosen.find(box):
            error: ActorhostError | None = None
            try:
                await work(client, box, number)
            except ActorhostError as caught:
                error = caught
                failed += 1
            _tell(number, error, done=done, json=json)
        return failed

    raise typer.Exit(1 if _with_box(nats, lattice, all_of_them) else 0)


def _tell(number: int, error: ActorhostError | None, *, done: str, json: bool) -> None:
    if json:
        fault = None if error is None else {"code": str(error.code), "message": error.message}
        output.json_line({"number": number, "done": error is None, "error": fault})
    elif error is None:
        output.data(f"{number} {done}")
    else:
        output.note(f"{number} stays:")
        output.error(error)


def _with_box(nats: str, lattice: str, work: Callable[[Client, DeadLetterBox], Awaitable[T]]) -> T:
    async def connected(client: Client) -> T:
        box = DeadLetterBox(client.transport, client.lattice, timeout=client.limits.bus_timeout)
        await box.open()
        return await work(client, box)

    return with_client(nats, lattice, connected)


def _pattern(actor: str) -> str:
    return ActorName.parse(actor) if actor else "*"


def _row(number: int, letter: DeadLetter) -> tuple[str, ...]:
    reason = letter.reason if len(letter.reason) <= _REASON else letter.reason[: _REASON - 3] + "..."
    size = str(len(letter.payload))
    return (str(number), _moment(letter.at_ns), letter.actor, letter.operation, size, letter.code, reason)


def _lines(letter: DeadLetter) -> list[tuple[str, str]]:
    return [
        ("time", _moment(letter.at_ns)),
        ("actor", letter.actor),
        ("operation", letter.operation),
        ("source", letter.source or "unknown"),
        ("host", letter.host),
        ("reason", f"{letter.code}: {letter.reason}"),
        ("hint", letter.hint or "none"),
        ("payload", payload.show(letter.payload)),
    ]


def _as_json(number: int, letter: DeadLetter) -> dict[str, Any]:
    return {
        "number": number,
        "time": _moment(letter.at_ns),
        "actor": letter.actor,
        "operation": letter.operation,
        "source": letter.source,
        "host": letter.host,
        "code": letter.code,
        "reason": letter.reason,
        "hint": letter.hint,
        "payload": payload.as_json(letter.payload),
        "payload_hex": letter.payload.hex(),
    }


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
