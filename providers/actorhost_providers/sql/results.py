"""Results of queries that did not fit one page, kept until they were read or forgotten.

One instance belongs to a provider; :meth:`Results.clear` ends it, and nothing survives the
process. A result is kept in memory, not in the database: no connection or transaction waits for
an actor that may never come back. A cursor is an unguessable name and a place in the result, so a
page that was lost can be asked for again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from actorhost.clock import monotonic
from actorhost.contracts.provider import Link
from actorhost.contracts.sql import DEFAULT_PAGE, Page
from actorhost.errors import BadRequest, Overloaded
from actorhost_providers.sql.link import MIB
from actorhost_providers.sql.rows import ROW_COST, Rows, decoded

PAGE_BYTES: Final = 128 * 1024
"""A page ends at about this many bytes, to fit any message."""
LIFE: Final = 60.0
"""Seconds after its last use that a result is kept."""
MAX_KEPT_BYTES: Final = 64 * MIB
"""What all results of a provider may hold."""
MAX_KEPT: Final = 1000
"""Most results of a provider, and a tenth of it those of one link, whose longest unused go first."""

Owner = tuple[str, str]


@dataclass(slots=True)
class _Kept:
    owner: Owner
    columns: list[str]
    rows: list[bytes]
    first: int
    size: int
    used: float
    ended: bool = False
    """Its last page was given: kept only in case the answer was lost."""


class Results:
    """The results of one provider, by name, the longest unused first."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Start with none; `clock` gives seconds."""
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def first(self, link: Link, rows: Rows, limit: int | None) -> Page:
        """Return the first page of `rows` and keep the rest; :class:`Overloaded` without room for it."""
        count = _fitting(rows.encoded, limit)
        rest = rows.encoded[count:]
        if not rest:
            return Page(rows.columns, decoded(rows.encoded))
        kept = _Kept(
            _owner(link), rows.columns, rest, count, rows.size - _cost(rows.encoded[:count]), self._clock()
        )
        self._make_room(kept)
        name = secrets.token_urlsafe(16)
        self._kept[name] = kept
        self._size += kept.size
        self._wait()
        return Page(rows.columns, decoded(rows.encoded[:count]), f"{name}.{count}")

    def next(self, link: Link, cursor: str, limit: int | None) -> Page:
        """Return the page at `cursor`; :class:`BadRequest` if it is gone or another link's."""
        self._sweep()
        name, _, place = cursor.rpartition(".")
        kept = self._kept.get(name)
        skipped = int(place) - kept.first if kept and place.isdecimal() else -1
        if kept is None or kept.owner != _owner(link) or not 0 <= skipped < len(kept.rows):
            raise BadRequest(
                "there is no result at this cursor: unknown, read on, unused for 60 seconds, or given up for"
                " newer ones of this link",
                hint="query again, and read page by page with the cursor of the page before",
            )
        self._forget_before(kept, skipped)
        kept.used = self._clock()
        self._kept[name] = self._kept.pop(name)
        count = _fitting(kept.rows, limit)
        kept.ended = count == len(kept.rows)
        following = None if kept.ended else f"{name}.{kept.first + count}"
        return Page(kept.columns, decoded(kept.rows[:count]), following)

    def close(self, link: Link, cursor: str) -> None:
        """Let go of the result of `cursor`, if there is one and it is the link's."""
        name = cursor.rpartition(".")[0]
        kept = self._kept.get(name)
        if kept is not None and kept.owner == _owner(link):
            self._drop(name)

    def forget(self, link: Link) -> None:
        """Let go of all results of `link`."""
        owner = _owner(link)
        for name in [name for name, kept in self._kept.items() if kept.owner == owner]:
            self._drop(name)

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_before(self, kept: _Kept, count: int) -> None:
        freed = _cost(kept.rows[:count])
        del kept.rows[:count]
        kept.first += count
        kept.size -= freed
        self._size -= freed

    def _make_room(self, wanted: _Kept) -> None:
        self._sweep()
        ended = [name for name, kept in self._kept.items() if kept.ended]
        # Actors often read one page and forget the rest: that must not keep them from the next query.
        own = [name for name, kept in self._kept.items() if kept.owner == wanted.owner and not kept.ended]
        gone = iter(ended + own)
        while not self._fits(wanted):
            name = next(gone, None)
            if name is None:
                raise Overloaded(
                    "there is no room to keep the rest of this result: other actors are reading theirs",
                    hint="read results to their end or close them; select less with LIMIT; or retry later",
                )
            self._drop(name)

    def _fits(self, wanted: _Kept) -> bool:
        siblings = sum(kept.owner == wanted.owner for kept in self._kept.values())
        fewer = len(self._kept) < MAX_KEPT and siblings < MAX_KEPT // 10
        return fewer and self._size + wanted.size <= MAX_KEPT_BYTES

    def _drop(self, name: str) -> None:
        self._size -= self._kept.pop(name).size

    def _sweep(self) -> None:
        """Drop what was not used for too long."""
        oldest = self._clock() - LIFE
        for name in [name for name, kept in self._kept.items() if kept.used < oldest]:
            self._drop(name)

    def _wait(self) -> None:
        """Give memory back also when nobody calls."""
        if self._timer is None and self._kept:
            self._timer = asyncio.get_running_loop().call_later(LIFE, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._sweep()
        self._wait()


def _owner(link: Link) -> Owner:
    return link.actor, link.name


def _cost(rows: list[bytes]) -> int:
    return sum(map(len, rows)) + ROW_COST * len(rows)


def _fitting(rows: list[bytes], limit: int | None) -> int:
    """Return how many of `rows` make a page: at least one if there is any."""
    room = PAGE_BYTES
    most = limit or DEFAULT_PAGE
    for count, row in enumerate(rows[:most]):
        room -= len(row)
        if room < 0 and count:
            return count
    return min(most, len(rows))
