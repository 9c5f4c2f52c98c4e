"""The rules of options' and arguments' values that typer has none for."""

from __future__ import annotations

import math
from typing import Annotated, TypeVar

import typer

from actorhost.errors import InvalidInput

Text = TypeVar("Text", str, str | None, list[str] | None)


def utf8(value: Text) -> Text:
    """Return text that is UTF-8, or refuse it: what the system passes on may be any bytes."""
    try:
        "".join(value or ()).encode()
    except UnicodeEncodeError:
        raise typer.BadParameter(f"{value!a} is not text in UTF-8.") from None
    return value


def finite(value: float | None) -> float | None:
    """Return a number that is one, or refuse it: no bounds of typer's hold a NaN back."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.001, max=3600, callback=finite, help="How long to wait."
    ),
]


def http_address(text: str) -> tuple[str, int]:
    """Return the address and port of ``PORT``, ``ADDRESS:PORT`` or ``[ADDRESS]:PORT``.

    A port alone is on loopback; 0 is a free one. Raises :class:`InvalidInput`.
    """
    address, colon, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]") if colon else "127.0.0.1"
    if not address or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise InvalidInput(
            f"{text!r} is no address to listen at",
            hint="use a port (on loopback), or ADDRESS:PORT such as 0.0.0.0:9090 for every network",
        )
    return address, int(port)
