"""What a conformance rule is, and how it is put to a backend.

A rule has an id, a sentence a person can agree with, and a check: an async function of one
*case*, which is a fresh corner of a backend. A suite is a list of rules; pure bookkeeping.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

CaseT = TypeVar("CaseT")

RULE_TIMEOUT: Final = 60.0
"""Seconds after which a rule counts as broken."""


class RuleBroken(AssertionError):
    """A backend breaks a rule; the message names the rule and what was seen."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[CaseT]):
    """One rule of a contract that every backend must keep."""

    id: str
    sentence: str
    check: Callable[[CaseT], Awaitable[None]]


class Suite(Generic[CaseT]):
    """Rules of one contract, in the order they were written."""

    def __init__(self) -> None:
        """Start without rules."""
        self._rules: dict[str, Rule[CaseT]] = {}

    def __iter__(self) -> Iterator[Rule[CaseT]]:
        """Iterate over the rules."""
        return iter(self._rules.values())

    def rule(self, rule_id: str, sentence: str) -> Callable[[Callable[[CaseT], Awaitable[None]]], None]:
        """Add the decorated check as a rule; ids must differ."""

        def add(check: Callable[[CaseT], Awaitable[None]]) -> None:
            if rule_id in self._rules:
                raise ValueError(f"rule {rule_id!r} is written twice")
            self._rules[rule_id] = Rule(rule_id, sentence, check)

        return add


async def put(rule: Rule[CaseT], factory: Callable[[], AbstractAsyncContextManager[CaseT]]) -> None:
    """Put `rule` to a fresh case of `factory`; raise :class:`RuleBroken` if the backend breaks it."""
    async with factory() as case:
        try:
            async with asyncio.timeout(RULE_TIMEOUT):
                await rule.check(case)
        except Exception as error:
            seen = str(error) if isinstance(error, RuleBroken) else f"{type(error).__name__}: {error}"
            raise RuleBroken(f"{rule.id}: {rule.sentence} Seen: {seen}") from error


def equal(actual: object, expected: object, what: str) -> None:
    """Raise :class:`RuleBroken` unless `actual` equals `expected`; `what` names it."""
    if actual != expected:
        raise RuleBroken(f"{what} was {_short(actual)}, not {_short(expected)}")


def holds(condition: bool, what: str) -> None:
    """Raise :class:`RuleBroken` with `what` was seen unless `condition` holds."""
    if not condition:
        raise RuleBroken(what)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
