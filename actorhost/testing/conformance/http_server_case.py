"""An HTTP server under test, between a client of plain sockets and an actor that does as it is told.

A backend's own tests make one for each rule and start the server after that:
``HttpServerCase(server, lambda: server.url, most=1000)``. The case owns nothing but its sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from actorhost.contracts.http import HANDLE, SERVER, HandleParams, Headers, HttpServer, Response
from actorhost.contracts.provider import Link, Surroundings
from actorhost.errors import ActorhostError
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.rule import RuleBroken

PATIENCE: Final = 5.0
"""Seconds within which every request is answered."""


class HttpServerCase:
    """`server`, which listens where `url` says and takes bodies of `most` bytes, not started yet."""

    def __init__(self, server: HttpServer, url: Callable[[], str], *, most: int) -> None:
        """Stand behind `server` as the actor of every link."""
        self.server = server
        self.most = most
        self.handled: list[HandleParams] = []
        self.reply: Response | ActorhostError | bytes = Response(200, [], b"")
        self._url = url
        self._links = 0
        server.surroundings = Surroundings(call=self._call)

    async def route(self, path: str, **config: object) -> Link:
        """Link the actor with this route and return the link."""
        self._links += 1
        name = LinkName(f"route-{self._links}")
        link = Link(ActorName("conformance"), SERVER.id, name, {"path": path, **config})
        self.server.check_link(link)
        await self.server.linked(link)
        return link

    async def ask(
        self, method: str, target: str, headers: str = "", body: bytes = b""
    ) -> tuple[int, Headers, bytes]:
        """Return status, headers and body of the answer to one request on a connection of its own."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}{length}\r\n"
        address, _, port = self._url().rpartition("//")[2].rpartition(":")
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(address.strip("[]"), int(port))
            try:
                writer.write(head.encode() + body)
                return _parsed(await reader.read(-1))
            finally:
                writer.close()

    async def _call(self, link: Link, operation: str, payload: bytes, *, timeout: float) -> bytes:  # noqa: ARG002
        params = HANDLE.decode_params(payload)
        if not isinstance(params, HandleParams):
            raise RuleBroken(f"the actor was handed {type(params).__name__}")
        self.handled.append(params)
        if isinstance(self.reply, ActorhostError):
            raise self.reply
        return self.reply if isinstance(self.reply, bytes) else HANDLE.encode_result(self.reply)


def _parsed(data: bytes) -> tuple[int, Headers, bytes]:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        raise RuleBroken(f"an answer without an end of its head: {data[:80]!r}")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), [(name.lower(), value.strip()) for name, _, value in pairs], body
