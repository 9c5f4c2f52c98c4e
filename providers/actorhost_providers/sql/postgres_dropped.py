"""Sessions whose connection was dropped in the middle of a statement, and their end on the server.

Owned by the pool of a provider and ended with it. A server notices by itself that a connection is
gone, within half a second; but a statement may switch that off and catch its own cancellation, and
would keep its session, locks and all, for ever. So the next connection in use ends what was dropped
before, as any role may end its own sessions. What could not be ended yet is tried again.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any, Final

import asyncpg

from actorhost.clock import monotonic

_MOST: Final = 1000
"""Sessions that are remembered; a server has fewer."""
_END: Final = (
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
    " WHERE pid = $1 AND backend_start < pg_catalog.now() - pg_catalog.make_interval(secs => $2)"
)
"""Ends session $1 if it was there $2 seconds ago: its number may have been given to another since."""


class Dropped:
    """The dropped sessions of one pool, by their number on the server."""

    def __init__(self) -> None:
        self._sessions: deque[tuple[int, float]] = deque(maxlen=_MOST)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._sessions)

    def drop(self, connection: Any) -> None:
        """Close `connection`, an asyncpg one, at once and remember its session."""
        if not connection.is_closed():
            self._sessions.append((connection.get_server_pid(), monotonic()))
            connection.terminate()

    async def end(self, connection: Any) -> None:
        """End those sessions over `connection`, outside of a transaction."""
        while self._sessions:
            pid, since = session = self._sessions.popleft()
            try:
                with suppress(asyncpg.PostgresError):  # not ours to end: whatever it is, it is not ours
                    await connection.fetch(_END, pid, monotonic() - since)
            except BaseException:
                self._sessions.append(session)
                raise
