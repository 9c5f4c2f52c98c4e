"""Threads that do a database's work, each call on a connection that nobody else uses meanwhile.

Owned by the provider, ended by :meth:`Workers.close`. At most 1,000 calls wait; one whose time is
up or whose caller went away is left undone, or stopped in the middle and rolled back.
"""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar

from actorhost.errors import CallTimeout, Closed, Overloaded
from actorhost_providers.sql.sqlite_database import SqliteDatabase, Stopped

T = TypeVar("T")

MAX_WAITING: Final = 1000
"""Calls that may wait for a connection."""
_GRACE: Final = 1.0
"""Seconds that stopping may take before the outcome counts as unknown."""


class _Job(Generic[T]):
    """One call: `work` gets a connection and a function that says whether to stop."""

    def __init__(self, work: Callable[[SqliteDatabase, Callable[[], bool]], T]) -> None:
        self.work = work
        self.answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lock = threading.Lock()
        self._stop = False
        self._began = False

    def begin(self) -> bool:
        """Return whether to begin, in the thread."""
        with self._lock:
            self._began = not self._stop
            return self._began

    def stop(self) -> bool:
        """Have it stopped, in the event loop; return whether it had begun."""
        with self._lock:
            self._stop = True
            return self._began

    def stopped(self) -> bool:
        """Return whether it shall stop."""
        return self._stop


class Workers:
    """A thread for each of `databases`."""

    def __init__(self, databases: Sequence[SqliteDatabase]) -> None:
        """Take connections, to be closed in the end."""
        self._databases = databases
        self._free: queue.SimpleQueue[SqliteDatabase] = queue.SimpleQueue()
        for database in databases:
            self._free.put(database)
        self._threads = ThreadPoolExecutor(len(databases), "actorhost-sql")
        self._jobs: set[_Job[Any]] = set()
        self._closed = False

    async def do(
        self, work: Callable[[SqliteDatabase, Callable[[], bool]], T], seconds: float, *, writes: bool
    ) -> T:
        """Return what `work` does with a connection.

        Raises :class:`Overloaded` when too many wait, :class:`CallTimeout` after `seconds`, having
        changed nothing, :class:`Closed`, and what `work` raises.
        """
        if self._closed:
            raise Closed("the database is closed")
        if len(self._jobs) >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} calls wait for the database", hint="retry later")
        job = _Job(work)
        self._jobs.add(job)
        self._threads.submit(self._carry_out, job)
        try:
            return await self._answer(job, seconds, writes=writes)
        except Stopped:
            if self._closed:
                raise Closed("the database was closed meanwhile; nothing was done") from None
            raise _timed_out(seconds) from None
        finally:
            job.stop()
            job.answer.cancel()

    async def close(self) -> None:
        """Stop what is under way, then close the connections."""
        self._closed = True
        for job in self._jobs:
            job.stop()
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._end))

    def _end(self) -> None:
        self._threads.shutdown()
        for database in self._databases:
            database.close()

    async def _answer(self, job: _Job[T], seconds: float, *, writes: bool) -> T:
        await asyncio.wait({job.answer}, timeout=seconds)
        if not job.answer.done():
            began = job.stop()
            if began:
                await asyncio.wait({job.answer}, timeout=_GRACE)
            if not job.answer.done():
                error = _timed_out(seconds)
                error.outcome_known = not (began and writes)
                raise error
        return job.answer.result()

    def _carry_out(self, job: _Job[T]) -> None:
        """Do a job in the thread, unless it was stopped before."""
        loop = job.answer.get_loop()
        database = self._free.get()
        try:
            if not job.begin():
                raise Stopped
            settle = functools.partial(job.answer.set_result, job.work(database, job.stopped))
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            settle = functools.partial(job.answer.set_exception, error)
        finally:
            self._free.put(database)
        loop.call_soon_threadsafe(self._done, job, settle)

    def _done(self, job: _Job[T], settle: Callable[[], object]) -> None:
        self._jobs.discard(job)
        if not job.answer.done():
            settle()


def _timed_out(seconds: float) -> CallTimeout:
    error = CallTimeout(
        f"the statement took longer than {seconds:g} s; nothing was done",
        hint="make it cheaper (an index?), or raise statement-timeout of the link",
    )
    error.outcome_known = True
    return error
