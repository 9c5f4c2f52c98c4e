"""One bucket in memory: entries by key, in order, with expiry and a revision counter.

Owned by the memory provider and used from one thread. No method awaits, so each takes effect at
one moment and a cancelled caller leaves nothing half done. Gone with the process.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from actorhost.contracts.keyvalue import Entry

_SLACK: Final = 64
"""Stale records tolerated before a sweep, beside as many as there are live ones."""


@dataclass(slots=True)
class Room:
    """What the buckets of one provider hold together: `size` is bytes of keys and values."""

    keys: int = 0
    size: int = 0


class Bucket:
    """Entries by key; a key whose time has come is absent for every method."""

    __slots__ = ("_clock", "_deadlines", "_due", "_entries", "_order", "_revision", "_room")

    def __init__(self, room: Room, clock: Callable[[], float]) -> None:
        """Count in `room` what is held; `clock` gives monotonic seconds."""
        self._room = room
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        # Sorted; may hold removed keys until a sweep, so that removing costs no copy of it.
        self._order: list[str] = []
        self._deadlines: dict[str, float] = {}
        # Heap of (deadline, key); may hold deadlines that no longer count until a sweep.
        self._due: list[tuple[float, str]] = []
        self._revision = 0

    def find(self, key: str) -> Entry | None:
        """Return the entry under `key`."""
        if self._due:
            self.drop_expired()
        return self._entries.get(key)

    def growth(self, items: Iterable[tuple[str, bytes]]) -> Room:
        """Return how much storing `items`, of different keys, would add; may be negative."""
        added = Room()
        for key, value in items:
            found = self.find(key)
            added.keys += found is None
            added.size += len(value) - len(found.value) if found else _size(key, value)
        return added

    def store(self, key: str, value: bytes, ttl: float | None = None) -> int:
        """Replace the entry under `key`; it lasts `ttl` seconds, for ever if None. Return its revision."""
        self.remove(key)
        self._revision += 1
        self._entries[key] = Entry(value, self._revision)
        self._room.keys += 1
        self._room.size += _size(key, value)
        place = bisect_left(self._order, key)
        if place == len(self._order) or self._order[place] != key:
            self._order.insert(place, key)
        if ttl is not None:
            self._deadlines[key] = self._clock() + ttl
            heappush(self._due, (self._deadlines[key], key))
        return self._revision

    def remove(self, key: str) -> bool:
        """Remove `key`; return whether it was there."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._deadlines.pop(key, None)
        self._room.keys -= 1
        self._room.size -= _size(key, entry.value)
        self._sweep()
        return True

    def keys_from(self, prefix: str, after: str | None) -> Iterator[str]:
        """Yield in order the keys that start with `prefix` and come after `after`."""
        self.drop_expired()
        start = bisect_left(self._order, prefix)
        if after is not None:
            start = max(start, bisect_right(self._order, after))
        for place in range(start, len(self._order)):
            key = self._order[place]
            if not key.startswith(prefix):
                return
            if key in self._entries:
                yield key

    def drop_expired(self) -> None:
        """Remove the entries whose time has come."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            deadline, key = heappop(self._due)
            if self._deadlines.get(key) == deadline:
                self.remove(key)

    def _sweep(self) -> None:
        if len(self._order) > 2 * len(self._entries) + _SLACK:
            self._order = [key for key in self._order if key in self._entries]
        if len(self._due) > 2 * len(self._deadlines) + _SLACK:
            self._due = [(deadline, key) for key, deadline in self._deadlines.items()]
            heapify(self._due)


def take_page(keys: Iterator[str], limit: int, size: int) -> tuple[list[str], bool]:
    """Return at most `limit` keys of about `size` bytes together, and whether there are more."""
    page: list[str] = []
    for key in keys:
        if len(page) == limit or size <= 0:
            return page, True
        page.append(key)
        size -= len(key.encode())
    return page, False


def _size(key: str, value: bytes) -> int:
    return len(key.encode()) + len(value)
