"""How messages travel between processes: one protocol, over NATS or within this process.

What every transport promises is in :mod:`~actorhost.transport.base`; one test suite holds both to it.
"""

from __future__ import annotations

from actorhost.transport.base import Handler, Subscription, Transport, TransportStatistics
from actorhost.transport.memory import MemoryBus, MemoryTransport
from actorhost.transport.nats import NatsTransport, drops_silent
from actorhost.transport.server import NatsServer

__all__ = [
    "Handler",
    "MemoryBus",
    "MemoryTransport",
    "NatsServer",
    "NatsTransport",
    "Subscription",
    "Transport",
    "TransportStatistics",
    "drops_silent",
]
