"""How bytes travel one way through a fault proxy: how late, how fast, whether at all and how whole.

One :class:`Conditions` for each direction, owned by the proxy and shared by its connections. What is
altered depends on the seed, the connection and the place in its stream alone, never on timing: the
same bytes sent again are broken again in the same way.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import anyio

from actorhost import clock
from actorhost.errors import InvalidLimit

BLOCK: Final = 256
"""Bytes of a stream that are broken, or not, at one place."""
_STEP: Final = 0.05
"""Seconds that a piece of a throttled stream takes: pieces arrive as evenly as this."""


class Direction(enum.Flag):
    """A way through the proxy."""

    TO_SERVER = enum.auto()
    TO_CLIENT = enum.auto()
    BOTH = TO_SERVER | TO_CLIENT


@dataclass(frozen=True, slots=True)
class State:
    """What holds now; `rate` is in bytes a second, 0 for no bound."""

    latency: float = 0.0
    rate: float = 0.0
    corruption: float = 0.0
    frozen: bool = False
    swallowing: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be, with :class:`InvalidLimit`."""
        _check("latency", self.latency, 0.0, 3600.0, "seconds")
        _check("rate", self.rate, 0.0, 1e12, "bytes a second")
        _check("probability", self.corruption, 0.0, 1.0, "of 1")


class Conditions:
    """One direction; `seed` decides what is altered."""

    def __init__(self, seed: str) -> None:
        self.now = State()
        self._seed = seed
        self._changed = anyio.Event()
        self._free_at = 0.0

    def change(self, **new: Any) -> None:
        """Let other conditions hold, also for what is on its way."""
        self.now = replace(self.now, **new)
        self._free_at = 0.0
        self._wake()

    def clear(self) -> None:
        """Let everything pass at once and whole."""
        self.now = State()
        self._wake()

    def piece(self, size: int) -> int:
        """Return how many bytes of `size` go on together."""
        rate = self.now.rate
        return min(size, max(1, int(rate * _STEP))) if rate else size

    async def passage(self, arrived: float, size: int) -> None:
        """Return when `size` bytes that came at `arrived` may go on."""
        while True:
            wait = self._wait(arrived)
            if wait <= 0:
                break
            changed = self._changed
            with anyio.move_on_after(wait):
                await changed.wait()
        if self.now.rate:
            self._free_at = max(self._free_at, clock.monotonic()) + size / self.now.rate

    def broken(self, data: bytes, connection: int, offset: int) -> bytes:
        """Return `data`, which begins at `offset` in the stream of `connection`, as it arrives."""
        if not self.now.corruption:
            return data
        altered: bytearray | None = None
        for block in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1):
            chance = Random(f"{self._seed}/{connection}/{block}")  # noqa: S311 - must be repeatable
            if chance.random() >= self.now.corruption:
                continue
            place = block * BLOCK + chance.randrange(BLOCK) - offset
            if 0 <= place < len(data):
                altered = altered or bytearray(data)
                altered[place] ^= chance.randrange(1, 256)
        return data if altered is None else bytes(altered)

    def _wait(self, arrived: float) -> float:
        """Return how long bytes must wait now, in seconds."""
        if self.now.frozen:
            return math.inf
        due = arrived + self.now.latency
        if self.now.rate:
            due = max(due, self._free_at)
        return due - clock.monotonic()

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


def _check(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise InvalidLimit(f"{what} {value} {unit} is out of range", hint=f"use {low:g} to {high:g} {unit}")
