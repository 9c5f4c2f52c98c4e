"""Tries how soon a NATS server gives up a client that has fallen silent, by being one.

What a server is configured to do cannot be asked, and on a connection in use it does not show: a
server pings only where nothing came for a while.
"""

from __future__ import annotations

import asyncio
from typing import Any

from actorhost.transport.nats.connect import connect, parse_servers
from actorhost.transport.nats.connection import Connection, Events


class _Silent(Connection):
    """Says nothing of its own accord once it is connected, and answers no ping."""

    async def _process_ping(self) -> None:
        pass

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:  # noqa: ARG002
        # Nothing is sent, so nothing is missed, either: it is the server that is to give up.
        self._pings_outstanding = 0


async def drops_silent(url: str, *, name: str, timeout: float, within: float) -> bool:
    """Return whether the server at `url` gives up a silent client `within` so many seconds.

    Raises :class:`ServerUnavailable` when there is no connection after `timeout` seconds.
    """
    dropped = asyncio.Event()

    async def restored() -> None:
        pass

    connection = _Silent(Events(lost=dropped.set, restored=restored, error=lambda _error: None))
    await connect(connection, parse_servers(url), name=name, timeout=timeout)
    try:
        async with asyncio.timeout(within):
            await dropped.wait()
    except TimeoutError:
        return False
    finally:
        await connection.shut()
    return True
