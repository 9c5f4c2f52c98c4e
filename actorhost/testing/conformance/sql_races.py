"""Rules of ``actorhost:sql`` about callers at the same time, and callers that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from actorhost.testing.conformance.rule import Suite, equal, holds
from actorhost.testing.conformance.sql_case import ENDLESS, SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

CALLERS: Final = 32
_QUICK: Final = 8
PASSES: Final = (*range(13), 20, 40)
"""Passes of the event loop after which callers go away; the later passes last longer."""


async def _cancelled(work: Coroutine[Any, Any, Any], passes: int, seconds: float = 0.0) -> None:
    """Cancel `work` after that many passes of the event loop and then `seconds`."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        for _ in range(passes):
            await asyncio.sleep(0 if passes < _QUICK else 0.0003)
        await asyncio.sleep(seconds)
        task.cancel()


@SUITE.rule("race-increment", "Increments at the same time are all counted.")
async def _(case: SqlCase) -> None:
    await case.make("n BIGINT")
    await case.execute("INSERT INTO %t (n) VALUES (0)")
    calls = (case.execute("UPDATE %t SET n = n + 1 RETURNING n") for _ in range(CALLERS))
    sums = [outcome.rows[0][0] for outcome in await asyncio.gather(*calls)]
    equal(sorted(sums), list(range(1, CALLERS + 1)), "the sums")
    equal(await case.value("SELECT n FROM %t"), CALLERS, "the number in the end")


@SUITE.rule("race-batch", "Nobody sees a batch that is half done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT PRIMARY KEY, n BIGINT")
    await case.execute("INSERT INTO %t (k, n) VALUES (1, 100), (2, 100)")
    moves = [
        case.batch(
            [
                ("UPDATE %t SET n = n - $1 WHERE k = 1", amount),
                ("UPDATE %t SET n = n + $1 WHERE k = 2", amount),
            ]
        )
        for amount in range(CALLERS)
    ]
    looks = [case.value("SELECT CAST(sum(n) AS BIGINT) FROM %t") for _ in range(CALLERS)]
    mixed = [call for pair in zip(moves, looks, strict=True) for call in pair]
    seen = (await asyncio.gather(*mixed))[1::2]
    equal(set(seen), {200}, "the sums seen")


@SUITE.rule("cancel-batch", "A batch whose caller goes away is done whole or not at all.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    for passes in PASSES:
        await _cancelled(case.batch([("INSERT INTO %t (k) VALUES (1)",)] * 100), passes)
        count = await case.count()
        holds(count % 100 == 0, f"{count} rows of batches of 100 after {passes} passes")


@SUITE.rule("cancel-query", "A backend serves the next caller after one that went away.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    await case.execute("INSERT INTO %t (k) VALUES (7)")
    for passes in PASSES:
        await _cancelled(case.query("SELECT k FROM %t"), passes)
        equal(await case.value("SELECT k FROM %t"), 7, f"the value after {passes} passes")


@SUITE.rule("cancel-long", "What nobody waits for any more is undone, and holds nobody up beyond its time.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    hurried = case.beside(statement_timeout=0.3)
    long = f"INSERT INTO %t (k) {ENDLESS} SELECT x FROM c"
    await _cancelled(hurried.execute(long), 0, 0.05)
    await _cancelled(hurried.query(f"{ENDLESS} SELECT count(*) FROM c"), 0, 0.05)
    async with asyncio.timeout(5):
        await case.execute("INSERT INTO %t (k) VALUES (0)")
        equal(await case.rows("SELECT k FROM %t"), [[0]], "the rows")
