"""Who runs next: a time budget for each pass of the event loop, shared by weight.

A call's first slices run inline in the task that makes it, until the pass's budget is spent. A
guest that yields, or comes when the budget is gone, waits here; each pass polls the waiting fibers
for about the budget, deficit round-robin by measured time and weight, then lets the loop do I/O.
(Shreedhar and Varghese, "Efficient Fair Queueing using Deficit Round Robin", 1995.)

Owned by the engine and used from its event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from actorhost import clock
from actorhost.engine.capi import C
from actorhost.engine.suspension import Suspension
from actorhost.engine.ticker import EpochTicker
from actorhost.errors import DeadlineExceeded

FRESH_BUDGET_NS: Final = 4_000_000
"""Guest time of calls that have not yielded yet, in one pass of the event loop."""

BACKLOG_BUDGET_NS: Final = 2_000_000
"""Guest time of fibers that have yielded, in one pass of the event loop."""

_QUANTUM_NS: Final = 1_000_000
_poll: Final = C.wasmtime_call_future_poll
_now_ns: Final = clock.monotonic_ns


class Entry:
    """A fiber waiting for its turn: future address, weight, deadline, and who waits for it."""

    __slots__ = ("deadline", "deficit", "future", "waiter", "weight")

    def __init__(self, future: int, weight: int, deadline: float, waiter: asyncio.Future[bool]) -> None:
        self.future = future
        self.weight = weight
        self.deadline = deadline
        self.waiter = waiter
        self.deficit = 0


class RunQueue:
    """Polls fibers within the budget; `suspension` tells whether the last one polled parked."""

    __slots__ = (
        "_backlog",
        "_fresh",
        "_loop",
        "_next_deadline",
        "_passing",
        "spent_ns",
        "suspension",
        "ticker",
        "total_ns",
    )

    def __init__(self, ticker: EpochTicker, suspension: Suspension, loop: asyncio.AbstractEventLoop) -> None:
        self.suspension = suspension
        self.spent_ns = 0
        self.total_ns = 0
        self.ticker = ticker
        self._loop = loop
        self._fresh: deque[Entry] = deque()
        self._backlog: deque[Entry] = deque()
        self._next_deadline = float("inf")
        self._passing = False

    def __len__(self) -> int:
        return len(self._fresh) + len(self._backlog)

    def poll(self, future: int) -> bool:
        """Run the fiber until it ends (true), yields or parks (false)."""
        ticker, suspension = self.ticker, self.suspension
        ticker.polling = True
        if ticker.dormant:
            ticker.wake()
        suspension.parked = False
        started = _now_ns()
        done: bool = _poll(future)
        self.spent_ns += _now_ns() - started
        ticker.polling = False
        if suspension.parked:
            suspension.take()
        return done

    async def turn(self, future: int, weight: int, deadline: float, *, fresh: bool) -> bool:
        """Wait until the fiber has ended (true) or parked (false), running it in its turns.

        Raises :class:`DeadlineExceeded` when `deadline` (seconds of the monotonic clock) passes
        first; the fiber is then no longer polled.
        """
        entry = Entry(future, weight, deadline, self._loop.create_future())
        (self._fresh if fresh else self._backlog).append(entry)
        self._next_deadline = min(self._next_deadline, deadline)
        self._schedule()
        try:
            return await entry.waiter
        finally:
            # Cancelled while waiting: the queue must not poll a future that is about to be deleted.
            entry.future = 0

    def _schedule(self) -> None:
        if not self._passing:
            self._passing = True
            self.ticker.urgent = True
            self._loop.call_soon(self._pass)

    def _pass(self) -> None:
        self._passing = False
        self.total_ns += self.spent_ns
        self.spent_ns = 0
        if clock.monotonic() >= self._next_deadline:
            self._expire()
        self._run_fresh()
        self._run_backlog()
        if self._fresh or self._backlog:
            self._schedule()
        else:
            self.ticker.urgent = False

    def _run_fresh(self) -> None:
        while self._fresh and self.spent_ns < FRESH_BUDGET_NS:
            entry = self._fresh.popleft()
            if entry.future and not self._step(entry):
                self._backlog.append(entry)

    def _run_backlog(self) -> None:
        fresh = self.spent_ns
        budget = fresh + BACKLOG_BUDGET_NS
        while self._backlog and self.spent_ns < budget:
            entry = self._backlog[0]
            if entry.deficit <= 0:
                entry.deficit += _QUANTUM_NS * entry.weight
            before = self.spent_ns
            if not entry.future or self._step(entry):
                self._backlog.popleft()
                continue
            entry.deficit -= self.spent_ns - before
            if entry.deficit <= 0:
                self._backlog.rotate(-1)
        # What the backlog used is not held against the calls that come fresh in this pass.
        self.total_ns += self.spent_ns - fresh
        self.spent_ns = fresh

    def _step(self, entry: Entry) -> bool:
        """Poll once; true when the entry leaves the queue because it ended or parked."""
        done = self.poll(entry.future)
        if not (done or self.suspension.parked):
            return False
        if not entry.waiter.done():
            entry.waiter.set_result(done)
        return True

    def _expire(self) -> None:
        """End the waits whose deadline has passed, wherever they stand in the queue."""
        now = clock.monotonic()
        self._next_deadline = float("inf")
        for entry in (*self._fresh, *self._backlog):
            if entry.deadline > now:
                self._next_deadline = min(self._next_deadline, entry.deadline)
            elif entry.future:
                entry.future = 0
                if not entry.waiter.done():
                    error = DeadlineExceeded("the guest was still running at its deadline")
                    entry.waiter.set_exception(error)
