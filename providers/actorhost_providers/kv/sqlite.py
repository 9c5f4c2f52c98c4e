"""The key-value backend that keeps everything in one SQLite file.

One instance owns the file's connection and one thread that does all its work, in order; the event
loop only waits. At most 1,000 calls wait for it, those included whose caller went away: theirs are
left undone unless they had begun. The file survives the process; several hosts on one machine may
share it.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta

from actorhost import clock as clock_module
from actorhost.contracts.keyvalue import (
    DEFAULT_PAGE,
    DeleteParams,
    Entry,
    ExistsParams,
    GetManyParams,
    GetParams,
    IncrementParams,
    KeyPage,
    KeysParams,
    KeyValue,
    SetManyParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Config, Link
from actorhost.errors import Closed, Overloaded, ProviderFailed
from actorhost.telemetry.log import Log
from actorhost_providers.kv.bucket import take_page
from actorhost_providers.kv.link import PAGE_BYTES, bucket_of, check_link
from actorhost_providers.kv.sqlite_store import SqliteStore

T = TypeVar("T")

MIB: Final = 1024 * 1024
MAX_WAITING: Final = 1000
"""Calls that may wait for the thread."""
_TOLD_EACH: Final = 60.0
"""Seconds between two lines in the log about a file that fails calls."""
_log: Final = Log("actorhost.keyvalue")


class SqliteConfig(Config, frozen=True):
    """Configuration: the file, as seen from the host's working directory, and how large it may grow.

    ``synchronous`` is ``normal``, which survives the end of the process, or ``full``, which also
    survives a loss of power and costs a disk flush for each write.
    """

    path: Annotated[str, Meta(min_length=1)]
    max_bytes: Annotated[int, Meta(ge=MIB)] = 1024 * MIB
    synchronous: Literal["normal", "full"] = "normal"


def wall_seconds() -> float:
    """Return seconds since the Unix epoch: expiry must mean the same after a restart."""
    return clock_module.wall_ns() / 1e9


class SqliteKeyValue(KeyValue):
    """Buckets in a SQLite file; see the module."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = wall_seconds) -> None:
        """Take path and limits from `config`; `clock` gives seconds since the Unix epoch."""
        super().__init__(config)
        self._config = SqliteConfig.read(config, "provider keyvalue-sqlite")
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "actorhost-sqlite")
        self._store: SqliteStore | None = None
        # One is counted by the event loop's thread, the other by ours.
        self._sent = 0
        self._done = 0
        self._told_at: float | None = None

    def check_link(self, link: Link) -> None:
        """Refuse a link with unknown configuration."""
        check_link(link)

    async def start(self) -> None:
        """Open the file, or make it."""
        try:
            self._store = await self._in_thread(self._open)
        except (sqlite3.Error, OSError) as error:
            # The operator's, who is told the file; an actor is not.
            raise self._failed(error, f"{self._config.path}: {error}") from None

    async def stop(self) -> None:
        """Close the file, after what is under way."""
        store, self._store = self._store, None
        try:
            if store is not None:
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, store.close))
        finally:
            self._thread.shutdown(wait=False)

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        """Return the entry under a key."""
        (entry,) = await self._do(lambda store: store.get(bucket_of(link), [params.key]))
        return entry

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        """Store a value if the condition holds."""
        stored, revision = await self._do(lambda store: store.set(bucket_of(link), params))
        return SetOutcome(stored=stored, revision=revision)

    async def delete(self, link: Link, params: DeleteParams) -> bool:
        """Remove a key if the condition holds."""
        return await self._do(lambda store: store.delete(bucket_of(link), params.key, params.if_revision))

    async def exists(self, link: Link, params: ExistsParams) -> bool:
        """Return whether there is an entry under a key."""
        return await self.get(link, params) is not None

    async def increment(self, link: Link, params: IncrementParams) -> int:
        """Add to the number under a key."""
        return await self._do(lambda store: store.increment(bucket_of(link), params.key, params.delta))

    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        """Return the next page of keys; the cursor is the last key of the page."""
        limit = params.limit or DEFAULT_PAGE
        found = await self._do(
            lambda store: store.keys(bucket_of(link), params.prefix, params.cursor, limit + 1)
        )
        page, more = take_page(iter(found), limit, PAGE_BYTES)
        return KeyPage(page, page[-1] if more else None)

    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        """Return the entries under several keys."""
        return await self._do(lambda store: store.get(bucket_of(link), params.keys))

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        """Store several entries, all or none."""
        return await self._do(lambda store: store.set_many(bucket_of(link), params.entries))

    def _open(self) -> SqliteStore:
        path = Path(self._config.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        full = self._config.synchronous == "full"
        return SqliteStore(path, max_bytes=self._config.max_bytes, full_sync=full, clock=self._clock)

    async def _do(self, work: Callable[[SqliteStore], T]) -> T:
        store = self._store
        if store is None:
            raise Closed("the key-value store is not open")
        try:
            return await self._in_thread(lambda: work(store))
        except (sqlite3.Error, OSError) as error:
            self._tell(error)
            raise self._failed(error, f"the store did not do it: {error}") from None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._sent - self._done >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} calls wait for the store", hint="is its disk slow? retry later")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._sent += 1
        # Not loop.run_in_executor(): what is cancelled there stays in the queue, uncounted.
        self._thread.submit(self._carry_out, work, answer)
        return await answer

    def _carry_out(self, work: Callable[[], T], answer: asyncio.Future[T]) -> None:
        """Do `work` in the thread, unless its caller went away."""
        try:
            if answer.cancelled():
                return
            settle = functools.partial(_settle, answer, answer.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is the caller's, whatever it is
            settle = functools.partial(_settle, answer, answer.set_exception, error)
        finally:
            self._done += 1
        answer.get_loop().call_soon_threadsafe(settle)

    def _tell(self, error: Exception) -> None:
        """Say which file it is, as what an actor is told does not; not for each of its calls."""
        now = clock_module.monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_EACH:
            self._told_at = now
            _log.warning(
                "store failed", provider="keyvalue-sqlite", path=self._config.path, reason=str(error)
            )

    def _failed(self, error: Exception, what: str) -> ProviderFailed:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        full = code == sqlite3.SQLITE_FULL
        hint = (
            f"delete keys, or raise max_bytes ({self._config.max_bytes}) in the provider's configuration"
            if full
            else "look at the file, its disk and who else has it open"
        )
        failed = ProviderFailed(what, hint=hint)
        failed.retryable = code == sqlite3.SQLITE_BUSY
        failed.outcome_known = code != sqlite3.SQLITE_IOERR  # it may have come at the end of a commit
        return failed


def _settle(answer: asyncio.Future[T], settle: Callable[[Any], None], outcome: object) -> None:
    if not answer.done():
        settle(outcome)
