"""A corner of an SQL backend under test: one fresh table, called over the wire's types.

A backend's own tests make one for each rule and own it: ``SqlCase(backend, wait=advance)``. Every
call goes through the contract's codecs both ways, so a value of the wrong type shows. ``%t`` in a
statement stands for the case's table.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from actorhost.contracts.base import Params
from actorhost.contracts.provider import Link
from actorhost.contracts.sql import (
    CONTRACT,
    BatchParams,
    CloseParams,
    ExecuteParams,
    NextParams,
    Outcome,
    Page,
    QueryParams,
    Sql,
    Statement,
)
from actorhost.errors import ActorhostError
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.rule import RuleBroken

MOST_PAGES: Final = 2000
"""A result with more pages counts as endless."""
ENDLESS: Final = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000)"
"""The beginning of a statement that takes half a second or more."""
NUMBERS: Final = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %n)"
"""The beginning of a statement over the numbers from 1 to ``%n``."""

ErrorT = TypeVar("ErrorT", bound=ActorhostError)


class SqlCase:
    """One table of `backend`, new unless named."""

    def __init__(
        self,
        backend: Sql,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        table: str = "",
        actor: str = "conformance",
        config: dict[str, object] | None = None,
    ) -> None:
        """Call `backend`, which was started; `wait` lets that many seconds pass for its results."""
        self.backend = backend
        self.wait = wait
        self.table = table or f"case_{os.urandom(6).hex()}"
        self.link = Link(ActorName(actor), CONTRACT.id, LinkName("default"), config or {})
        backend.check_link(self.link)

    def beside(self, *, actor: str = "conformance", **config: object) -> SqlCase:
        """Return another case on the same table: another actor's, or over a link of that configuration.

        Names of the configuration are written with underscores.
        """
        named = {name.replace("_", "-"): value for name, value in config.items()}
        return SqlCase(self.backend, self.wait, table=self.table, actor=actor, config=named)

    async def make(self, columns: str) -> None:
        """Make the table with these columns."""
        await self.execute(f"CREATE TABLE %t ({columns})")

    async def query(
        self, statement: str, *parameters: object, limit: int | None = None, timeout_ms: int | None = None
    ) -> Page:
        """Call ``query``."""
        params = QueryParams(self._text(statement), list(parameters), limit, timeout_ms)
        page: Page = await self._call("query", params)
        return page

    async def next(self, cursor: str | None, limit: int | None = None) -> Page:
        """Call ``next``; a missing cursor breaks the rule."""
        if cursor is None:
            raise RuleBroken("a page without a cursor, although more was to come")
        page: Page = await self._call("next", NextParams(cursor, limit))
        return page

    async def close(self, cursor: str) -> None:
        """Call ``close``."""
        await self._call("close", CloseParams(cursor))

    async def execute(self, statement: str, *parameters: object, timeout_ms: int | None = None) -> Outcome:
        """Call ``execute``."""
        params = ExecuteParams(self._text(statement), list(parameters), timeout_ms)
        outcome: Outcome = await self._call("execute", params)
        return outcome

    async def batch(
        self, statements: Sequence[tuple[object, ...]], *, timeout_ms: int | None = None
    ) -> list[Outcome]:
        """Call ``batch`` with (statement, parameter, ...) each."""
        steps = [Statement(self._text(str(text)), list(parameters)) for text, *parameters in statements]
        outcomes: list[Outcome] = await self._call("batch", BatchParams(steps, timeout_ms))
        return outcomes

    async def rows(self, statement: str, *parameters: object) -> list[list[Any]]:
        """Return the rows of all pages."""
        page = await self.query(statement, *parameters)
        rows = list(page.rows)
        for _ in range(MOST_PAGES):
            if page.cursor is None:
                return rows
            page = await self.next(page.cursor)
            rows += page.rows
        raise RuleBroken(f"a result of more than {MOST_PAGES} pages, {len(rows)} rows so far")

    async def value(self, statement: str, *parameters: object) -> Any:
        """Return the only field of the only row."""
        rows = await self.rows(statement, *parameters)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise RuleBroken(f"{len(rows)} rows where one field was expected")
        return rows[0][0]

    async def count(self) -> Any:
        """Return how many rows the table has."""
        return await self.value("SELECT count(*) FROM %t")

    async def refused(self, call: Awaitable[object], kind: type[ErrorT]) -> ErrorT:
        """Return what `call` is refused with, which must be of `kind`."""
        try:
            result = await call
        except kind as error:
            return error
        except ActorhostError as error:
            raise RuleBroken(f"{type(error).__name__} instead of {kind.__name__}: {error}") from error
        raise RuleBroken(f"an answer instead of {kind.__name__}: {str(result)[:100]}")

    def _text(self, statement: str) -> str:
        return statement.replace("%t", self.table)

    async def _call(self, name: str, params: Params) -> Any:
        operation = CONTRACT.operation(name)
        received = operation.decode_params(operation.encode_params(params))
        result = await getattr(self.backend, operation.method)(self.link, received)
        return operation.decode_result(operation.encode_result(result))
