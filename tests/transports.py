"""Parts that tests of transports share: handlers that remember, and subscribers that answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio

from actorhost.transport import Subscription, Transport

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds that anything expected here may take."""


class Arrivals:
    """A handler that keeps what it was given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, bytes]] = []
        self._arrived = asyncio.Event()

    def __call__(self, subject: str, reply: str, data: bytes) -> None:
        self.messages.append((subject, reply, data))
        self._arrived.set()

    @property
    def bodies(self) -> list[bytes]:
        return [data for _, _, data in self.messages]

    async def until(self, count: int) -> None:
        """Return when `count` messages have come."""
        async with asyncio.timeout(PATIENCE):
            while len(self.messages) < count:
                self._arrived.clear()
                await self._arrived.wait()


@asynccontextmanager
async def answering(
    transport: Transport, subject: str, answer: Callable[[bytes], bytes] = lambda data: data, queue: str = ""
) -> AsyncIterator[Subscription]:
    """Answer each message on `subject` with what `answer` makes of it, while the body runs."""
    waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(maxsize=100_000)

    async def run() -> None:
        while True:
            reply, data = await waiting.get()
            await transport.publish(reply, answer(data))

    subscription = await transport.subscribe(
        subject, lambda _subject, reply, data: waiting.put_nowait((reply, data)), queue
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        yield subscription
        tasks.cancel_scope.cancel()


def started(call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run `call` beside the test, which awaits it; the leak watch tells when it does not."""
    return asyncio.get_running_loop().create_task(call)


async def ended(outcome: asyncio.Future[bytes]) -> BaseException | None:
    """Return how a call ended that must end now."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([outcome])
    return outcome.exception()
