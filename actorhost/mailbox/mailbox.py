"""A bounded mailbox: refuses at once when full, never drops, hands out in order of arrival.

Owned by one actor; its instances pull from it. Closing it refuses newcomers and gives back what
was left, so that whoever closes can answer it. Cancellation-safe: a consumer cancelled while it
waits takes nothing with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from actorhost.errors import ActorhostError, Closed, Overloaded
from actorhost.mailbox.budget import Budget

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """What waits now, and what came and was refused since the mailbox opened."""

    waiting: int
    waiting_bytes: int
    accepted: int
    refused: int


class Mailbox(Generic[T]):
    """At most `max_count` items of together at most `max_bytes`; `owner` is named in refusals.

    `budget`, if any, bounds it together with others.
    """

    __slots__ = (
        "_accepted",
        "_budget",
        "_bytes",
        "_closed",
        "_consumers",
        "_full_text",
        "_items",
        "_max_bytes",
        "_max_count",
        "_owner",
        "_refused",
    )

    def __init__(self, owner: str, *, max_count: int, max_bytes: int, budget: Budget | None = None) -> None:
        self._owner = owner
        self._budget = budget
        self._full_text = f"the mailbox of actor {owner!r} is full: {max_count} messages, as many as it takes"
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._consumers: deque[asyncio.Future[None]] = deque()
        self._bytes = 0
        self._accepted = 0
        self._refused = 0
        self._closed = False

    def put(self, item: T, size: int) -> None:
        """Take `item` of `size` bytes, or raise :class:`Overloaded` or :class:`Closed` at once."""
        refusal = self.refusal(size)
        if refusal is not None:
            try:
                raise refusal
            finally:
                del refusal  # its traceback holds this frame
        self.add(item, size)

    def add(self, item: T, size: int) -> None:
        """Take `item` of `size` bytes, which :meth:`refusal` has just let in."""
        budget = self._budget
        if budget is not None:
            budget.count += 1
            budget.size += size
        self._accepted += 1
        self._bytes += size
        self._items.append((item, size))
        self._wake_one()

    def refusal(self, size: int) -> ActorhostError | None:
        """Return why an item of `size` bytes is not taken, and count it; None when there is room for it."""
        if self._closed:
            return Closed(f"actor {self._owner!r} is stopping")
        if len(self._items) >= self._max_count or self._bytes + size > self._max_bytes:
            self._refused += 1
            return self._full(size)
        budget = self._budget
        if budget is None or budget.fits(size):
            return None
        self._refused += 1
        return budget.full()

    async def get(self) -> T:
        """Return the oldest item, waiting for one; raises :class:`Closed` after :meth:`close`."""
        while not self._items:
            if self._closed:
                raise Closed(f"actor {self._owner!r} is stopping")
            await self._wait()
        item, size = self._items.popleft()
        self._bytes -= size
        if self._budget is not None:
            self._budget.give_back(1, size)
        return item

    def close(self) -> list[T]:
        """Refuse newcomers, wake all consumers and return what was left, oldest first."""
        self._closed = True
        left = [item for item, _ in self._items]
        if self._budget is not None:
            self._budget.give_back(len(left), self._bytes)
        self._items.clear()
        self._bytes = 0
        for consumer in self._consumers:
            if not consumer.done():
                consumer.set_result(None)
        return left

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    def fuller_than(self, share: float) -> bool:
        """Whether more than `share` (0 to 1) of either bound is taken."""
        return len(self._items) > share * self._max_count or self._bytes > share * self._max_bytes

    def statistics(self) -> MailboxStatistics:
        """Return the counts now."""
        return MailboxStatistics(len(self._items), self._bytes, self._accepted, self._refused)

    async def _wait(self) -> None:
        consumer = asyncio.get_running_loop().create_future()
        self._consumers.append(consumer)
        try:
            await consumer
        except asyncio.CancelledError:
            # Woken and cancelled at once: the wake-up belongs to the next consumer.
            if consumer.done() and not consumer.cancelled():
                self._wake_one()
            elif consumer in self._consumers:
                self._consumers.remove(consumer)
            raise

    def _wake_one(self) -> None:
        while self._consumers:
            consumer = self._consumers.popleft()
            if not consumer.done():
                consumer.set_result(None)
                return

    def _full(self, size: int) -> Overloaded:
        # The same text each time: who refuses by the thousand need not write each refusal anew.
        full = self._full_text
        if len(self._items) < self._max_count:
            full = (
                f"the mailbox of actor {self._owner!r} is full: its {self._bytes} bytes leave no room for"
                f" {size} more, as it takes {self._max_bytes}"
            )
        return Overloaded(full, hint="send slower or retry later; limits: mailbox in the manifest")
