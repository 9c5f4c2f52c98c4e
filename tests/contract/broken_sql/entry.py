"""Where the broken backends are entered, and what several of them are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from msgspec.structs import replace as changed

from actorhost.contracts.provider import Link
from actorhost.contracts.sql import BatchParams, ExecuteParams, Outcome, Page, QueryParams
from actorhost_providers.sql.sqlite import SqliteSql

BROKEN: Final[dict[str, type[SqliteSql]]] = {}


def breaks(*rule_ids: str) -> Callable[[type[SqliteSql]], None]:
    """Enter the decorated backend as the one that breaks each of `rule_ids`."""

    def enter(backend: type[SqliteSql]) -> None:
        for rule_id in rule_ids:
            assert rule_id not in BROKEN, rule_id
            BROKEN[rule_id] = backend

    return enter


class ChangesFields(SqliteSql):
    """Answers queries with changed fields."""

    def field(self, value: Any) -> Any:
        return value

    async def query(self, link: Link, params: QueryParams) -> Page:
        page = await super().query(link, params)
        return changed(page, rows=[[self.field(value) for value in row] for row in page.rows])


class ChangesExecute(SqliteSql):
    """Carries out something else than was asked for."""

    def bend(self, params: ExecuteParams) -> ExecuteParams:
        return params

    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        return await super().execute(link, self.bend(params))


class OneByOne(SqliteSql):
    """Takes each statement of a batch for a transaction."""

    async def batch(self, link: Link, params: BatchParams) -> list[Outcome]:
        outcomes = []
        for each in params.statements:
            outcomes.append(
                await self.execute(link, ExecuteParams(each.text, each.parameters, params.timeout_ms))
            )
            await asyncio.sleep(0)
        return outcomes


def unbounded(link: Link) -> Link:
    """Return `link` without its configuration."""
    return replace(link, config={})
