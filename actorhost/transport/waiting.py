"""Requests that wait for their answer: one inbox, a token each, and a timer for the deadline.

Owned by one transport, which feeds it what arrives at the inbox. A request ends exactly once: by
answer, failure, time-out or cancellation; what comes later finds no token and is dropped.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from typing import Final

from actorhost.errors import ActorhostError, CallTimeout, NoRoute


class WaitingRequests:
    """The requests of one transport; `inbox` is the subject prefix of their reply subjects."""

    def __init__(self) -> None:
        # Random, because whoever knows an inbox can answer its requests.
        self.inbox: Final = f"_INBOX.{os.urandom(16).hex()}."
        self._tokens = itertools.count()
        self._futures: dict[str, asyncio.Future[bytes | ActorhostError]] = {}

    def __len__(self) -> int:
        return len(self._futures)

    async def ask(self, send: Callable[[str], Awaitable[None]], timeout: float, asked: str) -> bytes:
        """Call `send` with a fresh reply subject and return the answer.

        `asked` names what was asked in errors. Raises what `send` raises, what :meth:`fail_all` was
        given, :class:`NoRoute`, and :class:`CallTimeout` after `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        token = str(next(self._tokens))
        future: asyncio.Future[bytes | ActorhostError] = loop.create_future()
        self._futures[token] = future
        # A timer and a plain future: asyncio.wait_for costs several times as much.
        timer = loop.call_later(timeout, self._expire, token, timeout, asked)
        try:
            await send(self.inbox + token)
            result = await future
        finally:
            timer.cancel()
            self._futures.pop(token, None)
        if isinstance(result, bytes):
            return result
        raise result

    def answer(self, token: str, data: bytes) -> None:
        """End the request `token` with an answer."""
        self._end(token, data)

    def refuse(self, token: str) -> None:
        """End the request `token`: nobody subscribes to what it was sent to."""
        self._end(
            token, NoRoute("nobody answers at that address", hint="is it deployed, and spelled like this?")
        )

    def fail_all(self, error: Callable[[], ActorhostError]) -> None:
        """End every request that waits, each with an error of its own."""
        for token in list(self._futures):
            self._end(token, error())

    def _end(self, token: str, result: bytes | ActorhostError) -> None:
        future = self._futures.get(token)
        if future is not None and not future.done():
            future.set_result(result)

    def _expire(self, token: str, timeout: float, asked: str) -> None:
        self._end(token, CallTimeout(f"{asked} did not answer within {timeout:.3g} s"))
