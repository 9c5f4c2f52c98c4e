"""Puts the key-value rules to the memory backend, and to backends that break them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from actorhost.testing.clock import ManualClock
from actorhost.testing.conformance.keyvalue import RULES
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue import BROKEN

Factory = Callable[[], AbstractAsyncContextManager[KeyValueCase]]


def memory(backend: type[MemoryKeyValue] = MemoryKeyValue) -> Factory:
    """Return a factory of cases of `backend` with a clock that jumps."""

    @asynccontextmanager
    async def case() -> AsyncIterator[KeyValueCase]:
        clock = ManualClock()
        store = backend({}, clock)

        async def wait(seconds: float) -> None:
            clock.advance(seconds)

        await store.start()
        yield KeyValueCase(store, wait)
        await store.stop()

    return case


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_memory_backend_keeps(rule: Rule[KeyValueCase]) -> None:
    await put(rule, memory())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_suite_catches_the_backend_that_breaks(rule: Rule[KeyValueCase]) -> None:
    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, memory(BROKEN[rule.id]))
    assert rule.sentence in str(caught.value)


def test_every_rule_has_its_own_id_sentence_and_broken_backend() -> None:
    assert [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    assert [rule.id for rule in RULES if not rule.sentence.endswith(".")] == []
    assert {rule.id for rule in RULES} == set(BROKEN)
