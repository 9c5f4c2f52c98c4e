"""Puts every SQL rule to every backend, with a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from actorhost.contracts.sql import CONTRACT
from actorhost.testing.clock import ManualClock
from actorhost.testing.conformance.rule import RuleBroken, put
from actorhost.testing.conformance.sql import RULES
from actorhost.testing.conformance.sql_case import SqlCase
from tests.contract.conftest import Table
from tests.contract.sql_backends import BACKENDS

pytestmark = pytest.mark.alone


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.needs_postgres] * (name == "postgres")) for name in BACKENDS],
)
async def test_backend_keeps_every_rule(name: str, tmp_path: Path, table: Table) -> None:
    clock = ManualClock()
    broken = []

    async def wait(seconds: float) -> None:
        clock.advance(seconds)

    async with BACKENDS[name](tmp_path, clock) as backend:

        @asynccontextmanager
        async def case() -> AsyncIterator[SqlCase]:
            yield SqlCase(backend, wait)

        for rule in RULES:
            try:
                await put(rule, case)
            except RuleBroken as error:
                broken.append(f"{name}: {error}")
    table.note(CONTRACT.id, name, kept=len(RULES) - len(broken), of=len(RULES))
    assert broken == []
