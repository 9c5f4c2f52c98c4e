"""Joins what hosts keep of a log with what comes live: each line once, in the order of its host.

Owned by whoever follows a log. A line is known by its number. One that is missing, because a batch
was dropped, a connection was lost or the actor was deployed again, is fetched from what the host
keeps; what the host does not keep any more is lost, and said to be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from actorhost import clock
from actorhost.errors import ActorhostError
from actorhost.host.control_messages import LogsReply
from actorhost.host.follow import Round
from actorhost.host.log import KEPT_LINES, Line
from actorhost.host.watch_messages import LogBatch

_PAUSE: Final = 1.0
"""Seconds between two fetches from one host."""

Tail = Callable[[str, int], Awaitable[LogsReply]]
"""Host, how many lines -> its last lines."""
Found = list[tuple[str, Line]]


@dataclass(slots=True)
class _Progress:
    """How far one host's log has been shown: up to line `seen`; it had line `told` a round ago."""

    seen: int
    told: int = 0
    fetched_at: float = -_PAUSE


class LogLines:
    """The log of one actor on all its hosts; `tail` fetches what one of them keeps.

    `lost` is true once lines could not be had any more; `now` returns the time in seconds.
    """

    def __init__(self, tail: Tail, *, now: Callable[[], float] = clock.monotonic) -> None:
        self._tail = tail
        self._now = now
        self._hosts: dict[str, _Progress] = {}
        self._began_ns = clock.wall_ns()
        self.lost = False

    async def begin(self, first: Round, count: int) -> Found:
        """Return the last `count` lines of all hosts that are followed, oldest first."""
        found: Found = []
        for host, lease in first.leases.items():
            try:
                kept = (await self._tail(host, count)).lines
            except ActorhostError:  # gone meanwhile; if it answers again, the next round finds it
                continue
            self._hosts[host] = _Progress(seen=kept[-1].number if kept else lease.last)
            found += [(host, line) for line in kept]
        found.sort(key=lambda item: (item[1].time_ns, item[0], item[1].number))
        return found[-count:]

    async def take(self, item: LogBatch | Round) -> Found:
        """Return the lines to show now: those of a batch, or those that a round shows to be missing."""
        if isinstance(item, LogBatch):
            return await self._lines(item)
        found: Found = []
        for host, lease in item.leases.items():
            progress = self._hosts.get(host)
            # On the way for a whole round: it got lost. A host that is new may have logged before its lease.
            if progress is None or progress.seen < progress.told:
                found += await self._fetch(host)
            self._hosts[host].told = lease.last
        return found

    async def _lines(self, batch: LogBatch) -> Found:
        host = batch.host
        found: Found = [] if host in self._hosts else await self._fetch(host)
        progress = self._hosts[host]
        for line in batch.records:
            if line.number > progress.seen + 1:
                found += await self._fetch(host)
            if line.number > progress.seen:
                progress.seen = line.number
                found.append((host, line))
        return found

    async def _fetch(self, host: str) -> Found:
        """Return the lines that `host` keeps beyond those seen; none so soon after the last time.

        Of a host that was not followed before, those since following began.
        """
        new = host not in self._hosts
        progress = self._hosts.setdefault(host, _Progress(seen=0))
        now = self._now()
        if now - progress.fetched_at < _PAUSE:
            self.lost = True
            return []
        progress.fetched_at = now
        try:
            reply = await self._tail(host, KEPT_LINES)
        except ActorhostError:
            # The actor or its host has just gone, or the connection: what comes next shows which.
            return []
        lines = [line for line in reply.lines if line.number > progress.seen]
        full = reply.cut or len(reply.lines) == KEPT_LINES
        if full and lines and not new and lines[0].number > progress.seen + 1:
            self.lost = True
        # What was told before is among these lines, or nowhere any more.
        progress.seen = max(progress.seen, progress.told, *(line.number for line in lines))
        return [(host, line) for line in lines if not new or line.time_ns >= self._began_ns]
