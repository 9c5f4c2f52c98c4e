"""The SQL backend on SQLite: a file, or the host's memory.

One instance owns the connections and their threads: one that writes, for a file four that read
beside it, and those that stand in for a thread that cannot be ended. A file survives the process,
several hosts of one machine may share it; memory is gone with the provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta

from actorhost.clock import monotonic
from actorhost.contracts.provider import Config
from actorhost.contracts.sql import Outcome, Statement
from actorhost.errors import Closed, ProviderFailed
from actorhost_providers.sql.backend import SqlBackend
from actorhost_providers.sql.link import MIB, Bounds
from actorhost_providers.sql.rows import Rows
from actorhost_providers.sql.sqlite_database import SqliteDatabase
from actorhost_providers.sql.sqlite_workers import Workers

MEMORY: Final = ":memory:"
_READERS: Final = 4
_IN_MEMORY: Final = 256 * MIB
"""Bytes of a database in memory, unless configured."""


class SqliteConfig(Config, frozen=True, rename="kebab"):
    """Configuration: the file, as seen from the host's working directory, or ``:memory:``.

    ``max-bytes`` is how large the database may become; in memory 256 MiB unless given, a file any.
    """

    path: Annotated[str, Meta(min_length=1)] = MEMORY
    max_bytes: Annotated[int, Meta(ge=MIB)] | None = None


class SqliteSql(SqlBackend):
    """A SQLite database; see the module."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = monotonic) -> None:
        """Take the path from `config`; `clock` gives seconds, for the life of results."""
        super().__init__(config, clock)
        settings = SqliteConfig.read(config, "provider sql-sqlite")
        self._path = settings.path
        self._most = settings.max_bytes
        self._writer: Workers | None = None
        self._readers: Workers | None = None

    async def start(self) -> None:
        """Open the file, or make it."""
        writer, readers = await asyncio.to_thread(self._open)
        if readers:
            self._writer = Workers(self._path, [writer], lambda: self._connection(reader=False))
            self._readers = Workers(self._path, readers, lambda: self._connection(reader=True))
        else:
            # In memory there is one connection, which has the data: no other can stand in for it.
            self._writer = self._readers = Workers(self._path, [writer])

    async def stop(self) -> None:
        """Stop what is under way, close the file, let go of every result."""
        workers = [each for each in (self._readers, self._writer) if each is not None]
        self._readers = self._writer = None
        try:
            for each in dict.fromkeys(workers):
                await each.close()
        finally:
            await super().stop()

    async def read(self, statement: Statement, bounds: Bounds) -> Rows:
        """Return all rows of a statement, on a connection that cannot write."""
        readers = self._open_or_closed(self._readers)
        return await readers.do(
            lambda database, stopped: database.read(statement, bounds, stopped), bounds, writes=False
        )

    async def write(self, statements: Sequence[Statement], bounds: Bounds) -> list[Outcome]:
        """Carry out all `statements` or none."""
        writer = self._open_or_closed(self._writer)
        return await writer.do(
            lambda database, stopped: database.write(statements, bounds, stopped), bounds, writes=True
        )

    def _open_or_closed(self, workers: Workers | None) -> Workers:
        if workers is None:
            raise Closed("the database is not open")
        return workers

    def _open(self) -> tuple[SqliteDatabase, list[SqliteDatabase]]:
        if self._path == MEMORY:
            return SqliteDatabase("file::memory:", most=self._most or _IN_MEMORY), []
        path = Path(self._path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProviderFailed(f"{self._path}: {error}", hint="look at the path and its rights") from None
        opened: list[SqliteDatabase] = []
        try:
            for reader in (False, *[True] * _READERS):
                opened.append(self._connection(reader=reader))  # noqa: PERF401 - those before an error are closed
        except BaseException as error:
            for each in opened:
                each.close()
            if isinstance(error, ProviderFailed):
                failed = ProviderFailed(f"{self._path}: {error}", hint=error.hint)
                failed.retryable = error.retryable
                raise failed from None
            raise
        return opened[0], opened[1:]

    def _connection(self, *, reader: bool) -> SqliteDatabase:
        uri = f"file:{quote(str(Path(self._path)))}?mode={'ro' if reader else 'rwc'}"
        return SqliteDatabase(uri, reader=reader, most=self._most)
