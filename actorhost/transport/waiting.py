"""Requests that wait for their answer: one inbox, a token each, and a timer for the deadline.

Owned by one transport, which feeds it what arrives at the inbox. A request ends exactly once: by
answer, failure, time-out or cancellation; what comes later finds no token and is dropped.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from actorhost.errors import ActorhostError, CallTimeout, NoRoute

Result = bytes | ActorhostError
"""How a request ends."""


class _Group:
    """The requests of one call; `done` is set when each has its result."""

    __slots__ = ("done", "left", "results")

    def __init__(self, count: int, done: asyncio.Future[None]) -> None:
        self.results: list[Result | None] = [None] * count
        self.left = count
        self.done = done


class _Member:
    """Stands where the future of a single request would."""

    __slots__ = ("_group", "_index")

    def __init__(self, group: _Group, index: int) -> None:
        self._group = group
        self._index = index

    def done(self) -> bool:
        return self._group.results[self._index] is not None

    def set_result(self, result: Result) -> None:
        group = self._group
        group.results[self._index] = result
        group.left -= 1
        if not group.left and not group.done.done():
            group.done.set_result(None)


class WaitingRequests:
    """The requests of one transport; `inbox` is the subject prefix of their reply subjects."""

    def __init__(self) -> None:
        # Random, because whoever knows an inbox can answer its requests.
        self.inbox: Final = f"_INBOX.{os.urandom(16).hex()}."
        self._tokens = itertools.count()
        self._futures: dict[str, asyncio.Future[Result] | _Member] = {}

    def __len__(self) -> int:
        return len(self._futures)

    async def ask(self, send: Callable[[str], Awaitable[None]], timeout: float, asked: str) -> bytes:
        """Call `send` with a fresh reply subject and return the answer.

        `asked` names what was asked in errors. Raises what `send` raises, what :meth:`fail_all` was
        given, :class:`NoRoute`, and :class:`CallTimeout` after `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        token = str(next(self._tokens))
        future: asyncio.Future[Result] = loop.create_future()
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
        try:
            raise result
        finally:
            # Its traceback holds this frame, which would hold it until the garbage collector comes.
            del future, result, timer

    async def ask_all(
        self, send: Callable[[int, str], Awaitable[None]], asked: Sequence[str], timeout: float
    ) -> list[Result]:
        """Call `send` for each index of `asked`; return the answer to each, or the error it ended with.

        What is not sent when the time is up is not sent any more. Costs a third of as many calls of
        :meth:`ask`, which need a task, a future and a timer each.
        """
        loop = asyncio.get_running_loop()
        group = _Group(len(asked), loop.create_future())
        tokens = {str(next(self._tokens)): index for index in range(len(asked))}
        self._futures.update((token, _Member(group, index)) for token, index in tokens.items())

        def expire() -> None:
            for token, index in tokens.items():
                self._expire(token, timeout, asked[index])

        timer = loop.call_later(timeout, expire)
        try:
            for token, index in tokens.items():
                if group.done.done():
                    break
                try:
                    await send(index, self.inbox + token)
                except ActorhostError as error:
                    self._end(token, error)
            if asked:
                await group.done
        finally:
            timer.cancel()
            for token in tokens:
                del self._futures[token]
        return [result for result in group.results if result is not None]

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

    def _end(self, token: str, result: Result) -> None:
        future = self._futures.get(token)
        if future is not None and not future.done():
            future.set_result(result)

    def _expire(self, token: str, timeout: float, asked: str) -> None:
        self._end(token, CallTimeout(f"{asked} did not answer within {timeout:.3g} s"))
