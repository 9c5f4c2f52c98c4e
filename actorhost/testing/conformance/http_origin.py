"""A web server that answers as it is told and remembers what it was asked, for HTTP clients under test.

Owned by a case, which opens it on a free port of loopback and closes it with every connection. Plain
sockets: it may break every rule of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from actorhost.errors import ServerUnavailable

SILENCE: Final = b""
"""An answer that never comes."""
HANG_UP: Final = b"\0"
"""An answer that is the end of the connection."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return the values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name]


class Origin:
    """A server with an answer for each path; use ``async with``."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._answers: dict[str, list[bytes]] = {}
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Hang up on everybody."""
        if self._server is None:
            raise ServerUnavailable("the origin was not open")
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        while self._writers:  # noqa: ASYNC110 - a connection has no end to wait for
            await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def answer(
        self,
        path: str,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """Answer requests for `path` so, the last answer again and again."""
        lines = [f"HTTP/1.1 {status} Fine", *(f"{name}: {value}" for name, value in headers)]
        lines.append(f"Content-Length: {len(body)}")
        self.say(path, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def say(self, path: str, data: bytes) -> None:
        """Answer with these bytes, :data:`SILENCE` or :data:`HANG_UP`."""
        self._answers.setdefault(path, []).append(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while (data := await self._next(reader)) != HANG_UP:
                writer.write(data)
                await writer.drain()
        except (OSError, EOFError):
            return  # the client has gone
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        """Return the answer to the next request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        method, target, _ = first.split(" ", 2)
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        self.asked.append(Asked(method, target, tuple(headers), body))
        answers = self._answers.get(
            target.partition("?")[0], [b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"]
        )
        return answers.pop(0) if len(answers) > 1 else answers[0]
