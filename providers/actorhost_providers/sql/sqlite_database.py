"""One connection to a SQLite database: statements of actors, in transactions, and nothing asynchronous.

Used in one thread at a time, and owned by the provider. What was committed survives the end of the
process and a loss of power; a transaction that was cut is gone when the file is next opened.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from actorhost.clock import monotonic
from actorhost.contracts.sql import Outcome, Statement
from actorhost.errors import ActorhostError, BadRequest, ProviderFailed
from actorhost_providers.sql.link import MIB, Bounds
from actorhost_providers.sql.rows import Rows, decoded
from actorhost_providers.sql.sqlite_module import sqlite, stored_timestamp
from actorhost_providers.sql.sqlite_rules import Right, Rules
from actorhost_providers.sql.statement import PLACEHOLDERS, given

_LONGEST: Final = MIB
"""No text, blob or row may become larger than this many bytes on its way: twice what a result takes.

SQLite's instr(), replace() and json_patch() take time with the square of it, and cannot be ended.
"""
_LONGEST_PATTERN: Final = 1000
"""Bytes of a pattern for LIKE and GLOB, whose time is the product with the text's length."""
_MEMORY: Final = 1024 * MIB
"""Bytes of memory for all of SQLite in the process; one row may be made of thousands of long values."""
_LOCK_SLICE: Final = 0.1
"""Seconds of waiting for the write lock between two looks at whether the caller still waits."""
_STEPS: Final = 20_000
"""Steps of SQLite's machine after which it asks whether to go on: a fraction of a millisecond."""
_OURSELVES: Final = frozenset(
    [
        sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED, sqlite.SQLITE_NOMEM, sqlite.SQLITE_READONLY,
        sqlite.SQLITE_IOERR, sqlite.SQLITE_CORRUPT, sqlite.SQLITE_FULL, sqlite.SQLITE_CANTOPEN,
        sqlite.SQLITE_PROTOCOL, sqlite.SQLITE_NOLFS, sqlite.SQLITE_NOTADB,
    ]
)  # fmt: skip
"""Codes of what is wrong with the database rather than with the statement."""
_TOLD: Final = 500
"""Characters of an error's message: it may quote a name as long as a statement."""
_HINT: Final = "look at the file, its disk and who else has it open"
_HINTS: Final = {
    sqlite.SQLITE_FULL: "delete rows, or raise max-bytes of the provider if that is what is reached",
    sqlite.SQLITE_NOMEM: "it is for all of SQLite in the process: work with smaller values, or retry later",
}


class Stopped(Exception):
    """The statement was ended before its end, because nobody waits for it any more."""


class SqliteDatabase:
    """A connection to `uri`, for reading only if `reader`; it lets the database grow to `most` bytes."""

    def __init__(self, uri: str, *, reader: bool = False, most: int | None = None) -> None:
        """Open the database. Raises :class:`ProviderFailed`, which like all errors does not name the file."""
        self._rules = Rules()
        self._stopped: Callable[[], bool] = lambda: False
        self._interruptible = False
        self._lock = threading.Lock()
        with self._translated():
            # No compiled statement is kept: the authorizer judged it under the right it was compiled with.
            self._db = sqlite.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=0,
                detect_types=sqlite.PARSE_DECLTYPES, timeout=1.0,
            )  # fmt: skip
            try:
                self._prepare(reader=reader, most=most)
            except BaseException:
                self._db.close()
                raise

    def read(self, statement: Statement, bounds: Bounds, stopped: Callable[[], bool]) -> Rows:
        """Return all rows of `statement`, which cannot write."""
        with self._transaction("BEGIN", bounds.seconds, stopped, keep=False):
            cursor = self._run(statement, Right.READ)
            return self._fetch(cursor, Rows(_columns(cursor), bounds))

    def write(
        self, statements: Sequence[Statement], bounds: Bounds, stopped: Callable[[], bool]
    ) -> list[Outcome]:
        """Carry out all `statements` or none."""
        outcomes: list[Outcome] = []
        returned = Rows((), bounds)
        with self._transaction("BEGIN IMMEDIATE", bounds.seconds, stopped, keep=True):
            for statement in statements:
                changes, already = self._db.total_changes, len(returned.encoded)
                cursor = self._run(statement, Right.WRITE)
                returned.head(_columns(cursor))
                self._fetch(cursor, returned)
                # Both, since changes() stays what it was after a statement that cannot change rows.
                affected = self._changes() if self._db.total_changes > changes else 0
                outcomes.append(Outcome(affected, returned.columns, decoded(returned.encoded[already:])))
                if stopped():
                    raise Stopped
        return outcomes

    def interrupt(self) -> None:
        """End the statement under way, from another thread; what begins or ends a transaction goes on."""
        with self._lock:
            if self._interruptible:
                self._db.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _prepare(self, *, reader: bool, most: int | None) -> None:
        self._db.setlimit(sqlite.SQLITE_LIMIT_LENGTH, _LONGEST)
        self._db.setlimit(sqlite.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
        self._db.execute(f"PRAGMA hard_heap_limit = {_MEMORY}")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA trusted_schema = OFF")
        if sys.version_info >= (
            3,
            12,
        ):  # tables behind full-text search, spoiled by hand, have crashed SQLite
            self._db.setconfig(sqlite.SQLITE_DBCONFIG_DEFENSIVE, True)
        if reader:
            self._db.execute("PRAGMA query_only = ON")
        else:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a file that is no database
        if most is not None:
            (page,) = self._db.execute("PRAGMA page_size").fetchone()
            self._db.execute(f"PRAGMA max_page_count = {most // page}")
        self._db.set_authorizer(self._rules)
        self._db.set_progress_handler(lambda: self._stopped(), _STEPS)  # noqa: PLW0108 - it changes with each call

    @contextmanager
    def _transaction(
        self, begin: str, seconds: float, stopped: Callable[[], bool], *, keep: bool
    ) -> Iterator[None]:
        """Keep what the body did, or nothing of it; others may hold the file for at most `seconds`."""
        with self._translated():
            self._begin(begin, seconds, stopped)
            self._stopped = stopped
            try:
                self._allow_interrupt(True)
                try:
                    yield
                finally:
                    self._allow_interrupt(False)
                if keep:
                    self._db.execute("COMMIT")
            finally:
                self._stopped = lambda: False
                if self._db.in_transaction:  # some errors roll back by themselves
                    self._db.execute("ROLLBACK")

    def _begin(self, begin: str, seconds: float, stopped: Callable[[], bool]) -> None:
        """Begin a transaction; waits in slices, since nothing else ends SQLite's own waiting."""
        until = monotonic() + seconds
        self._patience(min(seconds, _LOCK_SLICE))
        while True:
            try:
                self._db.execute(begin)
                break
            except sqlite.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite.SQLITE_BUSY or monotonic() >= until:
                    raise
                if stopped():
                    raise Stopped from None
        self._patience(seconds)

    def _patience(self, seconds: float) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def _allow_interrupt(self, allowed: bool) -> None:
        with self._lock:
            self._interruptible = allowed

    def _run(self, statement: Statement, right: Right) -> sqlite.Cursor:
        bound = _Bound(statement.parameters)
        cursor = self._db.cursor()
        self._rules.right, self._rules.refusal = right, None
        try:
            cursor.execute(statement.text, bound)
        except BaseException:
            cursor.close()
            raise
        finally:
            self._rules.right = Right.OURS
        bound.check_all_used()
        return cursor

    def _fetch(self, cursor: sqlite.Cursor, rows: Rows) -> Rows:
        try:
            for row in cursor:
                rows.add(row)
        finally:
            cursor.close()
        return rows

    def _changes(self) -> int:
        (count,) = self._db.execute("SELECT changes()").fetchone()
        return int(count)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say in our words what SQLite raises in the body."""
        try:
            yield
        except (sqlite.Error, sqlite.Warning) as error:
            refusal, self._rules.refusal = self._rules.refusal, None
            raise refusal or self._fault(error) from None
        except MemoryError:
            raise self._failed(sqlite.SQLITE_NOMEM, f"more than {_MEMORY // MIB} MiB of memory") from None

    def _fault(self, error: Exception) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite.SQLITE_INTERRUPT:
            return Stopped()
        if code & 0xFF in _OURSELVES:
            return self._failed(code & 0xFF, error)
        if str(error).startswith("Binding "):
            return BadRequest("the statement has a placeholder without a number: ?", hint=PLACEHOLDERS)
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        message = f"[{name}] {_without_values(str(error))}"
        return BadRequest(message, hint="look at the statement and the schema")

    def _failed(self, code: int, error: object) -> ActorhostError:
        failed = ProviderFailed(f"the database did not do it: {error}", hint=_HINTS.get(code, _HINT))
        failed.retryable = code in (sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED, sqlite.SQLITE_NOMEM)
        failed.outcome_known = code != sqlite.SQLITE_IOERR  # it may have come at the end of a commit
        return failed


class _Bound(dict[str, object]):
    """Parameters under the names SQLite asks for; remembers which it asked for.

    A dictionary, and empty as such, because the module takes any other mapping for a sequence.
    """

    def __init__(self, parameters: Sequence[object]) -> None:
        super().__init__()
        self._parameters = parameters
        self._asked: set[int] = set()

    def __getitem__(self, name: str) -> object:
        number = int(name) if name.isdecimal() and len(name) < 10 else 0
        if number == 0:
            raise BadRequest(f"the placeholder ${name[:40]} is not numbered", hint=_placeholders(name))
        if number > len(self._parameters):
            raise BadRequest(
                f"the statement takes ${number}, and {given(len(self._parameters))}", hint=PLACEHOLDERS
            )
        self._asked.add(number)
        value = self._parameters[number - 1]
        return stored_timestamp(value) if isinstance(value, datetime) else value

    def check_all_used(self) -> None:
        """Raise :class:`BadRequest` when SQLite did not ask for one of them."""
        if len(self._asked) == len(self._parameters):
            return
        taken = (
            f"only {', '.join(f'${number}' for number in sorted(self._asked)[:8])}" if self._asked else "none"
        )
        raise BadRequest(
            f"the statement takes {taken}, and {given(len(self._parameters))}", hint=PLACEHOLDERS
        )


def _placeholders(name: str) -> str:
    return f"{PLACEHOLDERS}; a cast is CAST($1 AS type) here, not $1::type" if "::" in name else PLACEHOLDERS


def _columns(cursor: sqlite.Cursor) -> list[str]:
    return [column[0] for column in cursor.description or ()]


def _without_values(message: str) -> str:
    """Return an error's message without what it quotes of values."""
    if message.startswith("Could not decode"):
        return "a text that is not UTF-8; cast it to a blob"
    told = re.sub(r" near .*", "", message, flags=re.DOTALL) if message.startswith("fts5:") else message
    return told[:_TOLD]
