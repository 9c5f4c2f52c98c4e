"""Rules of ``actorhost:sql`` about bounds: of results, rows and time."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.sql import MAX_ROWS
from actorhost.errors import CallTimeout, TooLarge
from actorhost.testing.conformance.rule import Suite, equal, holds
from actorhost.testing.conformance.sql_case import ENDLESS, NUMBERS, SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

_SHORT_MS: Final = 60


@SUITE.rule("limit-result", "A result over the link's max-result is refused, and the next call is served.")
async def _(case: SqlCase) -> None:
    small = case.beside(max_result=10_000)
    numbers = f"{NUMBERS.replace('%n', '2000')} SELECT x FROM c"
    error = await case.refused(small.query(numbers, limit=1), TooLarge)
    holds("max-result" in error.hint, f"the hint {error.hint!r}")
    equal(len(await case.rows(numbers)), 2000, "the rows over a link with more room")
    equal(await small.value("SELECT 1"), 1, "the next answer")


@SUITE.rule("limit-returned", "An execute that returns over a thousand rows is refused, and nothing is done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    insert = f"INSERT INTO %t (k) {NUMBERS} SELECT x FROM c RETURNING k"
    await case.refused(case.execute(insert.replace("%n", str(MAX_ROWS + 1))), TooLarge)
    equal(await case.count(), 0, "the number of rows")
    outcome = await case.execute(insert.replace("%n", str(MAX_ROWS)))
    equal((outcome.rows_affected, len(outcome.rows)), (MAX_ROWS, MAX_ROWS), "what is allowed")


@SUITE.rule("limit-row", "A row of 300,000 bytes is returned, one of over 524,288 bytes refused.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, x TEXT")
    await case.execute("INSERT INTO %t (k, x) VALUES (1, $1)", "x" * 300_000)
    equal(await case.value("SELECT x FROM %t"), "x" * 300_000, "the field")
    await case.refused(case.query("SELECT x, x FROM %t"), TooLarge)
    await case.refused(case.execute("UPDATE %t SET k = 2 RETURNING x, x"), TooLarge)
    equal(await case.value("SELECT k FROM %t"), 1, "the key")


@SUITE.rule("limit-time-query", "A query that takes too long is ended, and the next call is served.")
async def _(case: SqlCase) -> None:
    long = f"{ENDLESS} SELECT count(*) FROM c"
    error = await case.refused(case.query(long, timeout_ms=_SHORT_MS), CallTimeout)
    holds(error.outcome_known, "an unknown outcome")
    equal(await case.value("SELECT 1"), 1, "the next answer")


@SUITE.rule("limit-time-write", "A write that takes too long is ended, and nothing of it is done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    one, long = ("INSERT INTO %t (k) VALUES (0)",), f"INSERT INTO %t (k) {ENDLESS} SELECT x FROM c"
    for call in (
        case.execute(long, timeout_ms=_SHORT_MS),
        case.batch([one, (long,)], timeout_ms=_SHORT_MS),
    ):
        error = await case.refused(call, CallTimeout)
        holds(error.outcome_known, "an unknown outcome")
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule("limit-time-link", "A caller's timeout-ms cannot lengthen the link's statement-timeout.")
async def _(case: SqlCase) -> None:
    hurried = case.beside(statement_timeout=_SHORT_MS / 1000)
    long = f"{ENDLESS} SELECT count(*) FROM c"
    await case.refused(hurried.query(long, timeout_ms=30_000), CallTimeout)
    await case.refused(hurried.execute(long), CallTimeout)
