"""Transactions on a PostgreSQL server, over a pool of connections, within a time.

Owned by the provider, ended by :meth:`PostgresServer.close`. A call that is cut off drops its
connection instead of waiting for the server to agree, which rolls back what it did; the server
notices that within half a second, and the next call sees to it. Every wait for the server ends with
the call's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from actorhost.clock import monotonic
from actorhost.errors import (
    ActorhostError,
    Closed,
    OutcomeUnknown,
    Overloaded,
    ProviderRefused,
)
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.postgres_bounds import Bounded
from actorhost_providers.sql.postgres_connect import Connector, reset
from actorhost_providers.sql.postgres_dropped import Dropped
from actorhost_providers.sql.postgres_faults import (
    FOREIGN,
    RAISE_POOL,
    cancelled,
    failed,
    not_started,
    timed_out,
    translated,
    unreachable,
)
from actorhost_providers.sql.postgres_values import prepare

T = TypeVar("T")

MAX_WAITING: Final = 1000
"""Calls that may have or wait for a connection."""
_CONNECT: Final = 4.0
"""Seconds that making a connection may take: less than a host gives a provider to start."""
_TLS_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_GRACE: Final = 0.25
"""Seconds that the server gets to end a statement itself, which keeps the connection."""


@dataclass(slots=True)
class _Progress:
    """How far a call got: `waited` is after how many seconds it had the connection that was `free`."""

    began: float
    free: bool = False
    waited: float | None = None
    committing: bool = False
    received: Bounded | None = None


class PostgresServer:
    """The server at `url`, over at most `pool` connections."""

    def __init__(self, url: str, *, pool: int) -> None:
        """Take an address, which :func:`shown_address` has judged; connects to nothing yet."""
        self._url = url
        self._most = pool
        self._pool: Any = None
        self._calls = 0
        self._free = asyncio.Semaphore(pool)
        self._dropped = Dropped()

    @cached_property
    def _shown(self) -> str:
        return shown_address(self._url)

    async def start(self) -> None:
        """Make sure that the server answers; raises :class:`~actorhost.errors.ProviderFailed`."""
        try:
            async with asyncio.timeout(_CONNECT):
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, init_size=1, max_size=self._most, timeout=_CONNECT,
                    statement_cache_size=0, connect=Connector(self._shown).connect, init=prepare, reset=reset,
                    server_settings={"application_name": "actorhost"},
                )  # fmt: skip
        except asyncpg.exceptions.ClientConfigurationError:
            raise _refused("it is not well-formed") from None
        except (*FOREIGN, TimeoutError) as error:
            raise not_started(error, self._shown) from None

    async def close(self) -> None:
        """Close every connection, in peace if that is quick."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(1.0):
                if self._dropped:
                    with suppress(*FOREIGN):
                        async with pool.acquire() as connection:
                            await self._dropped.end(connection)
                await pool.close()
        except TimeoutError:
            pool.terminate()

    async def transact(self, work: Callable[[Any], Awaitable[T]], bounds: Bounds, *, writes: bool) -> T:
        """Return what `work` does with a connection, in a transaction that is kept if `writes`.

        Raises :class:`CallTimeout` after the seconds of `bounds`, having changed nothing,
        :class:`OutcomeUnknown` when that or worse happened during a commit,
        :class:`~actorhost.errors.TooLarge`, and what ``translated`` makes of other errors.
        """
        seconds = bounds.seconds
        if self._pool is None:
            raise Closed("the database is not open")
        if self._calls >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} calls wait for the database", hint="retry later")
        progress = _Progress(monotonic())
        scope = asyncio.timeout(seconds)
        self._calls += 1
        try:
            async with scope, self._connection(progress) as connection:
                progress.waited = monotonic() - progress.began
                scope.reschedule(asyncio.get_running_loop().time() + seconds - progress.waited + _GRACE)
                progress.received = Bounded.around(connection)
                progress.received.allow(bounds)
                if self._dropped:
                    await self._dropped.end(connection)
                await connection.execute(_begin(seconds - progress.waited, writes=writes))
                result = await work(connection)
                progress.committing = writes
                # A reading transaction keeps nothing, not even what the server lets it write.
                await connection.execute("COMMIT" if writes else "ROLLBACK")
                return result
        except (ActorhostError, *FOREIGN) as error:
            if isinstance(error, TimeoutError) and scope.expired():
                raise self._timed_out(seconds, progress) from None
            if progress.received and progress.received.refusal and not progress.committing:
                raise progress.received.refusal from None
            if cancelled(error) and monotonic() - progress.began < 0.9 * seconds:
                raise failed(error) from None  # by somebody else, not for its time
            raise translated(
                error, seconds=seconds, waited=progress.waited or 0.0, committing=progress.committing
            ) from None
        finally:
            self._calls -= 1

    @asynccontextmanager
    async def _connection(self, progress: _Progress) -> AsyncIterator[Any]:
        """Lend a connection, when one is free; drop it unless the body left it between two statements.

        The pool never has a call wait, so what goes by there is the making of a connection.
        """
        async with self._free:
            progress.free = True
            async with self._acquired() as connection:
                yield connection

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        pool = self._pool
        if pool is None:
            raise Closed("the database was closed meanwhile; nothing was done")
        try:
            connection = await pool.acquire()
        except FOREIGN as error:
            raise unreachable(error) from None
        try:
            try:
                yield connection
            except (ActorhostError, asyncpg.PostgresError, asyncpg.InterfaceError):
                with suppress(asyncpg.InterfaceError):  # one that was lost has left the pool already
                    if not connection.is_closed():
                        await connection.execute("ROLLBACK")
                raise
        except BaseException as error:
            if not isinstance(error, ActorhostError | asyncpg.PostgresError | asyncpg.InterfaceError):
                self._dropped.drop(connection)
            raise
        finally:
            await pool.release(connection, timeout=_CONNECT)

    def _timed_out(self, seconds: float, progress: _Progress) -> ActorhostError:
        if progress.committing:
            return OutcomeUnknown(
                "the PostgreSQL server did not confirm a commit in time",
                hint="it may have been done; look before writing again",
            )
        if progress.waited is not None:
            return timed_out(seconds, progress.waited)
        if not progress.free:
            return Overloaded(
                f"all {self._most} connections were in use for {seconds:g} s; nothing was done",
                hint=RAISE_POOL,
            )
        return unreachable(TimeoutError())


def _begin(seconds: float, *, writes: bool) -> str:
    """Return what begins a transaction; the settings are for it alone.

    They are set by a query, after which a read-only transaction cannot be made one that writes.
    """
    return (
        f"BEGIN {'READ WRITE' if writes else 'READ ONLY'};"
        f" SELECT pg_catalog.set_config('statement_timeout', '{max(1, int(seconds * 1000))}', true),"
        " pg_catalog.set_config('client_connection_check_interval', '500', true)"
    )


def shown_address(url: str) -> str:
    """Return host, port and database of `url`; raises :class:`ProviderRefused` for what is no such URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("it is not well-formed") from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise _refused("it has another scheme")
    for mode in parse_qs(parts.query).get("sslmode", ()):
        if mode.replace("_", "-") not in _TLS_MODES:
            raise _refused(f"its sslmode is none of {', '.join(_TLS_MODES)}")
    return f"{parts.hostname or 'localhost'}:{port or 5432}{parts.path}"


def _refused(why: str) -> ProviderRefused:
    # Never the URL itself: it may hold a password.
    return ProviderRefused(
        f"no address of a PostgreSQL server: {why}",
        hint="use postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    )
