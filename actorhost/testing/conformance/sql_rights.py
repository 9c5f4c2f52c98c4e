"""Rules of ``actorhost:sql`` about what may write, and about batches."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.sql import MAX_ROWS, Outcome
from actorhost.errors import BadRequest, Denied, TooLarge
from actorhost.testing.conformance.rule import Suite, equal
from actorhost.testing.conformance.sql_case import NUMBERS, SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

_WRITES: Final = (
    "INSERT INTO %t (k) VALUES (2)",
    "INSERT INTO %t (k) VALUES (2) RETURNING k",
    "UPDATE %t SET k = 2",
    "DELETE FROM %t",
    "WITH c(k) AS (SELECT 1) DELETE FROM %t WHERE k IN (SELECT k FROM c)",
    "DROP TABLE %t",
    "ALTER TABLE %t ADD COLUMN x TEXT",
    "CREATE TABLE %t_other (k BIGINT)",
    "CREATE INDEX %t_index ON %t (k)",
    "/* SELECT */ DELETE FROM %t",
)
_ONE: Final = "INSERT INTO %t (k) VALUES (1)"


@SUITE.rule("right-query", "A query cannot write, whatever it says.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    await case.execute(_ONE)
    for statement in _WRITES:
        await case.refused(case.query(statement), Denied)
    equal(await case.rows("SELECT * FROM %t"), [[1]], "the rows")
    await case.refused(case.query("SELECT * FROM %t_other"), BadRequest)


@SUITE.rule("right-read-only", "A read-only link may query, and neither execute nor batch.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    await case.execute(_ONE)
    reader = case.beside(read_only=True)
    for statement in (*_WRITES, "SELECT k FROM %t"):
        await case.refused(reader.execute(statement), Denied)
        await case.refused(reader.batch([(statement,)]), Denied)
    for statement in _WRITES:
        await case.refused(reader.query(statement), Denied)
    equal(await reader.rows("SELECT * FROM %t"), [[1]], "the rows")


@SUITE.rule("batch-order", "A batch does its statements in order, and answers with an outcome for each.")
async def _(case: SqlCase) -> None:
    outcomes = await case.batch(
        [
            ("CREATE TABLE %t (k BIGINT, x TEXT)",),
            ("INSERT INTO %t (k, x) VALUES ($1, $2), (2, 'b')", 1, "a"),
            ("UPDATE %t SET k = k + 10 WHERE x = $1 RETURNING k", "a"),
            ("SELECT count(*) AS n FROM %t",),
        ]
    )
    equal(
        outcomes,
        [Outcome(0), Outcome(2), Outcome(1, ["k"], [[11]]), Outcome(0, ["n"], [[2]])],
        "the outcomes",
    )
    equal(await case.rows("SELECT k FROM %t ORDER BY k"), [[2], [11]], "the rows")


@SUITE.rule("batch-atomic", "A batch of which one statement fails has done nothing.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT PRIMARY KEY")
    await case.execute(_ONE)
    good = ("INSERT INTO %t (k) VALUES ($1)", 2)
    for bad in ((_ONE,), ("SELEC",), ("INSERT INTO %t (k) VALUES ($1)",), ("COMMIT",), ("",)):
        for order in ([good, bad], [bad, good], [good, bad, ("INSERT INTO %t (k) VALUES (3)",)]):
            await case.refused(case.batch(order), BadRequest)
    equal(await case.rows("SELECT k FROM %t"), [[1]], "the rows")


@SUITE.rule("batch-schema", "Also tables that a failing batch made are gone.")
async def _(case: SqlCase) -> None:
    await case.refused(case.batch([("CREATE TABLE %t (k BIGINT)",), (_ONE,), ("SELEC",)]), BadRequest)
    await case.make("k BIGINT")
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule("batch-bound", "What a batch returns is bounded; one that returns more has done nothing.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    most = f"{NUMBERS.replace('%n', str(MAX_ROWS))} SELECT x FROM c"
    (outcome,) = await case.batch([(most,)])
    equal(len(outcome.rows), MAX_ROWS, "the number of rows that are allowed")
    await case.refused(case.batch([(_ONE,), (most,), ("SELECT 1",)]), TooLarge)
    equal(await case.count(), 0, "the number of rows")
