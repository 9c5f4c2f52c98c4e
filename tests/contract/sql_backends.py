"""The SQL backends as the tests run them: each with a server or file of its own, gone at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from actorhost.clock import monotonic
from actorhost.contracts.sql import Sql
from actorhost.manifest import Place
from actorhost.testing.conformance.sql_case import SqlCase
from actorhost_providers.sql.postgres import PostgresSql
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.places import placed, started
from tests.servers import PostgresServer, open_folder, postgres_server

Backend = Callable[[Path, Place], AbstractAsyncContextManager[Sql]]
"""Runs a backend that keeps to a folder, in the host or in a process of its own."""


class Shift:
    """Seconds by which the clock of a backend is ahead, in a file: it may be in another process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def wait(self, seconds: float) -> None:
        self._path.write_text(str(self.seconds() + seconds))

    def seconds(self) -> float:
        return float(self._path.read_text()) if self._path.exists() else 0.0


def _shifted(config: Mapping[str, object]) -> tuple[dict[str, object], Callable[[], float]]:
    """Return `config` without ``clock``, and the clock that is shifted by what is in that file."""
    shift = Shift(Path(str(config["clock"])))
    own = {name: value for name, value in config.items() if name != "clock"}
    return own, lambda: monotonic() + shift.seconds()


class ShiftedSqlite(SqliteSql):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(*_shifted(config))
        self.config = config


class ShiftedPostgres(PostgresSql):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(*_shifted(config))
        self.config = config


def clock_file(folder: Path) -> Path:
    """Return where the shift of the clock is, for the backend that keeps to `folder`."""
    return folder / "clock"


@asynccontextmanager
async def _memory(folder: Path, place: Place) -> AsyncIterator[Sql]:
    async with placed(ShiftedSqlite({"clock": str(clock_file(folder))}), place, folder) as backend:
        yield backend


@asynccontextmanager
async def _sqlite(folder: Path, place: Place) -> AsyncIterator[Sql]:
    config = {"path": str(folder / "sql.db"), "clock": str(clock_file(folder))}
    async with placed(ShiftedSqlite(config), place, folder) as backend:
        yield backend


@asynccontextmanager
async def _postgres(folder: Path, place: Place) -> AsyncIterator[Sql]:
    with open_folder() as home:
        async with postgres_server(home) as server:
            config = {"url": server.url, "clock": str(clock_file(folder))}
            async with placed(ShiftedPostgres(config), place, folder) as backend:
                yield backend


BACKENDS: Final[dict[str, Backend]] = {
    "sqlite-memory": _memory,
    "sqlite-file": _sqlite,
    "postgres": _postgres,
}


@asynccontextmanager
async def running_postgres(pool: int = 8) -> AsyncIterator[tuple[PostgresServer, SqlCase]]:
    """Run a PostgreSQL server and a backend on it, for what no other backend has."""
    with open_folder() as folder:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(postgres_server(folder))
            backend = PostgresSql({"url": server.url, "pool": pool})
            yield server, SqlCase(await stack.enter_async_context(started(backend)))
