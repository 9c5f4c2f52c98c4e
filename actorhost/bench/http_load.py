"""The process that sends HTTP requests: some connections, each with one request on its way at a time.

``python -m actorhost.bench.http_load URL CONNECTIONS REQUESTS`` prints one line of JSON: requests a second
and how many answers were not 200. Plain protocols without a parser, so that it is quicker than any server
here: the first answer of a connection says how long all of them are.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Final, cast

from actorhost import clock
from actorhost.errors import Unavailable
from actorhost.host import loop
from actorhost.host.child import tell_parent

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_READY: Final = b"HTTP/1.1 200 "
_PATIENCE: Final = 60.0


def request_for(url: str) -> bytes:
    """Return a request such as a browser or a device sends."""
    authority, slash, path = url.removeprefix("http://").partition("/")
    return (
        f"GET {slash}{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: actorhost-bench\r\n"
        "Accept: application/json\r\nAccept-Language: en\r\nX-Request-Id: 0123456789abcdef\r\n\r\n"
    ).encode()


class _Tally:
    def __init__(self, requests: int) -> None:
        self.left = requests
        self.missing = requests
        self.failed = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Client(asyncio.Protocol):
    """Sends the next request when an answer is whole."""

    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request = request
        self._tally = tally
        self._expected = 0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._expected and b"\r\n\r\n" in self._buffer:
            found = _LENGTH.search(self._buffer)
            head = self._buffer.index(b"\r\n\r\n") + 4
            self._expected = head + (int(found[1]) if found else 0)
        if self._expected and len(self._buffer) >= self._expected:
            tally = self._tally
            tally.failed += not self._buffer.startswith(_READY)
            self._buffer = b""
            tally.missing -= 1
            if not tally.missing:
                tally.done.set_result(None)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        if not self._tally.done.done():
            self._tally.done.set_exception(Unavailable("the server hung up"))

    def _next(self) -> None:
        if self._tally.left and self._transport is not None:
            self._tally.left -= 1
            self._transport.write(self._request)


async def _load(url: str, connections: int, requests: int) -> None:
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    request, tally = request_for(url), _Tally(requests)
    started = clock.monotonic()
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: _Client(request, tally), host, int(port))
    async with asyncio.timeout(_PATIENCE):
        await tally.done
    rate = requests / (clock.monotonic() - started)
    tell_parent({"rate": rate, "failed": tally.failed})


async def offer(url: str, *, connections: int, requests: int) -> float:
    """Return answers a second to that many requests, sent from another process.

    Raises :class:`Unavailable` when an answer is missing or is not 200.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actorhost.bench.http_load", url, str(connections), str(requests)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = json.loads(output) if process.returncode == 0 else {"failed": requests}
    if said["failed"]:
        raise Unavailable(f"{said['failed']} of {requests} requests to {url} had no good answer")
    return float(said["rate"])


if __name__ == "__main__":
    loop.run(_load(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
