"""How often one client may ask: the generic cell rate algorithm of ITU-T I.371, a timestamp for each client.

Owned by a route, for as long as that is served; a restart forgets. Clients are addresses, those of IPv6 by
their first 64 bits, as one network hands out the rest.
"""

from __future__ import annotations

import functools
from ipaddress import ip_network
from typing import Final

_CLIENTS: Final = 10_000
"""Clients that are remembered at most; those that asked least lately are forgotten first."""


class Allowance:
    """Lets each client ask `rate` times a second, and as often at once as it may in a second."""

    __slots__ = ("_due", "_interval", "_tolerance")

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._tolerance = max(0.0, 1.0 - self._interval)
        self._due: dict[str, float] = {}

    def wait(self, peer: str, now: float) -> float:
        """Return 0 and count a request of address `peer`, or the seconds until it may ask again."""
        client = _client(peer)
        due = max(now, self._due.pop(client, now))
        early = due - now - self._tolerance
        self._due[client] = due if early > 0 else due + self._interval
        if len(self._due) > _CLIENTS:
            del self._due[next(iter(self._due))]
        return max(0.0, early)


@functools.lru_cache(maxsize=1024)
def _client(peer: str) -> str:
    if ":" not in peer:
        return peer
    try:
        return str(ip_network((peer.partition("%")[0], 64), strict=False))
    except ValueError:
        return peer
