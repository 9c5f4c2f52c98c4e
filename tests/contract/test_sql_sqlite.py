"""The SQLite backend: crashes, other users of the file, what it refuses, what it knows of types."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from actorhost import clock
from actorhost.errors import (
    BadRequest,
    CallFailed,
    CallTimeout,
    Closed,
    Overloaded,
    ProviderFailed,
    ProviderRefused,
    TooLarge,
)
from actorhost.testing.conformance.sql_case import ENDLESS, SqlCase
from actorhost_providers.sql import sqlite_workers
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.places import started

COUNTING = f"{ENDLESS} SELECT count(*) FROM c"  # noqa: S608 - a constant
HOURS = f"INSERT INTO %t (k) {ENDLESS} SELECT x FROM c".replace("2000000", "2000000000000")  # noqa: S608
BATCHES = """
import asyncio, sys
from actorhost.testing.conformance.sql_case import SqlCase
from actorhost_providers.sql.sqlite import SqliteSql

async def main():
    backend = SqliteSql({"path": sys.argv[1]})
    await backend.start()
    case = SqlCase(backend, table="numbers")
    await case.make("k BIGINT")
    while True:
        await case.batch([("INSERT INTO %t (k) VALUES (1)",)] * 50)
        print("done", flush=True)

asyncio.run(main())
"""


async def test_a_batch_cut_by_kill_is_whole_or_absent_and_what_was_answered_is_there(tmp_path: Path) -> None:
    path = tmp_path / "sql.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BATCHES, path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    answered = [await process.stdout.readline() for _ in range(20)]
    process.kill()
    answered += [line async for line in process.stdout if line.endswith(b"\n")]
    await process.wait()
    async with started(SqliteSql({"path": str(path)})) as backend:
        count = await SqlCase(backend, table="numbers").count()
    assert count in (50 * len(answered), 50 * len(answered) + 50)


async def test_hosts_may_share_a_file_and_whoever_holds_it_costs_a_call_its_time(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "sql.db"
    async with started(SqliteSql({"path": str(path)})) as one, started(SqliteSql({"path": str(path)})) as two:
        cases = [SqlCase(one, table="numbers"), SqlCase(two, table="numbers")]
        await cases[0].make("n BIGINT")
        await cases[1].execute("INSERT INTO %t (n) VALUES (0)")
        await asyncio.gather(*(case.execute("UPDATE %t SET n = n + 1") for case in cases * 20))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            began = clock.monotonic()
            with pytest.raises((CallTimeout, ProviderFailed)) as refused:
                await cases[0].execute("UPDATE %t SET n = 0", timeout_ms=200)
            assert clock.monotonic() - began < 1
            assert refused.value.retryable
            assert refused.value.outcome_known
            assert [await case.value("SELECT n FROM %t") for case in cases] == [40, 40]
        finally:
            other.close()
        assert (await cases[0].execute("UPDATE %t SET n = 1")).rows_affected == 1


async def test_what_was_given_up_is_ended_at_once(tmp_path: Path) -> None:
    for config in ({}, {"path": str(tmp_path / "sql.db")}):
        async with started(SqliteSql(config)) as backend:
            case = SqlCase(backend, config={"statement-timeout": 30.0})
            await case.make("k BIGINT")
            for statement in (
                HOURS,
                "INSERT INTO %t (k) VALUES (1)",
            ):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05 if statement == HOURS else 0):
                        await case.execute(statement)
            began = clock.monotonic()
            await case.execute("INSERT INTO %t (k) VALUES (0)")
            assert clock.monotonic() - began < 1
            assert await case.rows("SELECT k FROM %t") == [[0]]


async def test_a_stop_ends_what_is_under_way() -> None:
    async with started(SqliteSql({})) as backend:
        case = SqlCase(backend, config={"statement-timeout": 30.0})
        async with asyncio.TaskGroup() as group:
            call = group.create_task(case.refused(case.query(COUNTING), Closed))
            await asyncio.sleep(0.05)
            await backend.stop()
        assert call.done()
        await case.refused(case.query("SELECT 1"), Closed)


async def test_what_waits_is_bounded_also_when_callers_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_workers, "MAX_WAITING", 5)
    async with started(SqliteSql({})) as backend:
        case = SqlCase(backend)
        calls = [case.query(COUNTING, timeout_ms=100) for _ in range(7)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(error) for error in ended] == [CallTimeout] * 5 + [Overloaded] * 2
        assert await case.value("SELECT 1") == 1


async def test_what_one_function_may_be_given_is_bounded(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend, config={"read-only": True})
        for statement in (
            "SELECT instr(zeroblob(15000000), zeroblob(7000000) || x'01')",
            "SELECT 'a' LIKE hex(zeroblob(600))",
        ):
            began = clock.monotonic()
            await case.refused(case.query(statement), BadRequest)
            assert clock.monotonic() - began < 1
        assert await case.value("SELECT length(zeroblob(1000000))") == 1_000_000


async def test_a_database_grows_no_further_than_it_may(tmp_path: Path) -> None:
    for config in ({}, {"path": str(tmp_path / "sql.db")}):
        async with started(SqliteSql({**config, "max-bytes": 1 << 20})) as backend:
            case = SqlCase(backend)
            await case.make("x BLOB")
            fill = "INSERT INTO %t VALUES (zeroblob(600000))"
            await case.execute(fill)
            error = await case.refused(case.execute(fill), ProviderFailed)
            assert "full" in str(error)
            assert "max-bytes" in error.hint
            await case.execute("DELETE FROM %t")
            await case.execute(fill)


async def test_a_row_of_too_many_long_values_is_refused_and_the_memory_given_back(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend)
        wide = ", ".join(f"zeroblob(1000000) || {number}" for number in range(1200))
        error = await case.refused(case.query(f"SELECT {wide}"), ProviderFailed)
        assert "1024 MiB of memory" in str(error)
        assert error.retryable
        assert await case.value("SELECT 1") == 1


REFUSED = (
    "ATTACH ':memory:' AS other", "DETACH main", "VACUUM", "VACUUM INTO '/tmp/copy.db'",
    "PRAGMA journal_mode", "PRAGMA user_version = 7", "PRAGMA writable_schema = 1",
    "PRAGMA foreign_keys = OFF", "SELECT load_extension('evil')", "EXPLAIN COMMIT",
    "CREATE TEMP TABLE left_over (k)", "CREATE TEMP VIEW v AS SELECT 1",
    "UPDATE sqlite_master SET name = 'x'",
)  # fmt: skip


async def test_what_would_reach_beyond_the_database_is_refused(tmp_path: Path) -> None:
    for config in ({}, {"path": str(tmp_path / "sql.db")}):
        async with started(SqliteSql(config)) as backend:
            case = SqlCase(backend)
            await case.make("k BIGINT PRIMARY KEY")
            for statement in REFUSED:
                await case.refused(case.execute(statement), BadRequest)
                await case.refused(case.query(statement), CallFailed)
            assert await case.value("PRAGMA user_version") == 0
            assert (await case.query("PRAGMA table_info(%t)")).rows[0][1] == "k"
            assert await case.value("SELECT name FROM pragma_table_info('%t')") == "k"
            assert await case.rows("SELECT value FROM json_each('[1, 2]')") == [[1], [2]]
    assert [path.name for path in tmp_path.iterdir()] == ["sql.db"]  # noqa: ASYNC240


WRONG = {
    "SELECT ?": ("without a number: ?", "$1, $2"),
    "SELECT $1, $2": ("takes $2, and 1 parameter was given", "$1, $2"),
    "SELECT 1": ("takes none, and 1 parameter was given", "$1, $2"),
    "SELECT :name": ("$name is not numbered", "$1, $2"),
    "SELECT $1::text": ("$1::text is not numbered", "CAST($1 AS type)"),
    f"SELECT ${'9' * 5000}": ("is not numbered", "$1, $2"),
    "EXPLAIN COMMIT": ("COMMIT, ROLLBACK or SAVEPOINT is not for actors", "the operation batch"),
}


async def test_an_actor_is_told_how_statement_and_parameters_do_not_fit() -> None:
    async with started(SqliteSql({})) as backend:
        case = SqlCase(backend)
        for statement, (message, hint) in WRONG.items():
            error = await case.refused(case.query(statement, 7), BadRequest)
            assert message in str(error)
            assert hint in error.hint


async def test_names_have_a_bound_wherever_they_go(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend)
        name = "n" * 100_000
        await case.execute(f'CREATE VIEW named AS SELECT 1 AS "{name}"')
        assert (await case.query("SELECT * FROM named")).columns == [name]
        await case.refused(case.query("SELECT * FROM named AS a, named AS b"), TooLarge)
        await case.refused(case.batch([("SELECT * FROM named",)] * 6), TooLarge)
        error = await case.refused(case.query(f"SELECT {name}"), BadRequest)
        assert len(str(error)) < 1000


async def test_foreign_keys_hold_and_texts_can_be_searched(tmp_path: Path) -> None:
    for config in ({}, {"path": str(tmp_path / "sql.db")}):
        async with started(SqliteSql(config)) as backend:
            case = SqlCase(backend)
            await case.make("k BIGINT PRIMARY KEY, up BIGINT REFERENCES %t (k) DEFERRABLE INITIALLY DEFERRED")
            await case.refused(case.execute("INSERT INTO %t (k, up) VALUES (1, 2)"), BadRequest)
            await case.batch([("INSERT INTO %t VALUES (1, 2)",), ("INSERT INTO %t VALUES (2, NULL)",)])
            await case.execute("CREATE VIRTUAL TABLE places USING rtree(k, west, east)")
            await case.execute("CREATE VIRTUAL TABLE found USING fts5(x)")
            await case.execute("INSERT INTO found (x) VALUES ('a needle in hay')")
            if sys.version_info >= (3, 12):
                await case.refused(case.execute("UPDATE found_data SET block = x'00'"), BadRequest)
            search = "SELECT count(*) FROM found WHERE x MATCH $1"
            assert await case.value(search, "needle") == 1
            error = await case.refused(case.query(search, 'secret"'), BadRequest)
            assert "secret" not in str(error)


async def test_declared_types_are_known_here_and_nowhere_else(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend)
        await case.make("b BOOLEAN, at TIMESTAMPTZ, day DATE, local TIMESTAMP")
        await case.execute("INSERT INTO %t VALUES (7, 'some day', 'no day', '2026-01-02 03:04:05')")
        await case.execute("INSERT INTO %t VALUES ('odd', 5, 1, NULL)")
        assert await case.rows("SELECT * FROM %t ORDER BY local DESC") == [
            [7, "some day", "no day", "2026-01-02 03:04:05"],
            ["odd", "5", 1, None],
        ]
        await case.execute("INSERT INTO %t (day) VALUES (CAST(x'ff' AS TEXT))")
        unreadable = await case.refused(case.query("SELECT day FROM %t"), BadRequest)
        assert "UTF-8" in str(unreadable)
    assert sorted(sqlite3.converters) == ["DATE", "TIMESTAMP"]


async def test_what_cannot_be_a_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all" * 100)
    for path in (tmp_path, tmp_path / "text", tmp_path / "text" / "sql.db"):
        backend = SqliteSql({"path": str(path)})
        with pytest.raises(ProviderFailed, match=str(path)):
            await backend.start()
        await backend.stop()


@pytest.mark.parametrize("config", [{"path": ""}, {"path": 7}, {"file": "x"}])
def test_a_configuration_that_cannot_be_right_is_refused_by_name(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused, match="configuration of provider sql-sqlite") as refused:
        SqliteSql(config)
    assert "path" in refused.value.hint


@pytest.mark.parametrize(
    "config", [{"read-only": "yes"}, {"statement-timeout": 0}, {"max-result": 1}, {"readonly": True}]
)
def test_a_link_that_cannot_be_right_is_refused_by_name(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused, match="the link 'default' of actor 'conformance'") as refused:
        SqlCase(SqliteSql({}), config=config)
    assert "read-only, statement-timeout, max-result" in refused.value.hint


async def test_a_file_that_fails_a_call_is_named_in_the_log_and_not_to_the_actor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sql.db"
    async with started(SqliteSql({"path": str(path)})) as backend:
        case = SqlCase(backend, table="numbers")
        await case.make("k BIGINT")
        await case.execute("INSERT INTO %t (k) VALUES (1)")
    async with started(SqliteSql({"path": str(path)})) as backend:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        case = SqlCase(backend, table="numbers")
        for _ in range(3):
            error = await case.refused(case.query("SELECT * FROM %t"), ProviderFailed)
            assert str(error) == "the database did not do it: database disk image is malformed"
            assert not error.retryable
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("database failed provider='sql-sqlite'")
    assert str(path) in line
