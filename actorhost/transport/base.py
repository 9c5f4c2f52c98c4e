"""What every transport promises: publish, request, subscribe, each with a deadline and typed errors.

A transport is owned by whoever calls :meth:`Transport.start` and ends with :meth:`Transport.close`.
It belongs to one event loop. Messages are delivered at most once; those of one publisher to one
subscription arrive in the order they were published. Subscriptions survive a lost connection;
requests do not: they end with an error that says whether the outcome is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actorhost.transport.waiting import Result

Handler = Callable[[str, str, bytes], None]
"""Takes subject, reply subject ("" if none) and data; never waits. One that raises is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportStatistics:
    """What a transport has done since it was made, and what it holds now."""

    connected: bool
    published: int
    published_bytes: int
    received: int
    """Messages handed to handlers; answers to requests are not among them."""
    received_bytes: int
    handler_errors: int
    """Messages whose handler raised."""
    refused: int
    """Publishes refused because too much was waiting to be sent."""
    reconnects: int
    server_errors: int
    """Errors the server reported or that broke a connection; each is logged."""
    waiting: int
    """Requests without an answer yet."""
    subscriptions: int
    unsent_bytes: int
    """Bytes that wait to be sent."""


class Subscription(Protocol):
    """Interest in a subject; made by :meth:`Transport.subscribe`."""

    async def close(self) -> None:
        """End it: what was on its way is still delivered, and nothing after this returns.

        May be called again, and after the transport was closed.
        """
        ...


class Transport(Protocol):
    """Carries messages between everything that is connected to the same bus."""

    @property
    def max_payload(self) -> int:
        """Bytes that one message may carry."""
        ...

    @property
    def connected(self) -> bool:
        """Whether there is a connection now; cheaper to ask than :meth:`statistics`."""
        ...

    async def start(self) -> None:
        """Connect.

        Raises :class:`~actorhost.errors.ServerUnavailable` when that fails or takes longer than
        ``limits.connect_timeout``; the transport can then be started again.
        """
        ...

    async def close(self) -> None:
        """Send what is waiting, within ``limits.bus_timeout``, and disconnect for good.

        Requests that still wait end with :class:`~actorhost.errors.Closed`. May be called again.
        """
        ...

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send `data`; returning means it is queued in order, not that anybody has it.

        Raises :class:`~actorhost.errors.TooLarge` over :attr:`max_payload`,
        :class:`~actorhost.errors.Overloaded` when too much waits to be sent,
        :class:`~actorhost.errors.InvalidName` and :class:`~actorhost.errors.Closed`; in each case
        nothing was sent.
        """
        ...

    def send_now(self, subject: str, data: bytes) -> bool:
        """Send `data` without waiting; false, with nothing sent, when it would have to wait or raise.

        `subject` is a valid subject, such as the reply subject of a message: it is not checked again.
        """
        ...

    def write_now(self) -> None:
        """Give the system what waits, as far as it takes it: for one message that has none to go with."""
        ...

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes:
        """Send `data` and return the first answer; `timeout` is in seconds.

        Raises what :meth:`publish` raises, :class:`~actorhost.errors.NoRoute` at once when nobody
        subscribes to `subject`, :class:`~actorhost.errors.ServerUnavailable` when not connected
        (nothing was sent), :class:`~actorhost.errors.CallTimeout`, and
        :class:`~actorhost.errors.OutcomeUnknown` when the connection broke before an answer came.
        """
        ...

    async def request_all(self, messages: Sequence[tuple[str, bytes]], timeout: float) -> list[Result]:
        """Send `messages`, each a subject and data, and return the first answer to each of them.

        One that has none has the error that :meth:`request` would have raised; `timeout` is in seconds.
        """
        ...

    async def subscribe(self, subject: str, handler: Handler, queue: str = "") -> Subscription:
        """Call `handler` for each message on `subject` (``*`` is one token, a last ``>`` the rest).

        In effect when this returns; while not connected, as soon as the connection is back. Each
        message goes to one of the subscriptions that share a `queue`. Raises
        :class:`~actorhost.errors.InvalidName`, :class:`~actorhost.errors.Closed`, and
        :class:`~actorhost.errors.ServerUnavailable` when the server does not confirm in time.
        """
        ...

    async def flush(self, timeout: float) -> None:
        """Return when everything published before has reached the bus.

        Raises :class:`~actorhost.errors.ServerUnavailable` when it has not within `timeout` seconds.
        """
        ...

    def statistics(self) -> TransportStatistics:
        """Return the counts now."""
        ...
