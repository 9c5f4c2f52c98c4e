"""Events of a lattice on their way to somebody who follows them.

Made by a client, for as long as the block lasts in which it is used. At most :data:`KEPT` events wait
for the reader; when there are more, the oldest are dropped and counted.
"""

from __future__ import annotations

from collections import deque
from fnmatch import fnmatchcase
from typing import Final, Self

import anyio

from actorhost.errors import ActorhostError
from actorhost.telemetry.event import Event, decode
from actorhost.wire.subject import parse_event

KEPT: Final = 10_000
"""Events that wait for a slow reader."""


class EventStream:
    """Events whose kinds match one of `patterns`, in the order they came; all when there are none.

    `dropped` counts those the reader was too slow for, `unreadable` messages that were no events.
    """

    def __init__(self, patterns: tuple[str, ...] = ()) -> None:
        self._patterns = patterns
        self._waiting: deque[Event] = deque()
        self._wake = anyio.Event()
        self._closed = False
        self.dropped = 0
        self.unreadable = 0

    def __aiter__(self) -> Self:
        """Return this stream, which is read once."""
        return self

    async def __anext__(self) -> Event:
        """Return the next event, as soon as there is one."""
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake = anyio.Event()
            await self._wake.wait()
        return self._waiting.popleft()

    def receive(self, subject: str, _reply: str, data: bytes) -> None:
        """Take what came on `subject`, if it is wanted; called by the transport for each message."""
        try:
            if not self._wants(parse_event(subject).type):
                return
            event = decode(data)
        except ActorhostError:
            self.unreadable += 1
            return
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """End the iteration once what waits has been read."""
        self._closed = True
        self._wake.set()

    def _wants(self, kind: str) -> bool:
        return not self._patterns or any(fnmatchcase(kind, pattern) for pattern in self._patterns)
