"""Puts every SQL rule to every backend, in the host and in a process of its own, with a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from actorhost.contracts.sql import CONTRACT
from actorhost.manifest import Place
from actorhost.testing.conformance.rule import RuleBroken, put
from actorhost.testing.conformance.sql import RULES
from actorhost.testing.conformance.sql_case import SqlCase
from tests.contract.places import PLACES
from tests.contract.sql_backends import BACKENDS, Shift, clock_file
from tests.table import Table


async def _broken(name: str, place: Place, folder: Path) -> list[str]:
    """Return what the rules say that backend `name` breaks in `place`."""
    await anyio.Path(folder).mkdir()
    shift = Shift(clock_file(folder))
    broken = []
    async with BACKENDS[name](folder, place) as backend:

        @asynccontextmanager
        async def case() -> AsyncIterator[SqlCase]:
            yield SqlCase(backend, shift.wait)

        # One after the other: some move the clock.
        for rule in RULES:
            try:
                await put(rule, case)
            except RuleBroken as error:
                broken.append(f"{name} in {place}: {error}")
    return broken


@pytest.mark.parametrize(
    "names",
    [("sqlite-memory", "sqlite-file"), pytest.param(("postgres",), marks=pytest.mark.needs_postgres)],
    ids="+".join,
)
async def test_backends_keep_every_rule(names: tuple[str, ...], tmp_path: Path, table: Table) -> None:
    cells = [(name, place) for name in names for place in PLACES]
    seen = await asyncio.gather(
        *(_broken(name, place, tmp_path / f"{name}-{place}") for name, place in cells)
    )
    for (name, place), broken in zip(cells, seen, strict=True):
        table.note(CONTRACT.id, name, kept=len(RULES) - len(broken), of=len(RULES), place=place)
    assert [why for broken in seen for why in broken] == []
