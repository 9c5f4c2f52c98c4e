"""Puts every SQL rule to every backend, in the host and in a process of its own, with a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from actorhost.contracts.sql import CONTRACT
from actorhost.manifest import Place
from actorhost.testing.conformance.rule import RuleBroken, put
from actorhost.testing.conformance.sql import RULES
from actorhost.testing.conformance.sql_case import SqlCase
from tests.contract.conftest import Table
from tests.contract.places import PLACES
from tests.contract.sql_backends import BACKENDS, Shift, clock_file

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.needs_postgres] * (name == "postgres")) for name in BACKENDS],
)
async def test_backend_keeps_every_rule(name: str, place: Place, tmp_path: Path, table: Table) -> None:
    shift = Shift(clock_file(tmp_path))
    broken = []
    async with BACKENDS[name](tmp_path, place) as backend:

        @asynccontextmanager
        async def case() -> AsyncIterator[SqlCase]:
            yield SqlCase(backend, shift.wait)

        for rule in RULES:
            try:
                await put(rule, case)
            except RuleBroken as error:
                broken.append(f"{name} in {place}: {error}")
    table.note(CONTRACT.id, name, kept=len(RULES) - len(broken), of=len(RULES), place=place)
    assert broken == []
