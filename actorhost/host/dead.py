"""Gives up messages that no actor of this host could take: keeps them as dead letters.

Owned by the host. :meth:`DeadLetters.put` never waits; a task stores what was put. What cannot be
kept, because too much waits or the server has no room, is counted and logged: nothing else can be
done with it. :meth:`DeadLetters.stop` stores what still waits.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import anyio

from actorhost import clock
from actorhost.errors import ActorhostError, TooLarge
from actorhost.host.dead_letter import DeadLetter, DeadLetterBox
from actorhost.host.events import Events
from actorhost.limits import KIB, MIB
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log
from actorhost.transport.stream import Kept

_MAX_COUNT: Final = 10_000
_MAX_BYTES: Final = 16 * MIB
"""What may wait to be stored."""
_AT_ONCE: Final = 64
"""Letters on their way to the server at a time."""
_GATHER: Final = 0.05
"""Seconds in which letters come together before they are stored."""
_BYTES_AT_ONCE: Final = 256 * KIB
"""Bytes of them, but for a single one: what is not stored in time is sent again, also over a slow link."""
_RETRY, _LONGEST_RETRY, _LAST_RETRY = 1.0, 5.0, 0.2
"""Seconds between attempts while there is no stream: at first, after many, and while the host stops."""

_log: Final = Log("actorhost.host")


@dataclass(slots=True)
class DeadCounts:
    """Letters given up, stored, and lost because they could not be."""

    put: int = 0
    stored: int = 0
    lost: int = 0


class DeadLetters:
    """What the host `host` gives up, on its way to `box`; how that went is told to `events`."""

    def __init__(self, box: DeadLetterBox, host: str, events: Events) -> None:
        self._box = box
        self._host = host
        self._events = events
        self._waiting: deque[DeadLetter] = deque()
        self._bytes = 0
        self._wake = anyio.Event()
        self._stopping = anyio.Event()
        self._ended = anyio.Event()
        self._retry = _RETRY
        self._open = False
        self.counts = DeadCounts()

    def put(
        self, actor: str, operation: str, payload: bytes, error: ActorhostError, source: str = ""
    ) -> None:
        """Give up one message for `actor` that ended with `error`; `source` is where it came from."""
        self.counts.put += 1
        if len(self._waiting) >= _MAX_COUNT or self._bytes + len(payload) > _MAX_BYTES:
            self._lose(1, "too many wait to be stored")
            return
        self._bytes += len(payload)
        self._waiting.append(
            DeadLetter(
                actor=str(actor),
                operation=str(operation),
                payload=payload,
                code=str(error.code),
                reason=error.message,
                hint=error.hint,
                source=source,
                host=self._host,
                at_ns=clock.wall_ns(),
            )
        )
        self._wake.set()

    async def run(self) -> None:
        """Store letters until stopped or cancelled."""
        try:
            while self._waiting or not self._stopping.is_set():
                if not self._waiting:
                    self._wake = anyio.Event()
                    await self._wake.wait()
                    await self._gather()
                elif await self._store_some():
                    self._retry = _RETRY
                    await self._gather()
                elif self._stopping.is_set():
                    await anyio.sleep(_LAST_RETRY)
                else:
                    await self._wait_to_retry()
        finally:
            self._ended.set()

    async def stop(self, timeout: float) -> None:
        """Store what waits, within `timeout` seconds, and end :meth:`run`; the rest is lost."""
        self._stopping.set()
        self._wake.set()
        with anyio.move_on_after(timeout):
            await self._ended.wait()
        if self._waiting:
            self._lose(len(self._waiting), "the host stops")
            self._waiting.clear()

    async def _gather(self) -> None:
        """Wait a moment if few letters wait: many stored together take a third of the work each."""
        if len(self._waiting) < _AT_ONCE:
            with anyio.move_on_after(_GATHER):
                await self._stopping.wait()

    async def _wait_to_retry(self) -> None:
        with anyio.move_on_after(self._retry):
            await self._stopping.wait()
        self._retry = min(2 * self._retry, _LONGEST_RETRY)

    async def _store_some(self) -> bool:
        """Store the next letters together; false when there is no stream to store them in."""
        try:
            if not self._open:
                await self._box.open()
                self._open = True
        except ActorhostError as error:
            _log.warning("dead letters wait", reason=error.message, waiting=len(self._waiting))
            return False
        batch = self._next()
        outcomes = await self._box.put_all(batch)
        if not self._waiting:
            return False  # They were given up meanwhile: the host stops.
        for _ in batch:
            self._waiting.popleft()
        stored: list[DeadLetter] = []
        again = [
            letter for letter, out in zip(batch, outcomes, strict=True) if self._keep(letter, out, stored)
        ]
        self._waiting.extendleft(reversed(again))
        self._tell(stored)
        return self._open

    def _next(self) -> list[DeadLetter]:
        """Return the letters to store together now."""
        batch: list[DeadLetter] = []
        size = 0
        for letter in itertools.islice(self._waiting, _AT_ONCE):
            size += len(letter.payload)
            if batch and size > _BYTES_AT_ONCE:
                break
            batch.append(letter)
        return batch

    def _tell(self, stored: list[DeadLetter]) -> None:
        last = {letter.actor: letter for letter in stored}
        for actor, count in Counter(letter.actor for letter in stored).items():
            data = {"operation": last[actor].operation, "code": last[actor].code}
            self._events.emit(EventKind.DEADLETTER_STORED, actor, data, count=count)

    def _keep(self, letter: DeadLetter, outcome: Kept, stored: list[DeadLetter]) -> bool:
        """Note what became of `letter`; true when it must be stored again."""
        if isinstance(outcome, ActorhostError) and not isinstance(outcome, TooLarge):
            # The server went away, perhaps with the stream: look for both before the next attempt.
            # A letter that was stored although the answer got lost is stored twice.
            _log.warning("dead letter not stored yet", reason=outcome.message)
            self._open = False
            return True
        self._bytes -= len(letter.payload)
        if isinstance(outcome, TooLarge):
            self._lose(1, outcome.message)
        elif outcome is None:
            self._lose(1, "the dead-letter stream is full; `actorhost dead drop` makes room")
        else:
            self.counts.stored += 1
            stored.append(letter)
        return False

    def _lose(self, count: int, why: str) -> None:
        self.counts.lost += count
        if self.counts.lost == count or self.counts.lost % 1000 < count:
            _log.error("dead letters lost", reason=why, lost=self.counts.lost)
            told = {"reason": why, "lost": self.counts.lost}
            self._events.emit(EventKind.DEADLETTER_LOST, data=told)
