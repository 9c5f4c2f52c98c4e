"""The conformance suite of ``actorhost:clock``: the rules every backend must keep.

A backend's clock is compared with the one of the process that runs the suite: within a second.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Final

from actorhost import clock
from actorhost.contracts.clock_reading import MonotonicParams, NowParams, ResolutionParams
from actorhost.testing.conformance.case import Case
from actorhost.testing.conformance.rule import Rule, Suite, equal, holds

SUITE: Final[Suite[Case]] = Suite()

_SECOND: Final = 1_000_000_000
_READINGS: Final = 200
_WAIT: Final = 0.02


async def _now(case: Case) -> int:
    return int(await case.call("now", NowParams()))


async def _monotonic(case: Case) -> int:
    return int(await case.call("monotonic", MonotonicParams()))


@SUITE.rule("now-utc", "now is the time since 1970 in UTC, in nanoseconds.")
async def _(case: Case) -> None:
    before = clock.wall_ns()
    told = await _now(case)
    after = clock.wall_ns()
    holds(before - _SECOND <= told <= after + _SECOND, f"it was {told - before} ns beside the suite's clock")


@SUITE.rule("now-goes-on", "now goes on as time does.")
async def _(case: Case) -> None:
    first = await _now(case)
    await asyncio.sleep(_WAIT)
    passed = await _now(case) - first
    holds(_WAIT * _SECOND / 2 <= passed <= _SECOND, f"{passed} ns passed in {_WAIT} s")


@SUITE.rule("monotonic-goes-on", "monotonic goes on as time does.")
async def _(case: Case) -> None:
    first = await _monotonic(case)
    await asyncio.sleep(_WAIT)
    passed = await _monotonic(case) - first
    holds(_WAIT * _SECOND / 2 <= passed <= _SECOND, f"{passed} ns passed in {_WAIT} s")


@SUITE.rule("monotonic-never-back", "monotonic never goes back.")
async def _(case: Case) -> None:
    told = [await _monotonic(case) for _ in range(_READINGS)]
    equal(sorted(told), told, "the order of the readings")


@SUITE.rule("resolution-told", "Differing readings differ by the resolution or more, which is 1 ns to 1 s.")
async def _(case: Case) -> None:
    resolution = await case.call("resolution", ResolutionParams())
    holds(1 <= resolution <= _SECOND, f"it was {resolution} ns")
    told = [await _monotonic(case) for _ in range(_READINGS)]
    steps = [after - before for before, after in itertools.pairwise(told) if after > before]
    holds(min(steps, default=resolution) >= resolution, f"a step of {min(steps, default=0)} ns was seen")


RULES: Final[tuple[Rule[Case], ...]] = tuple(SUITE)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
