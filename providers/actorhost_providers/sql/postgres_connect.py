"""How connections to a PostgreSQL server are made and made as good as new, and when it is known to be away.

Owned by the pool of a provider and ended with it: a connection that nobody wants any more is dropped
once it is made, or ends with the time that making it may take. A server that went away is told of
once, and once more when it is back; calls find out, nobody asks it meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

import asyncpg

from actorhost.clock import monotonic
from actorhost.telemetry.log import Log
from actorhost_providers.sql.postgres_faults import reason

_RESET: Final = (
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL;"
    " DISCARD TEMP; DISCARD SEQUENCES;"
    " SELECT pg_catalog.pg_advisory_unlock_all(), pg_catalog.setseed({seed})"
)
"""Undoes what functions and statements can leave in a session, as DISCARD ALL does, which has to be
sent alone and would drop the plans of functions, too; and makes random() no actor's to foretell."""

_log: Final = Log("actorhost.sql")


class Connector:
    """Makes connections to the server `shown`; see the module."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._met = False
        self._away_since: float | None = None

    async def connect(self, *args: Any, **options: Any) -> Any:
        """Return a new connection; a caller that goes away does not cut it in the making.

        asyncpg would log a complaint about each of those. It ends by itself, as connecting has a time-out.
        """
        making = _Making()
        try:
            await asyncio.shield(making.make(self, *args, **options))
        except asyncio.CancelledError:
            making.give_up()
            raise
        return making.connection

    def failed(self, error: BaseException) -> None:
        """Take note that a connection could not be made; at the start whoever starts tells of that."""
        if self._met and self._away_since is None:
            self._away_since = monotonic()
            _log.warning("no connection to postgresql", server=self._shown, reason=reason(error))

    def made(self) -> None:
        """Take note that the server answers."""
        self._met = True
        if self._away_since is not None:
            away = round(monotonic() - self._away_since, 1)
            self._away_since = None
            _log.warning("connection to postgresql restored", server=self._shown, away_s=away)


class _Making:
    """A connection that is being made; whoever wants it may give up."""

    def __init__(self) -> None:
        self.connection: Any = None
        self._given_up = False

    async def make(self, connector: Connector, *args: Any, **options: Any) -> None:
        """Make it, or drop it when nobody wants it any more."""
        try:
            connection = await asyncpg.connect(*args, **options)
        except Exception as error:
            connector.failed(error)
            if self._given_up:  # nobody is left to be told
                return
            raise
        connector.made()
        if self._given_up:
            connection.terminate()
        else:
            self.connection = connection

    def give_up(self) -> None:
        """Have it dropped."""
        self._given_up = True
        if self.connection is not None:
            self.connection.terminate()


async def reset(connection: Any) -> None:
    """Make `connection` as good as new for the next call."""
    # asyncpg asks pg_type in the session for types it does not know, where a temporary table may answer.
    connection.get_settings().clear_type_cache()
    await connection.execute(_RESET.format(seed=random.uniform(-1, 1)))  # noqa: S311 - as much as SQL's random()
