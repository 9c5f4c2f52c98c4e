"""Puts every key-value rule to every backend, with real servers and real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from actorhost.contracts.keyvalue import CONTRACT
from actorhost.testing.conformance.keyvalue import RULES
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from tests.contract.conftest import Table
from tests.contract.keyvalue_backends import BACKENDS

NEEDS = {"redis": [pytest.mark.needs_redis]}


@pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDS.get(name, [])) for name in BACKENDS])
async def test_a_backend_keeps_every_rule(name: str, tmp_path: Path, table: Table) -> None:
    rules = list(RULES)
    async with BACKENDS[name](tmp_path) as store:

        @asynccontextmanager
        async def case() -> AsyncIterator[KeyValueCase]:
            yield KeyValueCase(store)

        async def broken(rule: Rule[KeyValueCase]) -> str:
            try:
                await put(rule, case)
            except RuleBroken as error:
                return str(error)
            return ""

        # All at once, each in a bucket of its own: most of the time is spent waiting for entries to expire.
        seen = [why for why in await asyncio.gather(*map(broken, rules)) if why]
    table.note(CONTRACT.id, name, kept=len(rules) - len(seen), of=len(rules))
    assert seen == []
