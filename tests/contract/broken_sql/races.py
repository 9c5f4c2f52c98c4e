"""Backends that break the rules about callers at the same time, and callers that go away."""

from __future__ import annotations

import asyncio

from actorhost.contracts.provider import Link
from actorhost.contracts.sql import ExecuteParams, Outcome, Page, QueryParams
from actorhost.errors import ProviderFailed
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.broken_sql.entry import breaks


@breaks("race-increment")
class ReadsThenWrites(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        words = params.statement.split()
        if words[0] != "UPDATE":
            return await super().execute(link, params)
        page = await self.query(link, QueryParams(f"SELECT n FROM {words[1]}"))  # noqa: S608
        statement = f"UPDATE {words[1]} SET n = {page.rows[0][0] + 1} RETURNING n"  # noqa: S608
        return await super().execute(link, ExecuteParams(statement))


@breaks("cancel-query")
class StaysBusy(SqliteSql):
    busy = False

    async def query(self, link: Link, params: QueryParams) -> Page:
        if self.busy:
            raise ProviderFailed("another operation is in progress")
        self.busy = True
        page = await super().query(link, params)
        self.busy = False
        return page


@breaks("cancel-long")
class GoesOn(SqliteSql):
    left: ExecuteParams | None = None

    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        if self.left is not None:
            left, self.left = self.left, None
            await super().execute(link, left)
        try:
            return await super().execute(link, params)
        except asyncio.CancelledError:
            self.left = params
            raise
