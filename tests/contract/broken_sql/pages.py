"""Backends that break the rules about results that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from msgspec.structs import replace as changed

from actorhost.clock import monotonic
from actorhost.contracts.provider import Link
from actorhost.contracts.sql import CloseParams, NextParams, Page, QueryParams
from actorhost.errors import BadRequest
from actorhost.ids import ActorName
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.broken_sql.entry import breaks


@breaks("page-default")
class SmallPages(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        return await super().query(link, changed(params, limit=params.limit or 50))


@breaks("page-limit")
class LimitsOnce(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        return await super().next(link, changed(params, limit=None))


@breaks("page-all")
class SkipsOne(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        page = await super().next(link, params)
        return changed(page, rows=page.rows[1:])


@breaks("page-snapshot")
class QueriesAgain(SqliteSql):
    """Makes of a cursor an OFFSET."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = monotonic) -> None:
        super().__init__(config, clock)
        self.last = QueryParams("")

    async def query(self, link: Link, params: QueryParams) -> Page:
        self.last = params
        return await super().query(link, params)

    async def next(self, link: Link, params: NextParams) -> Page:
        skipped = int(params.cursor.rpartition(".")[2])
        statement = f"SELECT * FROM ({self.last.statement}) LIMIT -1 OFFSET {skipped}"  # noqa: S608
        page = await super().query(link, changed(self.last, statement=statement, limit=params.limit))
        return changed(page, cursor=page.cursor and f"{skipped}.{skipped + len(page.rows)}")


@breaks("page-bytes")
class OnePage(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        page = whole = await super().query(link, params)
        while page.cursor:
            page = await self.next(link, NextParams(page.cursor))
            whole = changed(whole, rows=whole.rows + page.rows)
        return changed(whole, cursor=None)


@breaks("page-again")
class FreesAtOnce(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        page = await super().next(link, params)
        if page.cursor is None:
            self.results.close(link, params.cursor)
        return page


@breaks("page-owner")
class AsksNobody(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        return await super().next(replace(link, actor=ActorName("conformance")), params)


@breaks("page-unknown")
class UnknownIsTheEnd(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        try:
            return await super().next(link, params)
        except BadRequest:
            return Page([], [])


@breaks("page-close")
class KeepsOpen(SqliteSql):
    async def close(self, link: Link, params: CloseParams) -> None:
        pass


@breaks("page-kept")
class CountsFromTheQuery(SqliteSql):
    async def next(self, link: Link, params: NextParams) -> Page:
        begun = {name: kept.used for name, kept in self.results._kept.items()}
        page = await super().next(link, params)
        for name, kept in self.results._kept.items():
            kept.used = begun[name]
        return page


@breaks("page-expiry")
class KeepsForever(SqliteSql):
    def __init__(self, config: Mapping[str, object], _clock: Callable[[], float] = monotonic) -> None:
        super().__init__(config, lambda: 0.0)
