"""A delivery: one message on its way through this host, with how it is answered.

Made by the router or by a local caller, owned by the mailbox it waits in and then by the runner
that handles it. Whoever ends it calls its answer exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct, field

from actorhost import clock
from actorhost.errors import ActorhostError
from actorhost.host.deadlines import Deadlines

Answer = Callable[["bytes | ActorhostError"], Awaitable[None]]
"""Takes the reply or the error that the message ended with."""

OVERHEAD: Final = 256
"""Bytes a delivery takes besides its payload, about; counted so that empty messages have a size."""


class Delivery(Struct, frozen=True, gc=False):
    """One message: `deadline` and `arrived` are seconds of the monotonic clock, `chain` names the callers.

    A `fresh` one is handled in a sandbox of its own.
    """

    operation: str
    payload: bytes
    deadline: float
    chain: tuple[str, ...]
    answer: Answer
    arrived: float = field(default_factory=clock.monotonic)
    fresh: bool = False


class LocalAnswer:
    """The answer of a caller in this process: waited for with :meth:`result`."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[bytes | ActorhostError | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def __call__(self, result: bytes | ActorhostError) -> None:
        """Hand `result` to the caller, unless it has gone."""
        if not self._future.done():
            self._future.set_result(result)

    async def result(
        self, deadlines: Deadlines, until: float, on_timeout: Callable[[], ActorhostError]
    ) -> bytes:
        """Return the reply or raise the error; soon after `until` (loop time) what `on_timeout` makes."""
        future = self._future
        watched = deadlines.watch(future, until)
        try:
            result = await future
        finally:
            watched.discard(future)
        if isinstance(result, bytes):
            return result
        try:
            raise on_timeout() if result is None else result
        finally:
            # Its traceback holds this frame, which would hold it until the garbage collector comes.
            del future, watched, result, self


async def no_answer(_result: bytes | ActorhostError) -> None:
    """Answer nobody: what a tell gets."""
