"""Runs scripts on a Redis or Valkey server, and says what is known when that fails.

Owned by the provider: at most 32 connections, made when needed and again after they broke. A call
that is cancelled drops its connection, as an answer may still be on its way there. Each wait for
the server ends at the time-out. A server that went away is told of once in the log, with its address,
which no actor is told, and once more when it is back.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from actorhost.clock import monotonic
from actorhost.errors import OutcomeUnknown, ProviderFailed, ProviderRefused
from actorhost.telemetry.log import Log

_CONNECTIONS: Final = 32
_LOST: Final = (RedisConnectionError, RedisTimeoutError, OSError)
_log: Final = Log("actorhost.keyvalue")


def check_address(url: str) -> None:
    """Raise :class:`ProviderRefused` for what is no Redis URL."""
    try:
        BlockingConnectionPool.from_url(url)
    except ValueError:
        # The text of the error may hold the URL, and the URL a password.
        known = url.partition("://")[0] in ("redis", "rediss", "unix")
        raise ProviderRefused(
            f"no address of a Redis server: {'a part is wrong' if known else 'it has another scheme'}",
            hint="use redis://HOST:PORT/DATABASE, rediss:// with TLS, or unix://PATH",
        ) from None


class RedisConnection:
    """Connections to the server at `url`; `timeout` in seconds bounds each wait for it."""

    def __init__(self, url: str, *, timeout: float) -> None:
        """Take an address, which :func:`check_address` has judged; connects to nothing yet."""
        self._url = url
        self._timeout = timeout
        self._met = False
        self._away_since: float | None = None

    @cached_property
    def _pool(self) -> BlockingConnectionPool:
        return BlockingConnectionPool.from_url(
            self._url,
            max_connections=_CONNECTIONS,
            timeout=self._timeout,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=None,
            health_check_interval=0,
        )

    @property
    def _shown(self) -> str:
        options = self._pool.connection_kwargs
        return str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")

    async def check(self) -> None:
        """Raise :class:`ProviderFailed` when the server does not answer."""
        await self._execute(("PING",), writes=False)
        self._met = True

    async def run(self, script: str, prefix: str, arguments: Sequence[object], *, writes: bool) -> Any:
        """Return what `script` answers for the bucket with that `prefix`.

        Raises :class:`ProviderFailed` when nothing was done, and :class:`OutcomeUnknown` when the
        server went away after it was sent something that `writes`.
        """
        tail = (1, prefix, *arguments)
        try:
            return await self._execute(("EVALSHA", _digest(script), *tail), writes=writes)
        except NoScriptError:
            return await self._execute(("EVAL", script, *tail), writes=writes)

    async def close(self) -> None:
        """Drop every connection."""
        await self._pool.disconnect()

    async def _execute(self, command: tuple[Any, ...], *, writes: bool) -> Any:
        try:
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        except _LOST as error:
            raise self._failed(error, retryable=not isinstance(error, AuthenticationError)) from None
        except RedisError as error:
            raise self._failed(error, retryable=False) from None
        try:
            await connection.send_command(*command)
            answer = await connection.read_response()
        except NoScriptError:
            raise
        except (BusyLoadingError, ReadOnlyError) as error:
            # An answer: starting, or no longer the one that takes writes. Another connection may find that.
            await connection.disconnect(nowait=True)
            raise self._failed(error) from None
        except ResponseError as error:
            raise self._failed(error, retryable=False) from None
        except BaseException as error:
            await connection.disconnect(nowait=True)
            if isinstance(error, _LOST):
                raise (self._unknown(error) if writes else self._failed(error)) from None
            raise
        else:
            if self._away_since is not None:
                self._tell_back(self._away_since)
            return answer
        finally:
            await self._pool.release(connection)

    def _failed(self, error: Exception, *, retryable: bool = True) -> ProviderFailed:
        if self._met:
            self._tell_away(error)
            failed = ProviderFailed(
                f"the Redis server did not do it: {_told(error)}",
                hint="the log of the provider may say more; retry where that may help",
            )
        else:
            failed = ProviderFailed(
                f"the Redis server at {self._shown} did not do it: {_reason(error)}",
                hint="is it running, is the address right, and do the credentials fit?",
            )
        failed.retryable = retryable
        return failed

    def _unknown(self, error: Exception) -> OutcomeUnknown:
        self._tell_away(error)
        return OutcomeUnknown(
            f"the Redis server went away during a write: {_told(error)}",
            hint="it may have been done; look before writing again, or write with a condition",
        )

    def _tell_away(self, error: Exception) -> None:
        if self._away_since is None and isinstance(error, _LOST):
            self._away_since = monotonic()
            _log.warning("redis does not serve", server=self._shown, reason=_reason(error))

    def _tell_back(self, since: float) -> None:
        self._away_since = None
        _log.warning("redis serves again", server=self._shown, away_s=round(monotonic() - since, 1))


@functools.cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _told(error: Exception) -> str:
    """Return what an actor is told of `error`: its text may name the server's address or user."""
    if isinstance(error, AuthenticationError | NoPermissionError):
        return "it refuses the provider"
    if isinstance(error, RedisTimeoutError):
        return "it did not answer in time"
    return "there is no connection" if isinstance(error, _LOST) else _reason(error)


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
