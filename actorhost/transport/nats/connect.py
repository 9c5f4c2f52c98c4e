"""Opens a connection to a NATS server, or says within a deadline why there is none.

The connection is owned by the caller; nothing is left behind by a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from actorhost.errors import InvalidInput, ServerUnavailable
from actorhost.transport.nats.connection import Connection

RECONNECT_WAIT: Final = 0.25
"""Seconds between attempts to reach the same server again."""
PING_INTERVAL: Final = 0.5
"""Seconds between pings; a server that says nothing to three is given up, within 2 s."""
_MISSED_PINGS: Final = 3
_AGAIN: Final = 0.3
"""Share of the time-out of the first connection that each step of a later one may take.

An attempt that fell into a hole must not go on long after the network is back: 1.5 s by default.
"""
_NEVER_FORCE: Final = 1 << 62
"""Keeps nats-py from forcing a flush itself: that wait has no deadline and swallows cancellation."""


def parse_servers(url: str) -> tuple[str, ...]:
    """Return the server addresses in `url`, separated by commas, or raise :class:`InvalidInput`."""
    return tuple(_parse_server(part.strip()) for part in url.split(","))


def without_password(server: str) -> str:
    """Return the address `server` as it may be shown."""
    scheme, _, rest = server.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


async def connect(connection: Connection, servers: Sequence[str], *, name: str, timeout: float) -> None:
    """Open `connection`, which replaces itself for ever when it breaks.

    Raises :class:`ServerUnavailable` as soon as each server has refused once, or after `timeout`
    seconds.
    """
    failures: list[Exception] = []
    opening = True

    async def report(error: Exception) -> None:
        if not opening:
            connection.events.error(error)
            return
        failures.append(error)
        if len(failures) >= len(servers):
            scope.reschedule(0)

    try:
        async with asyncio.timeout(timeout) as scope:
            await connection.connect(
                list(servers),
                name=name,
                error_cb=report,
                reconnected_cb=connection.events.restored,
                connect_timeout=timeout,  # type: ignore[arg-type]  # handed to asyncio as it is
                reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type]  # likewise
                max_reconnect_attempts=-1,
                ping_interval=PING_INTERVAL,  # type: ignore[arg-type]  # likewise
                max_outstanding_pings=_MISSED_PINGS,
                pending_size=_NEVER_FORCE,
                skip_subject_validation=True,
            )
    except TimeoutError:
        await connection.shut()
        raise unavailable(servers, failures, timeout) from None
    except BaseException:
        await connection.shut()
        raise
    opening = False
    connection.options["connect_timeout"] = _AGAIN * timeout


def unavailable(servers: Sequence[str], failures: Sequence[Exception], timeout: float) -> ServerUnavailable:
    """Return the error that says why none of `servers` could be used."""
    shown = ", ".join(without_password(server) for server in servers)
    reason = "; ".join(dict.fromkeys(str(failure) or type(failure).__name__ for failure in failures))
    return ServerUnavailable(
        f"no NATS server at {shown}: {reason or f'no answer within {timeout:.3g} s'}",
        hint="is it running, is the address right, and do the credentials fit?",
    )


def _parse_server(text: str) -> str:
    server = text if "://" in text else f"nats://{text}"
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("nats", "tls") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise InvalidInput(
            f"{without_password(server)!r} is not the address of a NATS server",
            hint="use nats://HOST:PORT or tls://HOST:PORT, several separated by commas",
        )
    return server
