"""Kinds of quantities: whole numbers, sizes in bytes, durations in seconds.

Constants of the grammar, without state: they live as long as the process.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from actorhost.limits import KIB, MIB
from actorhost.manifest.cursor import describe
from actorhost.manifest.kinds import Schema, Single, Unfit, whole_text
from actorhost.manifest.nodes import Node, Scalar
from actorhost.manifest.wording import duration, size

Number = TypeVar("Number", int, float)


class Whole(Single[int]):
    """A whole number from `low` to `high`."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def value(self, node: Node) -> int:
        """Return the number."""
        hint = f"use {self._low} to {self._high}"
        number = _number_or_text(node)
        if not isinstance(number, int):
            raise Unfit(f"expected a whole number, found {describe(node)}", hint)
        return _within(number, self._low, self._high, str(number), hint)

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "integer", "minimum": self._low, "maximum": self._high}


class Size(Single[int]):
    """A number of bytes from `low` to `high`: a whole number, or one followed by KiB, MiB or GiB."""

    _form: Final = re.compile(r"([0-9]{1,15})(KiB|MiB|GiB)")
    _units: Final = {"KiB": KIB, "MiB": MIB, "GiB": 1024 * MIB}

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def value(self, node: Node) -> int:
        """Return the bytes."""
        hint = f"use {size(self._low)} to {size(self._high)}"
        number = _number_or_text(node)
        if isinstance(number, str) and (match := self._form.fullmatch(number)):
            number = int(match[1]) * self._units[match[2]]
        if not isinstance(number, int):
            raise Unfit(f"expected a size like 65536, 64KiB or 4MiB, found {describe(node)}", hint)
        return _within(number, self._low, self._high, f"the size {size(number)}", hint)

    def schema(self) -> Schema:
        """Describe the value."""
        number = {"type": "integer", "minimum": self._low, "maximum": self._high}
        return {"anyOf": [number, {"type": "string", "pattern": whole_text(self._form.pattern)}]}


class Duration(Single[float]):
    """Seconds from `low` to `high`: a number, or one followed by ms, s or m."""

    _form: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(ms|s|m)")
    _units: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high

    def value(self, node: Node) -> float:
        """Return the seconds."""
        hint = f"use {duration(self._low)} to {duration(self._high)}"
        number = _number_or_text(node)
        if isinstance(number, str) and (match := self._form.fullmatch(number)):
            number = float(match[1]) * self._units[match[2]]
        if not isinstance(number, int | float):
            raise Unfit(f"expected a duration like 5, 500ms, 5s or 2m, found {describe(node)}", hint)
        return _within(float(number), self._low, self._high, f"the duration {duration(number)}", hint)

    def schema(self) -> Schema:
        """Describe the value."""
        number = {"type": "number", "minimum": self._low, "maximum": self._high}
        return {"anyOf": [number, {"type": "string", "pattern": whole_text(self._form.pattern)}]}


def _number_or_text(node: Node) -> str | int | float | None:
    value = node.value if isinstance(node, Scalar) else None
    return None if isinstance(value, bool) else value


def _within(number: Number, low: Number, high: Number, written: str, hint: str) -> Number:
    if not low <= number <= high:
        raise Unfit(f"{written} is out of range", hint)
    return number
