"""Warns about a NATS server, not of our own making, that keeps a vanished host in its queue groups.

A host that freezes is cut off by its own guard. One whose machine or network goes is the server's to
notice, by pings, and what those are set to can only be tried.
"""

from __future__ import annotations

from typing import Final

from actorhost.errors import ServerUnavailable
from actorhost.limits import Limits
from actorhost.telemetry.log import Log
from actorhost.transport import drops_silent

_WITHIN: Final = 3.0
"""Seconds after which a host that has vanished should get no more calls."""

_log: Final = Log("actorhost.host")


async def examine(url: str, limits: Limits) -> None:
    """Warn if the server at `url` does not give up a silent client in time."""
    try:
        dropped = await drops_silent(
            url, name="actorhost-examination", timeout=limits.connect_timeout, within=_WITHIN
        )
    except ServerUnavailable:
        # The host's own connection has told, and tells when it is back.
        return
    if not dropped:
        _log.warning(
            f"the NATS server keeps silent clients for more than {_WITHIN:g} s: while a host's machine or"
            " network is away, calls sent to it are lost",
            hint='set ping_interval: "1s" and ping_max: 1 in the configuration of the NATS server',
        )
