"""The SQL backend on a PostgreSQL server (14 or newer).

One instance owns its pool of connections; the data is the server's. Every call is a transaction
of its own on one connection, which is as good as new for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from actorhost.clock import monotonic
from actorhost.contracts.config import Rules
from actorhost.contracts.provider import Config
from actorhost.contracts.sql import Outcome, Statement
from actorhost.errors import BadRequest
from actorhost_providers.sql.backend import SqlBackend
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.postgres_server import PostgresServer, shown_address
from actorhost_providers.sql.postgres_values import check_kind
from actorhost_providers.sql.rows import Rows, decoded
from actorhost_providers.sql.statement import PLACEHOLDERS, first_word, given

_FIRST_FETCH: Final = 16
"""Rows fetched before it is known how large they are."""
_FETCH_BYTES: Final = 256 * 1024
"""What a later fetch brings, about."""
_COUNTED: Final = frozenset(["DELETE", "INSERT", "MERGE", "UPDATE", "WITH"])
"""Statements of which each row returned is a row affected."""


class PostgresConfig(Config, frozen=True):
    """Configuration: the server's address and how many connections to it at most.

    ``url`` may hold a password, so write a reference: ``env:DATABASE_URL`` or ``file:/run/secrets/db``.
    """

    url: Annotated[str, Meta(min_length=1)]
    pool: Annotated[int, Meta(ge=1, le=100)] = 8

    rules: ClassVar[Rules] = MappingProxyType({"url": shown_address})


class PostgresSql(SqlBackend):
    """A database of a PostgreSQL server; see the module."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = monotonic) -> None:
        """Take the address from `config`; `clock` gives seconds, for the life of results."""
        super().__init__(config, clock)
        settings = PostgresConfig.read(config, "provider sql-postgres")
        self._server = PostgresServer(settings.url, pool=settings.pool)

    async def start(self) -> None:
        """Make sure that the server answers."""
        await self._server.start()

    async def stop(self) -> None:
        """Close every connection, let go of every result."""
        try:
            await self._server.close()
        finally:
            await super().stop()

    async def read(self, statement: Statement, bounds: Bounds) -> Rows:
        """Return all rows of a statement, in a transaction that cannot write."""

        async def work(connection: Any) -> Rows:
            rows = Rows((), bounds)
            await _run(connection, statement, rows)
            return rows

        return await self._server.transact(work, bounds, writes=False)

    async def write(self, statements: Sequence[Statement], bounds: Bounds) -> list[Outcome]:
        """Carry out all `statements` or none."""

        async def work(connection: Any) -> list[Outcome]:
            outcomes: list[Outcome] = []
            rows = Rows((), bounds)
            for statement in statements:
                already = len(rows.encoded)
                affected = await _run(connection, statement, rows)
                outcomes.append(Outcome(affected, rows.columns, decoded(rows.encoded[already:])))
            return outcomes

        return await self._server.transact(work, bounds, writes=True)


async def _run(connection: Any, statement: Statement, rows: Rows) -> int:
    """Carry out one statement into `rows`; return how many rows it affected."""
    prepared = await connection.prepare(statement.text)
    _check(prepared.get_parameters(), statement.parameters)
    rows.head([attribute.name for attribute in prepared.get_attributes()])
    if not rows.columns:
        # One row at most: a statement may return any number of rows without a column.
        await prepared.fetchrow(*statement.parameters)
        return _affected(prepared.get_statusmsg())
    returned = await _fetch(await prepared.cursor(*statement.parameters), rows)
    return returned if first_word(statement.text) in _COUNTED else 0


async def _fetch(cursor: Any, rows: Rows) -> int:
    """Fetch what a statement returns, in portions, so that a huge result ends at its bound."""
    begun, already, portion = len(rows.encoded), rows.size, _FIRST_FETCH
    while records := await cursor.fetch(portion):
        for record in records:
            rows.add(tuple(record))
        if len(records) < portion:
            break
        average = (rows.size - already) // (len(rows.encoded) - begun)
        portion = max(1, min(1000, _FETCH_BYTES // average))
    return len(rows.encoded) - begun


def _check(wanted: Sequence[Any], values: Sequence[object]) -> None:
    if len(wanted) != len(values):
        taken = "none" if not wanted else "only $1" if len(wanted) == 1 else f"$1 to ${len(wanted)}"
        raise BadRequest(f"the statement takes {taken}, and {given(len(values))}", hint=PLACEHOLDERS)
    for number, (value, kind) in enumerate(zip(values, wanted, strict=True), 1):
        check_kind(value, kind.name, number)


def _affected(status: str | None) -> int:
    """Return the rows affected by a command tag such as ``INSERT 0 3``; of ``SELECT 3`` there are none."""
    words = (status or "").split()
    counted = len(words) > 1 and words[0] in _COUNTED and words[-1].isdecimal()
    return int(words[-1]) if counted else 0
