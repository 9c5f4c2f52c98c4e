"""One connection of the HTTP server: aiohttp's protocol, with clocks on those who keep us waiting.

Made by a listener for each client that connects, and ended by either side, by the listener when it
closes, or by :meth:`Connection.look` when the client is too slow. What it had asked for is answered or
dropped; nothing else knows of it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast

from aiohttp import http_exceptions, web

from actorhost.clock import monotonic
from actorhost.telemetry import log
from actorhost.telemetry.log import Log

MAX_HEAD: Final = 64 * 1024
"""Bytes of a whole head; aiohttp bounds each line of it."""
_LINGER: Final = 0.5
"""Seconds for which more of a body that nobody wants is taken, so that the client sees the answer."""
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
# aiohttp's parser has one exception for most nonsense; these tell kinds with a status of their own apart.
_TOO_MANY: Final = "Too many headers"
_VERSION: Final = "Invalid HTTP version"
_log: Final = Log("actorhost.http")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a client may take: for a head, between requests, and while it takes no answer."""

    head: float
    idle: float
    write: float


Refuse = Callable[[HTTPStatus], web.StreamResponse]
"""Returns the answer to what is no request."""
Note = Callable[[HTTPStatus], None]
"""Takes note of a client that was turned away without one."""


class Connection(web.RequestHandler):
    """Serves one client."""

    __slots__ = ("_begun", "_busy", "_head", "_note", "_patience", "_refuse", "_stuck", "peer")

    def __init__(self, server: web.Server, patience: Patience, refuse: Refuse, note: Note) -> None:
        """Serve one client of `server`; `refuse` makes what it is told when it sends nonsense.

        `note` is told of a client whose head is given up.
        """
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=patience.idle,
            logger=_silent(),
            access_log=None,  # type: ignore[arg-type]  # takes none
            lingering_time=_LINGER,
            auto_decompress=False,
        )
        self._patience = patience
        self._refuse = refuse
        self._note = note
        self.peer = ""
        self._busy = False
        self._begun = math.inf
        self._stuck = math.inf
        self._head = 0

    def begin(self) -> None:
        """Note that a whole head has come."""
        self._busy, self._begun, self._head = True, math.inf, 0

    def end(self) -> None:
        """Note that its request was handled."""
        self._busy, self._begun = False, math.inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        self._begun = monotonic()
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) else ""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first of a head start its clock, and it may not go on for ever."""
        if not self._busy and self._begun == math.inf:
            self._begun = monotonic()
        super().data_received(data)
        if self._waits():
            # All of it is a head without an end.
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TOO_LARGE)

    def pause_writing(self) -> None:
        """Note that the client takes less than it is sent."""
        self._stuck = monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it goes on."""
        self._stuck = math.inf
        super().resume_writing()

    def write(self, data: bytes) -> None:
        """Send `data`; raises :class:`ConnectionError` when the client has gone."""
        if self.transport is None:
            raise ConnectionResetError("the client has gone")
        self.transport.write(data)

    async def drained(self) -> None:
        """Return when the client takes more."""
        await self._drain_helper()

    def look(self, now: float) -> None:
        """End the connection if its client has been too slow."""
        transport = self.transport
        if transport is None:
            return
        if now - self._stuck > self._patience.write:
            transport.abort()
        elif now - self._begun > self._patience.head and self._waits():
            self._give_up(HTTPStatus.REQUEST_TIMEOUT, _TOO_SLOW)

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - aiohttp's
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's, and tells too much
    ) -> web.StreamResponse:
        """Answer what is no request, or what a bug of ours made of one; the connection ends."""
        if isinstance(exc, ConnectionError):
            raise exc
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.bug(_log, "bug while answering a request")
        self.keep_alive(False)
        return self._refuse(_status(status, exc))

    def _waits(self) -> bool:
        """Return whether there is no request: not even one whose body is still thrown away."""
        waiter = self._waiter
        return waiter is not None and not waiter.done()

    def _give_up(self, status: HTTPStatus, answer: bytes) -> None:
        """Say why and end the connection."""
        self._note(status)
        if self.transport is not None:
            self.transport.write(answer)
        self.force_close()


class Handshake(asyncio.Protocol):
    """A client that has not agreed on TLS yet; what it becomes once it has is made by `become`.

    One that never does is told nothing, only dropped by its event loop. Nothing may hold on to it: that
    it is gone says that the client is. A connection holds on to itself, so it cannot take this place.
    `since` is when the client came, in seconds of the monotonic clock.
    """

    def __init__(self, become: Callable[[Handshake], Connection]) -> None:
        self.since = monotonic()
        self._become = become

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give way to the connection, as both have agreed."""
        connection = self._become(self)
        transport.set_protocol(connection)
        connection.connection_made(transport)


class Surplus(asyncio.Protocol):
    """A connection over the bound: told to come back, and closed."""

    def __init__(self, note: Note) -> None:
        self._note = note

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so and close."""
        self._note(HTTPStatus.SERVICE_UNAVAILABLE)
        cast("asyncio.Transport", transport).write(_BUSY)  # uvloop's is of no class of asyncio's
        transport.close()


def _status(status: int, error: BaseException | None) -> HTTPStatus:
    """Return the status for what is no request."""
    text = error.message if isinstance(error, http_exceptions.BadHttpMessage) else ""
    if isinstance(error, http_exceptions.LineTooLong) or text.startswith(_TOO_MANY):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if isinstance(error, http_exceptions.BadStatusLine) and _VERSION in text.partition(":\n\n")[0]:
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    return HTTPStatus(status)


def _silent() -> logging.Logger:
    # What goes wrong with a client's bytes is the client's affair.
    logger = logging.Logger("aiohttp")  # noqa: LOG001 - known to nobody, so nobody's settings reach it
    logger.disabled = True
    return logger
