"""Puts the SQL rules to backends that break them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actorhost.testing.clock import ManualClock
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost.testing.conformance.sql import RULES
from actorhost.testing.conformance.sql_case import SqlCase
from tests.contract.broken_sql import BROKEN
from tests.contract.places import started


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_suite_catches_the_backend_that_breaks(rule: Rule[SqlCase]) -> None:
    @asynccontextmanager
    async def case() -> AsyncIterator[SqlCase]:
        clock = ManualClock()

        async def wait(seconds: float) -> None:
            clock.advance(seconds)

        async with started(BROKEN[rule.id]({}, clock)) as backend:
            yield SqlCase(backend, wait)

    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, case)
    assert rule.sentence in str(caught.value)


def test_every_rule_has_its_own_id_sentence_and_broken_backend() -> None:
    assert [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    assert [rule.id for rule in RULES if not rule.sentence.endswith(".")] == []
    assert {rule.id for rule in RULES} == set(BROKEN)
