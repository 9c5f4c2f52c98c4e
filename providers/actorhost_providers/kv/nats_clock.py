"""The clock of the server that keeps a stream, as far as its answers tell it.

Entries expire by that clock alone, so hosts whose clocks differ agree on what is there. Held by one
bucket; an answer is valid for ten seconds, so a new leader's clock is soon known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from actorhost.clock import monotonic_ns

_VALID_NS: Final = 10 * 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ServerClock:
    """Runs behind the server's clock by the time that its last answer took to come, never ahead of it."""

    def __init__(self) -> None:
        """Know nothing until :meth:`learn`."""
        self._learned_ns: int | None = None
        self._ahead_ns = 0

    @property
    def known(self) -> bool:
        """Whether the server has told its time lately."""
        return self._learned_ns is not None and monotonic_ns() - self._learned_ns < _VALID_NS

    def learn(self, stamp: str) -> None:
        """Take the time in an answer that has just come."""
        self._learned_ns = monotonic_ns()
        self._ahead_ns = nanoseconds(stamp) - self._learned_ns

    def has_passed(self, stamp: str, ttl_ms: int) -> bool:
        """Return whether that many milliseconds have gone by since `stamp`."""
        return monotonic_ns() + self._ahead_ns >= nanoseconds(stamp) + ttl_ms * 10**6


def nanoseconds(stamp: str) -> int:
    """Return the nanoseconds since the Unix epoch of an RFC 3339 time, to the microsecond."""
    return (datetime.fromisoformat(stamp) - _EPOCH) // _MICROSECOND * 1000
