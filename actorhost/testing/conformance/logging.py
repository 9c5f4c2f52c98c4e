"""The conformance suite of ``actorhost:logging``: the rules every backend must keep.

A backend's tests say how its log is read: a case has a function that returns the lines so far.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from actorhost.contracts.logging import (
    MAX_FIELD_NAME,
    MAX_FIELD_TEXT,
    MAX_FIELDS,
    MAX_MESSAGE,
    Level,
    Logging,
    WriteParams,
)
from actorhost.errors import ProviderRefused
from actorhost.testing.conformance.case import Case
from actorhost.testing.conformance.rule import Rule, RuleBroken, Suite, equal, holds


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands in a log."""

    level: Level
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    actor: str = "conformance"


class LoggingCase(Case):
    """One link to a log that was empty, and a way to read it."""

    def __init__(self, provider: Logging, lines: Callable[[], Awaitable[Sequence[Line]]]) -> None:
        """Call `provider`; `lines` returns what its log holds, oldest first."""
        super().__init__(provider)
        self.lines = lines

    async def write(self, level: Level, message: str, *fields: tuple[str, str]) -> None:
        """Call ``write``."""
        equal(await self.call("write", WriteParams(level, message, list(fields) or None)), None, "the answer")

    async def last(self) -> Line:
        """Return the last line."""
        if not (lines := await self.lines()):
            raise RuleBroken("the log was empty")
        return lines[-1]


SUITE: Final[Suite[LoggingCase]] = Suite()


@SUITE.rule("line-whole", "A line has its level, message, fields and actor.")
async def _(case: LoggingCase) -> None:
    await case.write(Level.WARN, "too hot", ("celsius", "41"), ("empty", ""))
    equal(await case.last(), Line(Level.WARN, "too hot", {"celsius": "41", "empty": ""}), "the line")
    await case.write(Level.INFO, "")
    equal(await case.last(), Line(Level.INFO, ""), "an empty line")


@SUITE.rule("level-told", "Each level is told apart from every other.")
async def _(case: LoggingCase) -> None:
    for level in Level:
        await case.write(level, "message")
        equal((await case.last()).level, level, "the level")


@SUITE.rule("level-of-link", "A line below the link's level is dropped, which is a success.")
async def _(case: LoggingCase) -> None:
    least = case.linked({"level": "error"})
    for level in Level:
        await least.write(level, str(level))
    equal([line.message for line in await case.lines()], ["error", "critical"], "the lines")


@SUITE.rule("level-unknown", "A link with an unknown level is refused.")
async def _(case: LoggingCase) -> None:
    try:
        case.linked({"level": "loud"})
    except ProviderRefused:
        return
    raise RuleBroken("it was taken")


@SUITE.rule("field-last", "Of two fields with the same name the later one is kept.")
async def _(case: LoggingCase) -> None:
    await case.write(Level.INFO, "message", ("n", "1"), ("m", "2"), ("n", "3"))
    equal(dict((await case.last()).fields), {"n": "3", "m": "2"}, "the fields")


@SUITE.rule("field-forged", "A field cannot pass for what the host says of a line.")
async def _(case: LoggingCase) -> None:
    await case.write(Level.INFO, "message", ("actor", "other"), ("level", "error"), ("message", "forged"))
    line = await case.last()
    equal((line.actor, line.level, line.message), ("conformance", Level.INFO, "message"), "the line")


@SUITE.rule("text-one-line", "Characters that would break or colour a line are escaped.")
async def _(case: LoggingCase) -> None:
    await case.write(Level.INFO, "a\nb\r\x1b[31mc\u2028d", ("x\ny", "\x1b[0m"))
    line = await case.last()
    texts = (line.message, *line.fields, *line.fields.values())
    holds(all(text.isprintable() for text in texts), f"it was {line!r}")
    holds(line.message.startswith("a") and line.message.endswith("d"), f"it was {line.message!r}")
    equal(len(await case.lines()), 1, "the number of lines")


@SUITE.rule("text-longest", "The longest message and the most and longest fields are kept whole.")
async def _(case: LoggingCase) -> None:
    names = [f"{n:0{MAX_FIELD_NAME}}" for n in range(MAX_FIELDS)]
    fields = dict.fromkeys(names, "é" * (MAX_FIELD_TEXT // 2))
    await case.write(Level.INFO, "m" * MAX_MESSAGE, *fields.items())
    equal(await case.last(), Line(Level.INFO, "m" * MAX_MESSAGE, fields), "the line")


@SUITE.rule("order-kept", "Lines stand in the order in which they were written, none lost or twice.")
async def _(case: LoggingCase) -> None:
    for n in range(50):
        await case.write(Level.INFO, str(n))
    equal([line.message for line in await case.lines()], [str(n) for n in range(50)], "the lines")


@SUITE.rule("race-whole", "Lines written at the same time stay whole.")
async def _(case: LoggingCase) -> None:
    texts = [f"{n}" * 1000 for n in range(30)]
    await asyncio.gather(*(case.write(Level.INFO, text, ("text", text)) for text in texts))
    lines = [(line.message, line.fields["text"]) for line in await case.lines()]
    equal(sorted(lines), sorted(zip(texts, texts, strict=True)), "the lines")


RULES: Final[tuple[Rule[LoggingCase], ...]] = tuple(SUITE)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
