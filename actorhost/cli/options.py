"""The rules of options' and arguments' values that typer has none for."""

from __future__ import annotations

import math
from typing import Annotated, TypeVar

import typer

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
