"""The transport over NATS: the only package that imports the NATS client."""

from __future__ import annotations

from actorhost.transport.nats.lean import import_client

import_client()

from actorhost.transport.nats.silence import drops_silent  # noqa: E402 - after the client
from actorhost.transport.nats.transport import NatsTransport  # noqa: E402 - likewise

__all__ = ["NatsTransport", "drops_silent"]
