"""Answers monitors over HTTP: ``/livez``, ``/readyz`` and ``/metrics``.

Owned by the program that runs a host, around the host: it listens from before the host opens until
after it has closed, so that a monitor can tell starting and stopping from death. It only reads.
Imported only where it is wanted, because the HTTP server costs 15 MB.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import islice
from typing import Final, Protocol, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from actorhost.errors import ServerUnavailable
from actorhost.host import metrics
from actorhost.host.metrics import Measured
from actorhost.telemetry import log
from actorhost.telemetry.exposition import CONTENT_TYPE
from actorhost.telemetry.log import Log

MAX_CONNECTIONS: Final = 32
"""Monitors at a time, as each takes a file of the process; one more takes the place of the oldest."""
PATIENCE: Final = 10.0
"""Seconds that one connection may last: it serves one request."""
_PIECES: Final = 200
"""Pieces of metrics between two looks of the event loop at other things: some 0.2 ms."""
_STOP: Final = 1.0
"""Seconds in which answers under way may end."""

_log: Final = Log("actorhost.host")


class Monitored(Measured, Protocol):
    """What monitors ask about: a host."""

    def not_ready(self) -> list[str]:
        """Return why the host cannot serve now; nothing when it can."""


class Endpoint:
    """Serves monitors of `host` at `address` and `port`, 0 for a free one; use ``async with``."""

    def __init__(self, host: Monitored, address: str, port: int) -> None:
        self._host = host
        self._address = address
        self._port = port
        self._starting = True
        application = web.Application(middlewares=[_one_answer])
        for path, handler in (("/livez", self._live), ("/readyz", self._ready), ("/metrics", self._metrics)):
            application.router.add_get(path, handler)
        # What goes wrong with a client's bytes is the client's affair: nothing of it is logged.
        self._runner = web.AppRunner(application, access_log=None, logger=_silent(), shutdown_timeout=_STOP)
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen; raises :class:`ServerUnavailable` when that is not possible there."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connection, self._address, self._port)
        except OSError as error:
            await self._runner.cleanup()
            raise ServerUnavailable(
                f"cannot listen at {_joined(self._address, self._port)}: {error.strerror or error}",
                hint="--http 0 takes a free port on loopback",
            ) from None
        self.url = f"http://{_joined(self._address, self._server.sockets[0].getsockname()[1])}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop listening; answers under way may end within a second."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def started(self) -> None:
        """Note that everything that was to be deployed at the start is."""
        self._starting = False

    def _connection(self) -> asyncio.Protocol:
        """Return what serves one more connection, for a while."""
        server = self._runner.server
        if server is None:
            return _Refused()
        # An answer takes a moment, so the oldest are those that ask nothing: they keep nobody out.
        open_now = [connection for connection in server.connections if connection.transport is not None]
        for oldest in open_now[: len(open_now) - MAX_CONNECTIONS + 1]:
            oldest.force_close()
        handler = server()
        asyncio.get_running_loop().call_later(PATIENCE, handler.force_close)
        return handler

    async def _live(self, _request: web.Request) -> web.Response:
        # That the event loop came to this says it all.
        return web.Response(text="ok\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        reasons = self._host.not_ready()
        if self._starting and not reasons:
            reasons = ["applications are being deployed"]
        if reasons:
            return web.Response(status=503, text="".join(f"{reason}\n" for reason in reasons))
        return web.Response(text="ok\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        pieces, text = metrics.lines(self._host), list[str]()
        while block := list(islice(pieces, _PIECES)):
            text += block
            await asyncio.sleep(0)
        return web.Response(body="".join(text).encode(), headers={"Content-Type": CONTENT_TYPE})


class _Refused(asyncio.Protocol):
    """A connection that comes when all is over: closed as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


@web.middleware
async def _one_answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in plain text, whatever happens, and close the connection then."""
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        known = "GET /livez, /readyz and /metrics are served\n"
        response = web.Response(status=refusal.status, text=known)
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
    except Exception:  # noqa: BLE001 - a bug in one answer must not end the others
        log.bug(_log, "bug while answering a monitor", path=request.path)
        response = web.Response(status=500, text="unexpected error; see the host's log\n")
    response.force_close()
    return response


def _silent() -> logging.Logger:
    logger = logging.Logger("aiohttp")  # noqa: LOG001 - known to nobody, so nobody's settings reach it
    logger.disabled = True
    return logger


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
