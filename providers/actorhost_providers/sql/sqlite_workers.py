"""Threads that do a database's work, each call on a connection that nobody else uses meanwhile.

Owned by the provider, ended by :meth:`Workers.close`. At most 1,000 calls wait; one whose time is
up or whose caller went away is left undone, or stopped in the middle and rolled back. SQLite does
not look up within one call of a built-in function: a thread that is still in there a second after it
was told to stop is given up, and another takes its place. It is a daemon, so that nothing waits for it.
Meanwhile the actor that sent it is refused, so that one actor takes no more threads than it had at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from actorhost.clock import monotonic
from actorhost.errors import ActorhostError, CallTimeout, Closed, Overloaded, ProviderFailed
from actorhost.ids import ActorName
from actorhost.telemetry.log import Log
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.sqlite_database import SqliteDatabase, Stopped

T = TypeVar("T")
E = TypeVar("E", bound=ActorhostError)

MAX_WAITING: Final = 1000
"""Calls that may wait for a connection."""
MAX_REPLACED: Final = 4
"""Threads given up at a time that others stand in for: each may keep a processor busy."""
_GRACE: Final = 1.0
"""Seconds that stopping may take before the thread is given up and the outcome counts as unknown."""
_CLOSING: Final = 2.0
"""Seconds that the end of all threads is waited for."""
_TOLD_EACH: Final = 60.0
"""Seconds between two lines in the log about a database that fails its calls."""
_log: Final = Log("actorhost.sql")
_STUCK_HINT: Final = (
    "find the statement that timed out before and make it cheaper; it ends by itself or with the process,"
    " so run this provider in a process of its own if it may come again"
)


class _Worker:
    """A thread's connection, None until it is opened, and the job it is at."""

    def __init__(self, database: SqliteDatabase | None) -> None:
        self.database = database
        self.job: _Job[Any] | None = None


class _Job(Generic[T]):
    """One call: `work` gets a connection and a function that says whether to stop.

    `worker` has it once it began. All of it is guarded by the lock of the :class:`Workers`.
    """

    def __init__(
        self, work: Callable[[SqliteDatabase, Callable[[], bool]], T], actor: ActorName, *, writes: bool
    ) -> None:
        self.work = work
        self.actor = actor
        self.writes = writes
        self.began = monotonic()
        self.answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.worker: _Worker | None = None
        self.stop = False
        self.given_up = False

    def stopped(self) -> bool:
        """Return whether it shall stop."""
        return self.stop


class Workers:
    """A thread for each of `databases`; `another` opens a connection for one that stands in.

    Without `another` nobody can stand in: calls are refused until the thread comes back. `shown` is
    the database's name in the log.
    """

    def __init__(
        self,
        shown: str,
        databases: Sequence[SqliteDatabase],
        another: Callable[[], SqliteDatabase] | None = None,
    ) -> None:
        """Take connections, to be closed in the end."""
        self._shown = shown
        self._another = another
        self._wanted = self._working = len(databases)
        self._lock = threading.Lock()
        self._stuck: set[_Worker] = set()
        self._threads: set[threading.Thread] = set()
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._jobs: set[_Job[Any]] = set()
        self._closed = False
        self._told_at: float | None = None
        for database in databases:
            self._start(_Worker(database))

    async def do(
        self, work: Callable[[SqliteDatabase, Callable[[], bool]], T], bounds: Bounds, *, writes: bool
    ) -> T:
        """Return what `work` does with a connection.

        Raises :class:`Overloaded` when too many wait, all threads were given up or one for this actor,
        :class:`CallTimeout` after the seconds of `bounds`, having changed nothing, :class:`Closed`,
        and what `work` raises.
        """
        self._check_room(bounds.actor)
        seconds = bounds.seconds
        job = _Job(work, bounds.actor, writes=writes)
        self._jobs.add(job)
        self._queue.put(job)
        try:
            return await self._answer(job, seconds)
        except Stopped:
            if self._closed:
                raise Closed("the database was closed meanwhile; nothing was done") from None
            raise self._timed_out(seconds) from None
        except ProviderFailed as error:
            self._tell_failed(error, bounds.actor)
            raise self._explained(error) if error.retryable else error from None
        finally:
            self._stop(job)
            job.answer.cancel()

    async def close(self) -> None:
        """Stop what is under way and close the connections; wait two seconds at most.

        What cannot be stopped is left to end with the process, or by itself and without effect.
        """
        with self._lock:
            self._closed = True
            for _ in range(self._working):
                self._queue.put(None)
        for job in list(self._jobs):
            if not self._stop(job):
                self._done(job, functools.partial(job.answer.set_exception, Stopped()))
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._join))
        await asyncio.sleep(0)  # what ended has answered before the rest is told
        for job in list(self._jobs):
            self._tell("statement left to end by itself", job)
            self._done(job, functools.partial(job.answer.set_exception, _closed_over(job)))

    def _join(self) -> None:
        until = monotonic() + _CLOSING
        for thread in list(self._threads):
            thread.join(max(0.0, until - monotonic()))

    def _check_room(self, actor: ActorName) -> None:
        if self._closed:
            raise Closed("the database is closed")
        if self._stuck:
            with self._lock:
                own = any(worker.job is not None and worker.job.actor == actor for worker in self._stuck)
            if own:
                raise _busy(actor)
        if not self._working:
            raise Overloaded(
                f"{len(self._stuck)} statements over their time cannot be ended, as SQLite does not look up"
                " within one of its functions; the database has no thread left",
                hint=_STUCK_HINT,
            )
        if len(self._jobs) >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} calls wait for the database", hint="retry later")

    async def _answer(self, job: _Job[T], seconds: float) -> T:
        await asyncio.wait({job.answer}, timeout=seconds)
        if not job.answer.done():
            began = self._stop(job)
            if began:
                await asyncio.wait({job.answer}, timeout=_GRACE)
            if not job.answer.done():
                error = self._timed_out(seconds)
                error.outcome_known = not (began and job.writes)
                raise error
        return job.answer.result()

    def _stop(self, job: _Job[Any]) -> bool:
        """Have a job stopped, in the event loop; return whether it had begun."""
        with self._lock:
            first, job.stop = not job.stop, True
            worker = job.worker
            if worker is None or worker.job is not job:
                return worker is not None
            if worker.database is not None:
                worker.database.interrupt()
        if first:
            job.answer.get_loop().call_later(_GRACE, self._give_up, job)
        return True

    def _give_up(self, job: _Job[Any]) -> None:
        """Let another thread stand in for that of a job that did not end."""
        with self._lock:
            worker = job.worker
            if worker is None or worker.job is not job or self._closed:
                return
            job.given_up = True
            self._stuck.add(worker)
            replaced = self._another is not None and len(self._stuck) <= MAX_REPLACED
            self._working -= not replaced
            # Else what this actor has waiting would take the next thread, and that of the others.
            waiting = [each for each in self._jobs if each.actor == job.actor and each.worker is None]
            for each in waiting:
                each.stop = True
        self._jobs.discard(job)
        self._tell("statement cannot be ended", job)
        if replaced:
            self._start(_Worker(None))
        for each in waiting:
            self._done(each, functools.partial(each.answer.set_exception, _busy(job.actor)))

    def _start(self, worker: _Worker) -> None:
        thread = threading.Thread(target=self._run, args=(worker,), name="actorhost-sql", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, worker: _Worker) -> None:
        """Do jobs in the thread, until there are no more or others do them."""
        try:
            while (job := self._queue.get()) is not None:
                if not self._carry_out(worker, job):
                    break
        finally:
            if worker.database is not None:
                worker.database.close()
            self._threads.discard(threading.current_thread())

    def _carry_out(self, worker: _Worker, job: _Job[T]) -> bool:
        """Do a job unless it was stopped before; return whether to go on with others."""
        with self._lock:
            if not job.stop:
                job.worker, worker.job, job.began = worker, job, monotonic()
        try:
            if worker.job is None:
                raise Stopped
            settle = functools.partial(job.answer.set_result, job.work(self._database(worker), job.stopped))
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            settle = functools.partial(job.answer.set_exception, error)
        with self._lock:
            worker.job = None
            goes_on = self._goes_on(worker)
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            job.answer.get_loop().call_soon_threadsafe(self._done, job, settle)
        return goes_on

    def _database(self, worker: _Worker) -> SqliteDatabase:
        """Return the connection; opened here, so that what prevents it is told to who needs it."""
        if worker.database is None:
            assert self._another is not None  # noqa: S101 - else nobody stands in
            worker.database = self._another()
        return worker.database

    def _goes_on(self, worker: _Worker) -> bool:
        """Return whether a thread is needed further: one that was given up only if none stands in."""
        if worker not in self._stuck:
            return True
        self._stuck.discard(worker)
        if self._closed or self._working == self._wanted:
            return False
        self._working += 1
        return True

    def _done(self, job: _Job[T], settle: Callable[[], object]) -> None:
        self._jobs.discard(job)
        if not job.answer.done():
            settle()
        if job.given_up:
            self._tell("statement ended that could not be", job)

    def _tell(self, what: str, job: _Job[Any]) -> None:
        _log.warning(
            what, provider="sql-sqlite", database=self._shown, actor=str(job.actor),
            running_s=round(monotonic() - job.began, 1), given_up=len(self._stuck), working=self._working,
        )  # fmt: skip

    def _tell_failed(self, error: ProviderFailed, actor: ActorName) -> None:
        """Say which database it is, as what an actor is told does not; not for each of its calls."""
        now = monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_EACH:
            self._told_at = now
            _log.warning(
                "database failed", provider="sql-sqlite", database=self._shown, actor=str(actor),
                reason=str(error),
            )  # fmt: skip

    def _timed_out(self, seconds: float) -> CallTimeout:
        error = CallTimeout(
            f"the statement took longer than {seconds:g} s; nothing was done",
            hint="make it cheaper (an index?), or raise statement-timeout of the link",
        )
        error.outcome_known = True
        return self._explained(error)

    def _explained(self, error: E) -> E:
        """Return what ended a call, with the likely cause if a thread was given up."""
        if self._stuck:
            error.hint = (
                "an earlier statement could not be ended and still has its thread, and the write lock if it"
                " writes: " + _STUCK_HINT
            )
        return error


def _busy(actor: ActorName) -> Overloaded:
    return Overloaded(
        f"a statement of actor {actor!r} that was over its time could not be ended and still runs",
        hint=_STUCK_HINT,
    )


def _closed_over(job: _Job[Any]) -> Closed:
    error = Closed("the database was closed while a statement ran that could not be ended")
    error.outcome_known = not job.writes
    return error
