"""The one place that reads the time.

Monotonic seconds and nanoseconds measure waits; wall-clock time is only ever shown to people
or handed to guests. Tests replace a ``Clock`` object, never these functions.
"""

from __future__ import annotations

import time
from typing import Final

monotonic: Final = time.monotonic
"""Seconds since an arbitrary start, never going back; the clock of asyncio's event loops."""

monotonic_ns: Final = time.monotonic_ns
"""The same clock in nanoseconds."""

wall_ns: Final = time.time_ns
"""Nanoseconds since the Unix epoch; may jump."""

sleep: Final = time.sleep
"""Block the calling thread; only for threads that run no event loop."""


def resolution_ns() -> int:
    """Return the least difference that both clocks can tell, in nanoseconds, at least 1."""
    coarser = max(time.get_clock_info(name).resolution for name in ("time", "monotonic"))
    return max(1, round(coarser * 1e9))


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, in all its threads, to the nanosecond; Linux only.

    Raises :class:`OSError` when there is no such process.
    """
    return time.clock_gettime(~pid << 3 | 2)  # what glibc's clock_getcpuclockid(3) returns
