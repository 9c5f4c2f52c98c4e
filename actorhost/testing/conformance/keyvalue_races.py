"""Rules of ``actorhost:keyvalue`` about callers at the same time, and callers that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[KeyValueCase]] = Suite()

CALLERS: Final = 64
SETTLED: Final = 0.1
"""Seconds after which what a cancelled caller had already sent has been done or not."""


async def _cancelled(work: Coroutine[Any, Any, Any], passes: int) -> None:
    """Cancel `work` after that many passes of the event loop."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        for _ in range(passes):
            await asyncio.sleep(0)
        task.cancel()


@SUITE.rule("race-increment", "Increments at the same time are all counted, and each sum is answered once.")
async def _(case: KeyValueCase) -> None:
    sums = await asyncio.gather(*(case.increment("n", 1) for _ in range(CALLERS)))
    equal(sorted(sums), list(range(1, CALLERS + 1)), "the sums")
    equal(await case.value("n"), b"%d" % CALLERS, "the number in the end")


@SUITE.rule("race-if-revision", "Of writers with the same revision exactly one stores.")
async def _(case: KeyValueCase) -> None:
    revision = (await case.set("k", b"start")).revision
    writers = (case.set("k", b"%d" % number, if_revision=revision) for number in range(CALLERS))
    outcomes = await asyncio.gather(*writers)
    winners = [number for number, outcome in enumerate(outcomes) if outcome.stored]
    equal(len(winners), 1, "the number of winners")
    equal(await case.value("k"), b"%d" % winners[0], "the value")


@SUITE.rule("race-if-absent", "Of writers with if-absent exactly one stores.")
async def _(case: KeyValueCase) -> None:
    writers = (case.set("k", b"%d" % number, if_absent=True) for number in range(CALLERS))
    outcomes = await asyncio.gather(*writers)
    winners = [number for number, outcome in enumerate(outcomes) if outcome.stored]
    equal(len(winners), 1, "the number of winners")
    equal(await case.value("k"), b"%d" % winners[0], "the value")


@SUITE.rule("race-delete", "Of deletes at the same time exactly one answers true.")
async def _(case: KeyValueCase) -> None:
    await case.set("k")
    answers = await asyncio.gather(*(case.delete("k") for _ in range(CALLERS)))
    equal(answers.count(True), 1, "the number of deletes that removed the key")


@SUITE.rule("race-revisions", "No two writes have the same revision.")
async def _(case: KeyValueCase) -> None:
    outcomes = await asyncio.gather(*(case.set(f"k{number % 4}") for number in range(CALLERS)))
    equal(len({outcome.revision for outcome in outcomes}), CALLERS, "the number of different revisions")


@SUITE.rule("race-set-many", "Entries of two set-many at the same time are not mixed in the end.")
async def _(case: KeyValueCase) -> None:
    names = [f"k{number}" for number in range(20)]
    writers = (case.set_many([(name, b"%d" % writer) for name in names]) for writer in range(8))
    await asyncio.gather(*writers)
    values = {entry.value for entry in await case.get_many(names) if entry}
    equal(len(values), 1, "the number of writers whose entries are left")


@SUITE.rule("cancel-set-many", "A set-many whose caller goes away is stored whole or not at all.")
async def _(case: KeyValueCase) -> None:
    for passes in range(6):
        names = [f"{passes}-{number}" for number in range(10)]
        await _cancelled(case.set_many([(name, b"") for name in names]), passes)
        await case.wait(SETTLED)
        found = sum(entry is not None for entry in await case.get_many(names))
        holds(found in (0, len(names)), f"{found} of {len(names)} entries after {passes} passes")


@SUITE.rule("cancel-set", "A set whose caller goes away leaves the old entry or the new one, whole.")
async def _(case: KeyValueCase) -> None:
    for passes in range(6):
        await case.set("k", b"old")
        await _cancelled(case.set("k", b"new"), passes)
        await case.wait(SETTLED)
        value, listed = await case.value("k"), await case.keys()
        holds(value in (b"old", b"new"), f"the value {value!r} after {passes} passes")
        equal(listed, ["k"], f"the keys after {passes} passes")


@SUITE.rule("cancel-then-serve", "A backend serves the next caller after one that went away.")
async def _(case: KeyValueCase) -> None:
    for passes in range(6):
        await _cancelled(case.increment("n", 1), passes)
        await case.wait(SETTLED)
        before = await case.increment("n", 0)
        equal(await case.increment("n", 1), before + 1, f"the next sum after {passes} passes")
