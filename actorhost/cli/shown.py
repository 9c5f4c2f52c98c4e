"""How times, sizes and hosts are written for people, and times for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from actorhost.limits import KIB, MIB

SHORT: Final = 8
"""Digits of a host's id that tell it from others."""


def moment(time_ns: int) -> str:
    """Return a time since the Unix epoch as RFC 3339 has it, in UTC, to the millisecond."""
    return utc(datetime.fromtimestamp(time_ns / 1e9, UTC))


def utc(time: datetime) -> str:
    """Return a time in UTC as :func:`moment` does."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / MIB:.1f}MiB" if count >= MIB else f"{count // KIB}KiB"


def milliseconds(value: float) -> str:
    """Return a duration given in milliseconds as people read it."""
    return f"{value:.1f}ms" if value < 1000 else f"{value / 1000:.1f}s"
