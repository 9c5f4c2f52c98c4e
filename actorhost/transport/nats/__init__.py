"""The transport over NATS: the only package that imports the NATS client."""

from __future__ import annotations

from actorhost.transport.nats.transport import NatsTransport

__all__ = ["NatsTransport"]
