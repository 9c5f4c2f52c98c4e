"""Rules of ``actorhost:sql`` about statements: what they answer, and which are refused."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.sql import Outcome
from actorhost.errors import BadRequest
from actorhost.testing.conformance.rule import Suite, equal, holds
from actorhost.testing.conformance.sql_case import SqlCase

SUITE: Final[Suite[SqlCase]] = Suite()

_CONTROL: Final = (
    "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s", "commit;",
    " ; Commit", "-- x\nCOMMIT", "/* x */ COMMIT", "/**/--\n\t/* y */rollback",
)  # fmt: skip


@SUITE.rule("statement-columns", "A page names its columns in the order of each row's fields.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, x TEXT")
    await case.execute("INSERT INTO %t (k, x) VALUES (1, 'one')")
    page = await case.query("SELECT x AS name, k AS number, k + 1 AS following FROM %t")
    equal((page.columns, page.rows), (["name", "number", "following"], [["one", 1, 2]]), "columns and rows")
    empty = await case.query("SELECT x AS name FROM %t WHERE k = 2")
    equal((empty.columns, empty.rows, empty.cursor), (["name"], [], None), "a page without rows")


@SUITE.rule("statement-affected", "An outcome counts the rows that were inserted, updated or deleted.")
async def _(case: SqlCase) -> None:
    made = await case.execute("CREATE TABLE %t (k BIGINT, n BIGINT)")
    equal(made.rows_affected, 0, "rows affected by CREATE TABLE")
    for statement, expected in (
        ("INSERT INTO %t (k, n) VALUES (1, 0), (2, 0), (3, 0)", 3),
        ("UPDATE %t SET n = 1 WHERE k > 1", 2),
        ("UPDATE %t SET n = 1 WHERE k > 9", 0),
        ("SELECT k FROM %t", 0),
        ("WITH d(k) AS (SELECT 1) DELETE FROM %t WHERE k IN (SELECT k FROM d)", 1),
        ("DELETE FROM %t", 2),
    ):
        outcome = await case.execute(statement)
        equal(outcome.rows_affected, expected, f"rows affected by {statement!r}")


@SUITE.rule("statement-returning", "An outcome holds what the statement returned.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT, x TEXT")
    outcome = await case.execute("INSERT INTO %t (k, x) VALUES ($1, 'a'), (2, 'b') RETURNING x, k", 1)
    equal(outcome, Outcome(2, ["x", "k"], [["a", 1], ["b", 2]]), "the outcome")
    equal(await case.execute("UPDATE %t SET k = 3 WHERE k = 2"), Outcome(1), "an outcome without rows")


@SUITE.rule("statement-comments", "Comments and blanks before a statement do not matter.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    await case.execute("\n -- DELETE\n/* COMMIT; */ INSERT INTO %t (k) VALUES (1) -- x")
    equal(await case.value("/* a */ -- b\n SELECT k FROM %t /* c */"), 1, "the value")


@SUITE.rule("statement-empty", "A statement that says nothing is refused.")
async def _(case: SqlCase) -> None:
    for text in ("", "  \n", ";", "-- nothing", "/* nothing */ ;"):
        await case.refused(case.query(text), BadRequest)
        await case.refused(case.execute(text), BadRequest)


@SUITE.rule("statement-single", "Two statements in one text are refused, and neither is done.")
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    two = "INSERT INTO %t (k) VALUES (1); DELETE FROM %t"
    await case.refused(case.execute(two), BadRequest)
    await case.refused(case.execute("INSERT INTO %t (k) VALUES (1); COMMIT"), BadRequest)
    await case.refused(case.query("SELECT 1; SELECT 2"), BadRequest)
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule(
    "statement-control", "Statements about transactions are refused, and what is around them is whole."
)
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    for text in _CONTROL:
        await case.refused(case.execute(text), BadRequest)
        await case.refused(case.query(text), BadRequest)
        await case.refused(case.batch([("INSERT INTO %t (k) VALUES (1)",), (text,)]), BadRequest)
    equal(await case.count(), 0, "the number of rows")
    await case.execute("INSERT INTO %t (k) VALUES (1)")
    equal(await case.count(), 1, "the number of rows afterwards")


@SUITE.rule(
    "statement-faults", "What the database does not understand is refused, and the next call is served."
)
async def _(case: SqlCase) -> None:
    await case.make("k BIGINT")
    for text in ("SELEC 1", "SELECT nothing FROM %t", "SELECT * FROM no_such_table", "SELECT 'open"):
        await case.refused(case.query(text), BadRequest)
        await case.refused(case.execute(text), BadRequest)
    equal(await case.count(), 0, "the number of rows")


@SUITE.rule("statement-constraint", "A constraint refuses a row without repeating its values.")
async def _(case: SqlCase) -> None:
    await case.make("x TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n < 5)")
    await case.execute("INSERT INTO %t (x, n) VALUES ($1, 1)", "secret-1")
    for text, number in (("secret-1", 1), ("secret-2", 7), ("secret-3", None)):
        call = case.execute("INSERT INTO %t (x, n) VALUES ($1, $2)", text, number)
        error = await case.refused(call, BadRequest)
        holds("secret" not in f"{error} {error.hint}", f"a value in the message: {error}")
    equal(await case.count(), 1, "the number of rows")
