"""The SQL backends as the tests run them: each with a server or file of its own, gone at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from actorhost.contracts.sql import Sql
from actorhost.testing.clock import ManualClock
from actorhost_providers.sql.postgres import PostgresSql
from actorhost_providers.sql.sqlite import SqliteSql
from tests.servers import open_folder, postgres_server

Backend = Callable[[Path, ManualClock], AbstractAsyncContextManager[Sql]]
"""Runs a backend that keeps to a folder, and whose results live by that clock."""


@asynccontextmanager
async def started(backend: Sql) -> AsyncIterator[Sql]:
    """Start and stop `backend` as a host does."""
    try:
        await backend.start()
        yield backend
    finally:
        await backend.stop()


@asynccontextmanager
async def _memory(_folder: Path, clock: ManualClock) -> AsyncIterator[Sql]:
    async with started(SqliteSql({}, clock)) as backend:
        yield backend


@asynccontextmanager
async def _sqlite(folder: Path, clock: ManualClock) -> AsyncIterator[Sql]:
    async with started(SqliteSql({"path": str(folder / "sql.db")}, clock)) as backend:
        yield backend


@asynccontextmanager
async def _postgres(_folder: Path, clock: ManualClock) -> AsyncIterator[Sql]:
    with open_folder() as folder:
        async with (
            postgres_server(folder) as server,
            started(PostgresSql({"url": server.url}, clock)) as backend,
        ):
            yield backend


BACKENDS: Final[dict[str, Backend]] = {
    "sqlite-memory": _memory,
    "sqlite-file": _sqlite,
    "postgres": _postgres,
}
