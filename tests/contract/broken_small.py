"""Backends of random, clock and logging that each break one rule, to prove that the suites see it.

``BROKEN`` maps a rule's id to a backend that differs from the real one in little more than that.
"""

# ruff: noqa: ARG002 - a broken backend ignores what it should heed

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from actorhost import clock
from actorhost.contracts.clock_reading import MonotonicParams, NowParams, ResolutionParams
from actorhost.contracts.logging import MAX_MESSAGE, Level, WriteParams
from actorhost.contracts.provider import Link, Provider
from actorhost.contracts.random import BytesParams, U64Params, UuidParams
from actorhost_providers.clock.host import HostClock
from actorhost_providers.logging.host import HostLogging
from actorhost_providers.random.host import HostRandom

BROKEN: Final[dict[str, type[Provider]]] = {}


def breaks(rule_id: str) -> Callable[[type[Provider]], None]:
    """Enter the decorated backend as the one that breaks `rule_id`."""

    def enter(backend: type[Provider]) -> None:
        assert rule_id not in BROKEN, rule_id
        BROKEN[rule_id] = backend

    return enter


@breaks("bytes-count")
class BreaksBytesCount(HostRandom):
    """Draws whole numbers of 64 bits."""

    async def bytes(self, link: Link, params: BytesParams) -> builtins.bytes:
        return await super().bytes(link, BytesParams(params.count // 8 * 8))


@breaks("bytes-spread")
class BreaksBytesSpread(HostRandom):
    """Takes the number of a byte times 255, as a float, for a byte."""

    async def bytes(self, link: Link, params: BytesParams) -> builtins.bytes:
        return builtins.bytes(min(byte, 254) for byte in await super().bytes(link, params))


@breaks("bytes-differ")
class BreaksBytesDiffer(HostRandom):
    """Was seeded with how many bytes are wanted."""

    async def bytes(self, link: Link, params: BytesParams) -> builtins.bytes:
        return b"\x2a" * params.count


@breaks("u64-whole")
class BreaksU64Whole(HostRandom):
    """Has 53 bits, as numbers of JavaScript do."""

    async def u64(self, link: Link, params: U64Params) -> int:
        return await super().u64(link, params) >> 11


@breaks("uuid-form")
class BreaksUuidForm(HostRandom):
    async def uuid(self, link: Link, params: UuidParams) -> str:
        return (await super().uuid(link, params)).upper()


@breaks("uuid-differ")
class BreaksUuidDiffer(HostRandom):
    """Ends in what names the machine, as the UUIDs of version 1 do."""

    async def uuid(self, link: Link, params: UuidParams) -> str:
        return (await super().uuid(link, params))[:24] + "0123456789ab"


@breaks("race-differ")
class BreaksRaceDiffer(HostRandom):
    """Lets others in between drawing and giving."""

    _drawn = 0

    async def u64(self, link: Link, params: U64Params) -> int:
        self._drawn = await super().u64(link, params)
        await asyncio.sleep(0)
        return self._drawn


@breaks("now-utc")
class BreaksNowUtc(HostClock):
    """Tells milliseconds."""

    async def now(self, link: Link, params: NowParams) -> int:
        return clock.wall_ns() // 1_000_000


@breaks("now-goes-on")
class BreaksNowGoesOn(HostClock):
    """Tells the whole second."""

    async def now(self, link: Link, params: NowParams) -> int:
        self._told = getattr(self, "_told", clock.wall_ns())
        return self._told


@breaks("monotonic-goes-on")
class BreaksMonotonicGoesOn(HostClock):
    """Counts readings."""

    _count = 0

    async def monotonic(self, link: Link, params: MonotonicParams) -> int:
        self._count += 1
        return self._count


@breaks("monotonic-never-back")
class BreaksMonotonicNeverBack(HostClock):
    """Is set back by a microsecond now and then."""

    _count = 0

    async def monotonic(self, link: Link, params: MonotonicParams) -> int:
        self._count += 1
        return clock.monotonic_ns() - 1_000_000 * (self._count % 7)


@breaks("resolution-told")
class BreaksResolutionTold(HostClock):
    """Tells it in milliseconds."""

    async def resolution(self, link: Link, params: ResolutionParams) -> int:
        return 0


class BendsLines(HostLogging):
    """Lets a subclass change a line on its way in."""

    def bend(self, params: WriteParams) -> WriteParams:
        return params

    async def write(self, link: Link, params: WriteParams) -> None:
        await super().write(link, self.bend(params))


@breaks("line-whole")
class BreaksLineWhole(BendsLines):
    """Drops fields without text."""

    def bend(self, params: WriteParams) -> WriteParams:
        fields = [(name, text) for name, text in params.fields or () if text]
        return msgspec.structs.replace(params, fields=fields)


@breaks("level-told")
class BreaksLevelTold(BendsLines):
    """Knows no critical level."""

    def bend(self, params: WriteParams) -> WriteParams:
        level = Level.ERROR if params.level is Level.CRITICAL else params.level
        return msgspec.structs.replace(params, level=level)


@breaks("level-of-link")
class BreaksLevelOfLink(HostLogging):
    """Compares levels by name."""

    async def write(self, link: Link, params: WriteParams) -> None:
        if str(params.level) >= str(link.config.get("level", "")):
            await super().write(_plain(link), params)


@breaks("level-unknown")
class BreaksLevelUnknown(HostLogging):
    def check_link(self, link: Link) -> None:
        """Take any link."""


@breaks("field-last")
class BreaksFieldLast(BendsLines):
    def bend(self, params: WriteParams) -> WriteParams:
        return msgspec.structs.replace(params, fields=list(reversed(params.fields or ())))


class Renaming(BendsLines):
    """Has a log whose lines a subclass may change before they are written."""

    def __init__(self, config: Mapping[str, object], logger: Any = None) -> None:
        super().__init__(config, _Through(logger, self.change))

    def change(self, message: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return message, facts


class _Through:
    """A logger in front of another."""

    def __init__(
        self, logger: Any, change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]
    ) -> None:
        self._logger = logger
        self._change = change

    def __getattr__(self, method: str) -> Callable[..., None]:
        def log(message: str, **facts: Any) -> None:
            changed, more = self._change(message, facts)
            getattr(self._logger, method)(changed, **more)

        return log


@breaks("field-forged")
class BreaksFieldForged(Renaming):
    """Writes the fields of a guest beside those of the host."""

    def change(self, message: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        fields = facts.get("fields", {})
        return message, facts | {name: text for name, text in fields.items() if name == "actor"}


@breaks("text-one-line")
class BreaksTextOneLine(Renaming):
    """Takes the escape of a line break back."""

    def change(self, message: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return message.replace("\\n", "\n"), facts


@breaks("text-longest")
class BreaksTextLongest(BendsLines):
    def bend(self, params: WriteParams) -> WriteParams:
        return msgspec.structs.replace(params, message=params.message[: MAX_MESSAGE - 1])


@breaks("order-kept")
class BreaksOrderKept(HostLogging):
    """Takes a line like the last for a repetition, by its length."""

    _length = -1

    async def write(self, link: Link, params: WriteParams) -> None:
        if len(params.message) != self._length or len(params.message) > 2:
            await super().write(link, params)
        self._length = len(params.message)


@breaks("race-whole")
class BreaksRaceWhole(HostLogging):
    """Keeps the fields of the line it is at where another may overwrite them."""

    _fields: Any = None

    async def write(self, link: Link, params: WriteParams) -> None:
        self._fields = params.fields
        await asyncio.sleep(0)
        await super().write(link, msgspec.structs.replace(params, fields=self._fields))


def _plain(link: Link) -> Link:
    return Link(link.actor, link.contract, link.name)
