"""The baseline of ``bench http``: aiohttp's low-level server with a handler that knows the answer.

``python -m actorhost.bench.http_bare`` prints two ports, one without and one with aiohttp's access log, which
goes to a file that nobody reads. No router, no look at the request: the least that aiohttp can do, on the
event loop that the host uses.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile

from aiohttp import web
from aiohttp.log import access_logger

from actorhost.bench.http import BODY
from actorhost.host import loop
from actorhost.host.child import tell_parent


async def _answer(_request: web.BaseRequest) -> web.Response:
    return web.Response(body=BODY, headers={"content-type": "application/json"})


async def _serve() -> None:
    running = asyncio.get_running_loop()
    ports = {}
    for name, log in (("silent", None), ("logged", access_logger)):
        server = web.Server(_answer, access_log=log)
        listening = await running.create_server(server, "127.0.0.1", 0, backlog=512)
        ports[name] = listening.sockets[0].getsockname()[1]
    tell_parent(ports)
    loop.settle()
    await loop.for_ever()


if __name__ == "__main__":
    with tempfile.TemporaryFile("w+") as file:
        access_logger.addHandler(logging.StreamHandler(file))
        access_logger.setLevel(logging.INFO)
        access_logger.propagate = False
        loop.run(_serve())
