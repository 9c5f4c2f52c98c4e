"""The baseline of ``bench echo``: a responder and a client with nothing but nats-py.

``python -m actorhost.bench.bare URL SUBJECT`` answers each message with its payload, on the event
loop the host uses. The client drives the host and the responder alike, with the same bytes.
"""

from __future__ import annotations

import asyncio
import sys

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from actorhost import clock
from actorhost.host import loop
from actorhost.host.child import tell_parent

__all__ = ["Client", "connect", "latencies", "throughput"]

_TIMEOUT = 10


async def connect(url: str) -> Client:
    """Return a connected client."""
    return await nats.connect(url)


async def throughput(client: Client, subject: str, data: bytes, *, requests: int, at_once: int) -> float:
    """Return answered requests a second with `at_once` in flight."""

    async def ask() -> None:
        for _ in range(requests // at_once):
            await client.request(subject, data, timeout=_TIMEOUT)

    started = clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(ask())
    return requests // at_once * at_once / (clock.monotonic() - started)


async def latencies(client: Client, subject: str, data: bytes, *, requests: int) -> list[float]:
    """Return the microseconds of each request, one at a time."""
    found = []
    for _ in range(requests):
        started = clock.monotonic_ns()
        await client.request(subject, data, timeout=_TIMEOUT)
        found.append((clock.monotonic_ns() - started) / 1e3)
    return found


async def _respond(url: str, subject: str) -> None:
    client = await connect(url)

    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    await client.subscribe(subject, queue="bare", cb=answer)
    await client.flush()
    tell_parent({"event": "ready"})
    await asyncio.Event().wait()


if __name__ == "__main__":
    loop.run(_respond(*sys.argv[1:]))
