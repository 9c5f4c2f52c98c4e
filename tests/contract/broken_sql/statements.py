"""Backends that break the rules about statements, rights, batches and bounds."""

from __future__ import annotations

from msgspec.structs import replace as changed

from actorhost.contracts.provider import Link
from actorhost.contracts.sql import BatchParams, ExecuteParams, Outcome, Page, QueryParams, Statement
from actorhost.errors import BadRequest, Denied, ProviderFailed, TooLarge
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.broken_sql.entry import ChangesExecute, OneByOne, breaks, unbounded


@breaks("statement-columns")
class SortsColumns(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        page = await super().query(link, params)
        return changed(page, columns=sorted(page.columns, reverse=True))


@breaks("statement-affected")
class CountsAnything(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        outcome = await super().execute(link, params)
        return changed(outcome, rows_affected=outcome.rows_affected or len(outcome.rows))


@breaks("statement-returning")
class ReturnsNothing(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        return changed(await super().execute(link, params), rows=[])


@breaks("statement-comments")
class LooksAtTheFirstCharacter(ChangesExecute):
    def bend(self, params: ExecuteParams) -> ExecuteParams:
        if not params.statement[:1].isalpha():
            raise BadRequest("no statement")
        return params


class Forgives(SqliteSql):
    """Takes some refused statements for done."""

    forgiven = ""

    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except BadRequest as error:
            if self.forgiven not in str(error):
                raise
            return Outcome(0)


@breaks("statement-empty")
class DoesNothing(Forgives):
    forgiven = "an empty statement"


@breaks("statement-control")
class IgnoresControl(Forgives):
    forgiven = "is not for actors"


@breaks("statement-single")
class TakesTheFirst(ChangesExecute):
    def bend(self, params: ExecuteParams) -> ExecuteParams:
        return changed(params, statement=params.statement.partition(";")[0])


@breaks("statement-faults")
class BlamesItself(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except BadRequest as error:
            raise ProviderFailed(str(error)) from error


@breaks("statement-constraint")
class RepeatsValues(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except BadRequest as error:
            raise BadRequest(f"{error}: {params.parameters}") from error


@breaks("right-query")
class QueriesWrite(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        try:
            return await super().query(link, params)
        except Denied:
            outcome = await self.execute(link, ExecuteParams(params.statement, params.parameters))
            return Page(outcome.columns, outcome.rows)


@breaks("right-read-only")
class IgnoresReadOnly(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        return await super().execute(unbounded(link), params)


@breaks("batch-order")
class SortsByKind(SqliteSql):
    async def batch(self, link: Link, params: BatchParams) -> list[Outcome]:
        first, *others = params.statements
        return await super().batch(link, changed(params, statements=[first, *reversed(others)]))


@breaks("batch-atomic", "batch-bound", "limit-time-write", "race-batch", "cancel-batch")
class IsNoTransaction(OneByOne):
    pass


@breaks("batch-schema")
class SchemaIsOutside(SqliteSql):
    async def batch(self, link: Link, params: BatchParams) -> list[Outcome]:
        first, *others = params.statements
        made = await self.execute(link, ExecuteParams(first.text, first.parameters))
        return [made, *await super().batch(link, changed(params, statements=others))]


@breaks("limit-result")
class KeepsAnything(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        return await super().query(unbounded(link), params)


@breaks("limit-returned")
class ReturnsTheFirst(SqliteSql):
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        try:
            return await super().execute(link, params)
        except TooLarge:
            statement = Statement(params.statement, params.parameters)
            (outcome,) = await self.write([statement], Bounds(link.actor, 5.0, 1 << 30))
            return changed(outcome, rows=outcome.rows[:1000])


@breaks("limit-row")
class SkipsLargeRows(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        try:
            return await super().query(link, params)
        except TooLarge:
            return Page([], [])


@breaks("limit-time-query")
class TakesItsTime(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        return await super().query(link, changed(params, timeout_ms=None))


@breaks("limit-time-link")
class BelievesTheCaller(SqliteSql):
    async def query(self, link: Link, params: QueryParams) -> Page:
        return await super().query(unbounded(link), params)
