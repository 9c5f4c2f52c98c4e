"""Key-value entries in one SQLite file: what happens inside one transaction, and nothing asynchronous.

Used from one thread, that of the provider which owns it. Keys are kept as bytes, so that their
order is that of their UTF-8; revisions come from one counter and never repeat. What was committed
survives the end of the process; after a loss of power so it does with ``synchronous: full``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from actorhost.contracts.keyvalue import Entry, KeyAndValue, SetParams, add, parse_number

_BUSY_MS: Final = 1000
"""How long another process may hold the file before an operation fails."""
_SWEPT: Final = 64
"""Expired entries that one write clears away: more than it can add."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
    bucket TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL, expires REAL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS expiring ON entries (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (0, 0);
"""
_ALIVE: Final = "bucket = ? AND (expires IS NULL OR expires > ?)"


class SqliteStore:
    """The file at `path`, at most `max_bytes` large; `clock` gives seconds since the Unix epoch."""

    def __init__(self, path: Path, *, max_bytes: int, full_sync: bool, clock: Callable[[], float]) -> None:
        """Open or make the file; raises :class:`sqlite3.Error`."""
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(max_bytes, full_sync=full_sync)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, max_bytes: int, *, full_sync: bool) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if full_sync else 'NORMAL'}")
        (page,) = self._db.execute("PRAGMA page_size").fetchone()
        self._db.execute(f"PRAGMA max_page_count = {max(16, max_bytes // page)}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def get(self, bucket: str, keys: Sequence[str]) -> list[Entry | None]:
        """Return the entries under `keys`, as they are at one moment."""
        with self._transaction("BEGIN"):
            return [self._find(bucket, key.encode()) for key in keys]

    def set(self, bucket: str, params: SetParams) -> tuple[bool, int]:
        """Store a value if the condition holds; return whether it did, and the key's revision now."""
        key = params.key.encode()
        with self._transaction("BEGIN IMMEDIATE"):
            found = self._find(bucket, key)
            revision = found.revision if found else 0
            expected = 0 if params.if_absent else params.if_revision
            if expected is not None and expected != revision:
                return False, revision
            return True, self._put(bucket, key, params.value, params.ttl_ms)

    def set_many(self, bucket: str, entries: Iterable[KeyAndValue]) -> list[int]:
        """Store all `entries` and return their revisions."""
        with self._transaction("BEGIN IMMEDIATE"):
            return [self._put(bucket, entry.key.encode(), entry.value, None) for entry in entries]

    def delete(self, bucket: str, key: str, if_revision: int | None) -> bool:
        """Remove a key if the condition holds; return whether it was there and is gone."""
        with self._transaction("BEGIN IMMEDIATE"):
            found = self._find(bucket, key.encode())
            if found is None or (if_revision is not None and found.revision != if_revision):
                return False
            self._db.execute("DELETE FROM entries WHERE bucket = ? AND key = ?", (bucket, key.encode()))
            return True

    def increment(self, bucket: str, key: str, delta: int) -> int:
        """Add to the number under a key and return the sum; the entry lasts for ever then."""
        with self._transaction("BEGIN IMMEDIATE"):
            found = self._find(bucket, key.encode())
            total = add(parse_number(found.value) if found else 0, delta)
            self._put(bucket, key.encode(), b"%d" % total, None)
            return total

    def keys(self, bucket: str, prefix: str, after: str | None, count: int) -> list[str]:
        """Return at most `count` keys that start with `prefix` and come after `after`, in order."""
        first = prefix.encode()
        # No byte of UTF-8 is 0xFF, so this is behind every key with the prefix.
        bounds: tuple[object, ...] = (
            bucket,
            self._clock(),
            first,
            first + b"\xff",
            (after or "").encode(),
            count,
        )
        rows = self._db.execute(
            f"SELECT key FROM entries WHERE {_ALIVE} AND key >= ? AND key < ? AND key > ?"  # noqa: S608 - a constant
            " ORDER BY key LIMIT ?",
            bounds,
        )
        return [bytes(key).decode() for (key,) in rows]

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full file has rolled it back already
                self._db.execute("ROLLBACK")
            raise

    def _find(self, bucket: str, key: bytes) -> Entry | None:
        row = self._db.execute(
            f"SELECT value, revision FROM entries WHERE {_ALIVE} AND key = ?",  # noqa: S608 - a constant
            (bucket, self._clock(), key),
        ).fetchone()
        return None if row is None else Entry(bytes(row[0]), row[1])

    def _put(self, bucket: str, key: bytes, value: bytes, ttl_ms: int | None) -> int:
        self._sweep()
        # RETURNING would need SQLite 3.35, which is not everywhere.
        self._db.execute("UPDATE counter SET revision = revision + 1")
        (revision,) = self._db.execute("SELECT revision FROM counter").fetchone()
        expires = None if ttl_ms is None else self._clock() + ttl_ms / 1000
        self._db.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", (bucket, key, value, revision, expires)
        )
        return int(revision)

    def _sweep(self) -> None:
        self._db.execute(
            "DELETE FROM entries WHERE (bucket, key) IN"
            " (SELECT bucket, key FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?)",
            (self._clock(), _SWEPT),
        )
