"""Counts what a transport does, and hands messages to handlers that may raise.

Owned by one transport, for as long as that exists.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost.transport.base import Handler, TransportStatistics

_log: Final = Log("actorhost.transport")


@dataclass(slots=True)
class Tally:
    """The counts of one transport: see :class:`~actorhost.transport.base.TransportStatistics`."""

    published: int = 0
    published_bytes: int = 0
    received: int = 0
    received_bytes: int = 0
    handler_errors: int = 0
    refused: int = 0
    server_errors: int = 0
    reconnects: int = 0
    subscriptions: int = 0

    def deliver(self, handler: Handler, subject: str, reply: str, data: bytes) -> None:
        """Call `handler`; one that raises is counted and logged, and will get the next message."""
        self.received += 1
        self.received_bytes += len(data)
        try:
            handler(subject, reply, data)
        except Exception:  # noqa: BLE001 - whatever it is, it must not end the delivery of others
            self.handler_errors += 1
            log.bug(_log, "handler failed", subject=subject)

    def statistics(self, *, connected: bool, waiting: int, unsent_bytes: int) -> TransportStatistics:
        """Return the counts with what the transport knows of now."""
        return TransportStatistics(
            connected=connected, waiting=waiting, unsent_bytes=unsent_bytes, **asdict(self)
        )
