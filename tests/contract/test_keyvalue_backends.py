"""Puts every key-value rule to every backend, with real servers and real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from actorhost.contracts.keyvalue import CONTRACT
from actorhost.manifest import Place
from actorhost.testing.conformance.keyvalue import RULES
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from tests.contract.keyvalue_backends import BACKENDS
from tests.contract.places import PLACES
from tests.table import Table

pytestmark = pytest.mark.alone


async def _broken(name: str, place: Place, folder: Path) -> list[str]:
    """Return what the rules say that backend `name` breaks in `place`."""
    await anyio.Path(folder).mkdir()
    async with BACKENDS[name](folder, place) as store:

        @asynccontextmanager
        async def case() -> AsyncIterator[KeyValueCase]:
            yield KeyValueCase(store)

        async def broken(rule: Rule[KeyValueCase]) -> str:
            try:
                await put(rule, case)
            except RuleBroken as error:
                return f"{name} in {place}: {error}"
            return ""

        return [why for why in await asyncio.gather(*map(broken, RULES)) if why]


@pytest.mark.parametrize(
    "names",
    [("memory", "sqlite", "nats"), pytest.param(("redis",), marks=pytest.mark.needs_redis)],
    ids="+".join,
)
async def test_backends_keep_every_rule(names: tuple[str, ...], tmp_path: Path, table: Table) -> None:
    # All at once, each rule in a bucket of its own: most of the time is spent waiting for entries to expire.
    cells = [(name, place) for name in names for place in PLACES]
    seen = await asyncio.gather(
        *(_broken(name, place, tmp_path / f"{name}-{place}") for name, place in cells)
    )
    for (name, place), broken in zip(cells, seen, strict=True):
        count = len(list(RULES))
        table.note(CONTRACT.id, name, kept=count - len(broken), of=count, place=place)
    assert [why for broken in seen for why in broken] == []
