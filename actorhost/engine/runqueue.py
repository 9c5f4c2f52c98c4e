"""Who runs next: a time budget for each pass of the event loop, shared by weight.

A call to an instance that was quick the last time runs inline in the task that makes it, until the
pass's budget is spent; then it waits in front. A guest that has yielded, or that nobody knows yet
while others wait, stands at the end; each pass polls these for a budget of their own, deficit
round-robin by measured time and weight, then lets the loop do I/O. So endless guests that start
again and again stand in each other's way, and in nobody else's.
(Shreedhar and Varghese, "Efficient Fair Queueing using Deficit Round Robin", 1995.)

Owned by the engine and used from its event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

from actorhost import clock
from actorhost.engine.capi import C
from actorhost.engine.suspension import Suspension
from actorhost.engine.ticker import EpochTicker
from actorhost.errors import DeadlineExceeded

FRESH_BUDGET_NS: Final = 3_000_000
"""Guest time of calls that have not yielded yet, in one pass of the event loop."""

BACKLOG_BUDGET_NS: Final = 1_000_000
"""Guest time of fibers that have yielded, in one pass of the event loop."""

_QUANTUM_NS: Final = 1_000_000
_GRACE: Final = 2
"""Slices after which a quick instance counts as slow. A tick can end a slice early, and the system
can take the processor away in the middle of one: neither is the guest's doing."""

_poll: Final = C.wasmtime_call_future_poll
_now_ns: Final = clock.monotonic_ns


class Usage:
    """What guests have used: `guest_ns` of processor time, and the `ticks` at which they were interrupted."""

    __slots__ = ("guest_ns", "ticks")

    def __init__(self) -> None:
        self.guest_ns = 0
        self.ticks = 0


class Guest(Protocol):
    """Whose fiber waits; the queue notes here that it yielded, and what it used."""

    quick: bool
    usage: Usage


class Turn:
    """One call's place in the queue: whose it is, its fiber (address of the future), when it must end."""

    __slots__ = ("deadline", "deficit", "future", "guest", "quick", "waiter", "weight", "yields")

    def __init__(self, guest: Guest, future: int, weight: int, deadline: float, quick: bool) -> None:
        self.guest = guest
        self.future = future
        self.weight = weight
        self.deadline = deadline
        self.quick = quick
        self.deficit = 0
        self.yields = 0
        self.waiter: asyncio.Future[bool] | None = None

    def yielded(self) -> None:
        """Note that the fiber has used a whole slice; after a few it stands at the end."""
        self.yields += 1
        self.guest.usage.ticks += 1
        if self.yields > _GRACE:
            self.quick = self.guest.quick = False

    def end(self, result: bool | DeadlineExceeded) -> None:
        """Wake whoever waits, unless it has gone."""
        waiter = self.waiter
        if waiter is None or waiter.done():
            return
        if isinstance(result, bool):
            waiter.set_result(result)
        else:
            waiter.set_exception(result)


class RunQueue:
    """Polls fibers within the budget; `suspension` tells whether the last one polled parked."""

    __slots__ = (
        "_backlog",
        "_fresh",
        "_loop",
        "_next_deadline",
        "_passing",
        "_waiting",
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
        self._fresh: deque[Turn] = deque()
        self._backlog: deque[Turn] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._next_deadline = float("inf")
        self._passing = False

    def __len__(self) -> int:
        return len(self._fresh) + len(self._backlog)

    def poll(self, future: int, usage: Usage) -> bool:
        """Run the fiber until it ends (true), yields or parks (false); `usage` is whose time it takes."""
        ticker, suspension = self.ticker, self.suspension
        ticker.polling = True
        if ticker.dormant:
            ticker.wake()
        suspension.parked = False
        started = _now_ns()
        done: bool = _poll(future)
        spent = _now_ns() - started
        self.spent_ns += spent
        usage.guest_ns += spent
        ticker.polling = False
        if suspension.parked:
            suspension.take()
        return done

    async def wait(self, turn: Turn) -> bool:
        """Wait until the fiber has ended (true) or parked (false), running it in its turns.

        Raises :class:`DeadlineExceeded` when its deadline passes first; it is then polled no more.
        """
        turn.waiter = self._loop.create_future()
        (self._fresh if turn.quick else self._backlog).append(turn)
        self._next_deadline = min(self._next_deadline, turn.deadline)
        self._schedule()
        try:
            return await turn.waiter
        finally:
            # Cancelled while waiting: the queue must not poll a future that is about to be deleted.
            turn.waiter = None

    async def room(self) -> None:
        """Wait until this pass has budget left: for work other than guests that would hold up the loop."""
        while self.spent_ns >= FRESH_BUDGET_NS:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(waiter)
            self._schedule()
            await waiter

    def _schedule(self) -> None:
        if not self._passing:
            self._passing = True
            self.ticker.urgent = True
            self._loop.call_soon(self._pass)

    def _pass(self) -> None:
        self._passing = False
        self.total_ns += self.spent_ns
        self.spent_ns = 0
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
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
            turn = self._fresh.popleft()
            if turn.waiter is not None and not self._step(turn):
                (self._fresh if turn.quick else self._backlog).append(turn)

    def _run_backlog(self) -> None:
        fresh = self.spent_ns
        budget = fresh + BACKLOG_BUDGET_NS
        while self._backlog and self.spent_ns < budget:
            turn = self._backlog[0]
            if turn.deficit <= 0:
                turn.deficit += _QUANTUM_NS * turn.weight
            before = self.spent_ns
            if turn.waiter is None or self._step(turn):
                self._backlog.popleft()
                continue
            turn.deficit -= self.spent_ns - before
            if turn.deficit <= 0:
                self._backlog.rotate(-1)
        # What the backlog used is not held against the calls that come fresh in this pass.
        self.total_ns += self.spent_ns - fresh
        self.spent_ns = fresh

    def _step(self, turn: Turn) -> bool:
        """Poll once; true when the turn leaves the queue because its fiber ended or parked."""
        done = self.poll(turn.future, turn.guest.usage)
        if not (done or self.suspension.parked):
            turn.yielded()
            return False
        turn.end(done)
        # It may park and come again, so it must not be polled for this turn any more.
        turn.waiter = None
        return True

    def _expire(self) -> None:
        """End the waits whose deadline has passed, wherever they stand in the queue."""
        now = clock.monotonic()
        self._next_deadline = float("inf")
        for turn in (*self._fresh, *self._backlog):
            if turn.deadline > now:
                self._next_deadline = min(self._next_deadline, turn.deadline)
            elif turn.waiter is not None:
                turn.end(DeadlineExceeded("the guest was still running at its deadline"))
                turn.waiter = None
