"""A port of the host: its socket, its connections, and the routes of all applications that share it.

Opened by the first provider with a route there and closed by the last one, which find it in what
providers of a host share. One task of its own looks after slow clients and writes the access log; it
ends with the listener. A restart keeps nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, cast
from weakref import WeakSet

from aiohttp import web

from actorhost.clock import monotonic
from actorhost.errors import ProviderRefused
from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost_providers.http.access import UNKNOWN, AccessLog, Line
from actorhost_providers.http.answer import Refused, refusal
from actorhost_providers.http.connection import Connection, Handshake, Patience, Surplus
from actorhost_providers.http.exchange import Exchange
from actorhost_providers.http.request import Request
from actorhost_providers.http.route import RouteTable
from actorhost_providers.http.settings import ServerConfig

_LOOK: Final = 0.25
"""Seconds between looks at slow clients and at the access log."""
_STOP: Final = 2.0
"""Seconds in which answers under way may end when the listener closes."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
MakeRequest = Callable[..., web.BaseRequest]

_log: Final = Log("actorhost.http")


class Listener:
    """Serves the routes in `routes` as `settings` say; `url` is where, once it is open."""

    def __init__(self, settings: ServerConfig, tls: ssl.SSLContext | None) -> None:
        self.settings = settings
        self.routes = RouteTable()
        self.url = ""
        self._tls = tls
        self._access = AccessLog()
        self._patience = Patience(settings.head_timeout, settings.idle_timeout, settings.write_timeout)
        self._exchange = Exchange(self.routes, "https" if tls else "http", self._access)
        self._handshakes: WeakSet[Handshake] = WeakSet()
        self._server: web.Server | None = None
        self._socket: asyncio.Server | None = None
        self._caretaker: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen; raises :class:`ProviderRefused` when that is not possible there."""
        settings, loop = self.settings, asyncio.get_running_loop()
        # They are all that aiohttp wants of a handler with its response, and of a request.
        handler, request = cast("Handler", self._exchange.answer), cast("MakeRequest", Request)
        self._server = web.Server(handler, request_factory=request)
        handshake = settings.head_timeout if self._tls else None
        try:
            self._socket = await loop.create_server(
                self._client,
                settings.address,
                settings.port,
                ssl=self._tls,
                ssl_handshake_timeout=handshake,
                backlog=512,
            )
        except OSError as error:
            raise ProviderRefused(
                f"cannot listen at {_joined(settings.address, settings.port)}: {error.strerror or error}",
                hint="choose another address or port, or stop what has it",
            ) from None
        port = self._socket.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://{_joined(settings.address, port)}"
        self._caretaker = asyncio.create_task(self._look_after())  # noqa: TID251 - close() waits for it
        _log.info("http server listening", url=self.url)

    async def close(self) -> None:
        """Listen no more; answers under way may end within two seconds."""
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            await self._server.shutdown(_STOP)
        if self._caretaker is not None:
            self._caretaker.cancel()
            await asyncio.wait([self._caretaker])
        await self._access.write()

    def _client(self) -> asyncio.Protocol:
        """Return what serves one more client; called when it connects, also before TLS."""
        server = self._server
        if server is None or self._full(server):
            return Surplus(self._turned_away)
        if self._tls is None:
            return self._connection(server)
        handshake = Handshake(lambda done: self._agreed(server, done))
        self._handshakes.add(handshake)
        return handshake

    def _full(self, server: web.Server) -> bool:
        return len(server.connections) + len(self._handshakes) >= self.settings.connections

    def _agreed(self, server: web.Server, done: Handshake) -> Connection:
        self._handshakes.discard(done)
        return self._connection(server)

    def _connection(self, server: web.Server) -> Connection:
        return Connection(server, self._patience, self._refuse, self._turned_away)

    def _refuse(self, status: HTTPStatus) -> web.StreamResponse:
        answer = refusal(Refused(status, close=True))
        self._turned_away(status, len(answer.body))
        return cast("web.StreamResponse", answer)

    def _turned_away(self, status: HTTPStatus, sent: int = 0) -> None:
        """Note what ended before there was a request."""
        if self.routes.logged:
            self._access.note(Line(UNKNOWN, UNKNOWN, int(status), sent, 0.0, "", ""))

    def _forget_handshakes(self, before: float) -> None:
        """Count no more what cannot be there any longer: asyncio's own loop holds on to what failed."""
        for handshake in [each for each in self._handshakes if each.since < before]:
            self._handshakes.discard(handshake)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                now = monotonic()
                self.routes.forget(now)
                self._forget_handshakes(now - self.settings.head_timeout)
                for connection in self._server.connections if self._server is not None else ():
                    if isinstance(connection, Connection):
                        connection.look(now)
                await self._access.write()
            except Exception:  # noqa: BLE001 - one bad line must not leave slow clients unwatched
                log.bug(_log, "bug while looking after connections")


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
