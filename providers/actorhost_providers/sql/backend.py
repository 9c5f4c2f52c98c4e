"""What all SQL backends have in common: the rules of links, and pages of results.

A backend says how to read and how to write; this class owns the results that are kept for
actors, ends them with their link, and drops them at the stop.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence

from actorhost.clock import monotonic
from actorhost.contracts.provider import Link
from actorhost.contracts.sql import (
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
from actorhost_providers.sql.link import Bounds, check_writable, config_of, read_bounds, write_bounds
from actorhost_providers.sql.results import Results
from actorhost_providers.sql.rows import Rows
from actorhost_providers.sql.statement import check_statement


class SqlBackend(Sql):
    """A backend that reads with :meth:`read` and writes with :meth:`write`."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = monotonic) -> None:
        """Take `config`; `clock` gives seconds, for the life of results."""
        super().__init__(config)
        self.results = Results(clock)

    @abstractmethod
    async def read(self, statement: Statement, bounds: Bounds) -> Rows:
        """Return all rows of a statement, which cannot write."""

    @abstractmethod
    async def write(self, statements: Sequence[Statement], bounds: Bounds) -> list[Outcome]:
        """Carry out all `statements` or none."""

    def check_link(self, link: Link) -> None:
        """Refuse a link with unknown configuration."""
        config_of(link)

    async def unlinked(self, link: Link) -> None:
        """Let go of the results of `link`."""
        self.results.forget(link)

    async def stop(self) -> None:
        """Let go of every result."""
        self.results.clear()

    async def query(self, link: Link, params: QueryParams) -> Page:
        """Return the first page of what a statement reads."""
        check_statement(params.statement)
        bounds = read_bounds(link, config_of(link), params.timeout_ms)
        rows = await self.read(Statement(params.statement, params.parameters), bounds)
        return self.results.first(link, rows, params.limit)

    async def next(self, link: Link, params: NextParams) -> Page:
        """Return the page at a cursor."""
        return self.results.next(link, params.cursor, params.limit)

    async def close(self, link: Link, params: CloseParams) -> None:
        """Let go of what is kept of a result."""
        self.results.close(link, params.cursor)

    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        """Carry out a statement in a transaction of its own."""
        statement = Statement(params.statement, params.parameters)
        (outcome,) = await self._write(link, [statement], params.timeout_ms)
        return outcome

    async def batch(self, link: Link, params: BatchParams) -> list[Outcome]:
        """Carry out statements in one transaction."""
        return await self._write(link, params.statements, params.timeout_ms)

    async def _write(
        self, link: Link, statements: Sequence[Statement], timeout_ms: int | None
    ) -> list[Outcome]:
        config = config_of(link)
        check_writable(link, config)
        for statement in statements:
            check_statement(statement.text)
        return await self.write(statements, write_bounds(link, config, timeout_ms))
