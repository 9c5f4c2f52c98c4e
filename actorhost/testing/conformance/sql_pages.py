"""Rules of ``actorhost:sql`` about results that come in pages."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.sql import DEFAULT_PAGE
from actorhost.errors import BadRequest
from actorhost.testing.conformance.rule import Suite, equal, holds
from actorhost.testing.conformance.sql_case import NUMBERS, SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

LIFE: Final = 60.0
"""Seconds after its last use until when a result is kept."""
LARGEST_PAGE: Final = 256 * 1024
"""No page of small rows may be larger, in bytes of its texts."""


def _numbers(count: int) -> str:
    return f"{NUMBERS.replace('%n', str(count))} SELECT x FROM c ORDER BY x"


@SUITE.rule("page-default", "A page without a limit has 100 rows; without a cursor it is the last.")
async def _(case: SqlCase) -> None:
    whole = await case.query(_numbers(DEFAULT_PAGE))
    equal((len(whole.rows), whole.cursor), (DEFAULT_PAGE, None), "a result that fits one page")
    part = await case.query(_numbers(DEFAULT_PAGE + 1))
    equal(len(part.rows), DEFAULT_PAGE, "the number of rows in the first page")
    last = await case.next(part.cursor)
    equal((last.rows, last.cursor), ([[DEFAULT_PAGE + 1]], None), "the last page")


@SUITE.rule("page-limit", "A page has at most as many rows as asked for, each page by itself.")
async def _(case: SqlCase) -> None:
    first = await case.query(_numbers(20), limit=3)
    equal(first.rows, [[1], [2], [3]], "the first page")
    second = await case.next(first.cursor, 1)
    equal((second.columns, second.rows), (["x"], [[4]]), "the second page")
    third = await case.next(second.cursor, 1000)
    equal((len(third.rows), third.cursor), (16, None), "the rest")


@SUITE.rule("page-all", "The pages of a result together are its rows, in order, each once.")
async def _(case: SqlCase) -> None:
    equal(await case.rows(_numbers(2345)), [[number] for number in range(1, 2346)], "the rows")


@SUITE.rule("page-snapshot", "All pages show what was there at the query, whatever is written meanwhile.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, n BIGINT")
    await case.execute(f"INSERT INTO %t (k, n) {NUMBERS.replace('%n', '30')} SELECT x, 0 FROM c")
    page = await case.query("SELECT k, n FROM %t ORDER BY k", limit=10)
    await case.batch([("UPDATE %t SET n = 1",), ("DELETE FROM %t WHERE k > 15",)])
    rows = page.rows
    while page.cursor:
        page = await case.next(page.cursor, 10)
        rows = rows + page.rows
    equal(rows, [[number, 0] for number in range(1, 31)], "the rows")


@SUITE.rule("page-bytes", "Pages end early when their rows are large, and leave none out.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, x TEXT")
    for number in range(12):
        await case.execute("INSERT INTO %t (k, x) VALUES ($1, $2)", number, f"{number:02}" * 25_000)
    page = await case.query("SELECT k, x FROM %t ORDER BY k")
    pages = [page.rows]
    while page.cursor:
        page = await case.next(page.cursor)
        pages.append(page.rows)
    sizes = [sum(len(row[1]) for row in rows) for rows in pages]
    holds(max(sizes) <= LARGEST_PAGE, f"pages of {sizes} bytes")
    equal([row[0] for rows in pages for row in rows], list(range(12)), "the keys")


@SUITE.rule("page-again", "A page whose answer was lost can be asked for again, the last one too.")
async def _(case: SqlCase) -> None:
    first = await case.query(_numbers(25), limit=10)
    second = await case.next(first.cursor, 10)
    equal(await case.next(first.cursor, 10), second, "the second page again")
    last = await case.next(second.cursor, 10)
    equal(await case.next(second.cursor, 10), last, "the last page again")
    equal((last.rows[-1], last.cursor), ([25], None), "the end")


@SUITE.rule("page-owner", "A cursor is of no use to another actor, which cannot close it either.")
async def _(case: SqlCase) -> None:
    page = await case.query(_numbers(20), limit=10)
    other = case.beside(actor="other")
    await case.refused(other.next(page.cursor), BadRequest)
    await other.close(page.cursor or "")
    equal(len((await case.next(page.cursor)).rows), 10, "the rows of the rest")


@SUITE.rule("page-unknown", "A cursor that never was is refused.")
async def _(case: SqlCase) -> None:
    page = await case.query(_numbers(20), limit=10)
    name, _, _ = (page.cursor or "").rpartition(".")
    for cursor in ("", "nothing", ".", "nothing.1", f"{name}.99", f"{name}.-1", f"{name}.x", "\u0661.\u0661"):
        await case.refused(case.next(cursor), BadRequest)
    equal(len((await case.next(page.cursor)).rows), 10, "the rows of the rest")


@SUITE.rule("page-close", "After a close the cursor is refused; to close twice is fine.")
async def _(case: SqlCase) -> None:
    page = await case.query(_numbers(20), limit=10)
    for _ in range(2):
        await case.close(page.cursor or "")
    await case.refused(case.next(page.cursor), BadRequest)
    await case.close("nothing")


@SUITE.rule("page-kept", "A result is kept for as long as it is used once a minute.")
async def _(case: SqlCase) -> None:
    page = await case.query(_numbers(50), limit=10)
    for number in range(1, 5):
        await case.wait(LIFE - 5)
        page = await case.next(page.cursor, 10)
        equal(page.rows[0], [10 * number + 1], "the first row of a page")


@SUITE.rule("page-expiry", "A result that was not used for a minute is gone.")
async def _(case: SqlCase) -> None:
    page = await case.query(_numbers(20), limit=10)
    await case.wait(LIFE + 1)
    await case.refused(case.next(page.cursor), BadRequest)
