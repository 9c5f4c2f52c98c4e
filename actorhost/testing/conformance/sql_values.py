"""Rules of ``actorhost:sql`` about values and parameters."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from actorhost.errors import BadRequest
from actorhost.testing.conformance.rule import Suite, equal
from actorhost.testing.conformance.sql_case import SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

COLUMNS: Final = (
    "k BIGINT PRIMARY KEY, b BOOLEAN, i BIGINT, r DOUBLE PRECISION, x TEXT, y BYTEA, at TIMESTAMPTZ"
)
INSERT: Final = "INSERT INTO %t (k, b, i, r, x, y, at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
SELECT: Final = "SELECT b, i, r, x, y, at FROM %t ORDER BY k"
MOMENT: Final = datetime(2026, 2, 28, 23, 59, 59, 123456, UTC)


def _typed(row: list[object]) -> tuple[list[str], list[object]]:
    """Return a row with the types of its fields: True equals 1, and 1 equals 1.0."""
    return [type(field).__name__ for field in row], row


async def _come_back(case: SqlCase, *rows: list[object]) -> None:
    await case.make(COLUMNS)
    for number, row in enumerate(rows):
        await case.execute(INSERT, number, *row)
    found = await case.rows(SELECT)
    equal([_typed(row) for row in found], [_typed(row) for row in rows], "the rows")


@SUITE.rule("value-kinds", "Every kind of value comes back from a column of its type as it was given.")
async def _(case: SqlCase) -> None:
    await _come_back(
        case,
        [True, 7, 1.5, "text", b"blob", MOMENT],
        [False, -7, 2.0, "b", b"\x00\xff", MOMENT],
    )


@SUITE.rule("value-bounds", "The least and greatest values come back as they were given.")
async def _(case: SqlCase) -> None:
    early, late = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999999, UTC)
    await _come_back(
        case,
        [True, -(2**63), -sys.float_info.max, "", b"", early],
        [False, 2**63 - 1, 5e-324, "\U0001f600 \u0301 'x' \\ \r\n", bytes(range(256)), late],
    )


@SUITE.rule("value-null", "Null goes into a column of any type and comes back as null.")
async def _(case: SqlCase) -> None:
    await _come_back(case, [None] * 6, [True, 1, 1.0, "x", b"y", MOMENT])


@SUITE.rule("value-timestamp", "A timestamp is a moment: compared by time, and given back in UTC.")
async def _(case: SqlCase) -> None:
    await case.make(COLUMNS)
    moments = [MOMENT + timedelta(microseconds=delta) for delta in (1, -1, 1_000_000)]
    for number, moment in enumerate(moments):
        elsewhere = moment.astimezone(timezone(timedelta(hours=number - 1)))
        await case.execute("INSERT INTO %t (k, at) VALUES ($1, $2)", number, elsewhere)
    later = await case.rows("SELECT at FROM %t WHERE at > $1 ORDER BY at", MOMENT)
    equal(later, [[MOMENT + timedelta(microseconds=1)], [MOMENT + timedelta(seconds=1)]], "the later ones")


@SUITE.rule("value-not-finite", "A real that is not finite is refused instead of returned.")
async def _(case: SqlCase) -> None:
    await case.make(COLUMNS)
    await case.execute("INSERT INTO %t (k, r) VALUES ($1, $2)", 1, 1e308)
    await case.refused(case.query("SELECT r * 10 FROM %t"), BadRequest)


@SUITE.rule("parameter-numbers", "$n is the n-th parameter, in any order and as often as it is used.")
async def _(case: SqlCase) -> None:
    await case.make("a TEXT, b TEXT, c TEXT")
    await case.execute("INSERT INTO %t (a, b, c) VALUES ($2, $1, $2)", "first", "second")
    equal(await case.rows("SELECT a, b, c FROM %t"), [["second", "first", "second"]], "the row")


@SUITE.rule("parameter-missing", "A placeholder without a parameter is refused, and nothing is done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, n BIGINT")
    for parameters in ((), (1,)):
        call = case.execute("INSERT INTO %t (k, n) VALUES ($1, $2)", *parameters)
        await case.refused(call, BadRequest)
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule("parameter-unused", "A parameter without a placeholder is refused, and nothing is done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, n BIGINT")
    await case.refused(case.execute("INSERT INTO %t (k) VALUES ($1)", 1, 2), BadRequest)
    await case.refused(case.execute("INSERT INTO %t (k) VALUES (1)", 2), BadRequest)
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule("parameter-bound", "A parameter is a value, whatever it looks like, and never part of the text.")
async def _(case: SqlCase) -> None:
    await case.make("x TEXT")
    texts = ["'); DELETE FROM %t; --", "' OR '1'='1", "$1", "\\'; x", '"', "/*", "NULL", "%s"]
    for text in texts:
        await case.execute("INSERT INTO %t (x) VALUES ($1)", text)
    for text in texts:
        found = await case.rows("SELECT x FROM %t WHERE x = $1", text)
        equal(found, [[text]], f"what is found for {text!r}")
    equal(await case.count(), len(texts), "the number of rows")
