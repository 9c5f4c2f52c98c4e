"""The PostgreSQL backend: a server that fails it, sessions that leave nothing, types of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import psutil
import pytest

from actorhost import clock
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    Denied,
    OutcomeUnknown,
    Overloaded,
    ProviderFailed,
    ProviderRefused,
    TooLarge,
)
from actorhost.testing.conformance.sql_case import ENDLESS, SqlCase
from actorhost_providers.sql.postgres import PostgresSql
from tests.contract.places import started
from tests.contract.sql_backends import running_postgres
from tests.servers import POSTGRES_PASSWORD, PostgresServer, open_folder, postgres_server

pytestmark = pytest.mark.needs_postgres

BACK = 2.0
"""Seconds after which a backend must work again once its server does."""
TIMEOUT_MS = 500


async def outcome(call: Coroutine[Any, Any, object]) -> ActorhostError:
    """Return what `call` ends with, which must be one of our errors, and soon."""
    began = clock.monotonic()
    with pytest.raises(ActorhostError) as caught:
        await call
    assert clock.monotonic() - began < TIMEOUT_MS / 1000 + 1
    return caught.value


async def back(case: SqlCase, statement: str = "SELECT count(*) FROM %t") -> object:
    """Return what `statement` finds as soon as the backend works again, which must be soon."""
    async with asyncio.timeout(BACK):
        while True:
            try:
                return await case.value(statement)
            except ActorhostError:
                await asyncio.sleep(0.05)


async def test_a_server_that_was_killed_or_frozen_is_met_again_with_all_it_had() -> None:
    async with running_postgres() as (server, case):
        await case.make("k BIGINT")
        await case.execute("INSERT INTO %t (k) VALUES (1)")
        server.freeze()
        try:
            for call in (
                case.query("SELECT 1", timeout_ms=TIMEOUT_MS),
                case.execute("INSERT INTO %t (k) VALUES (2)", timeout_ms=TIMEOUT_MS),
            ):
                error = await outcome(call)
                assert isinstance(error, CallTimeout | ProviderFailed)
                assert error.outcome_known
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await case.count()
        finally:
            server.thaw()
        assert await back(case) == 1
        await server.kill()
        for call in (case.query("SELECT 1"), case.execute("INSERT INTO %t (k) VALUES (2)")):
            error = await outcome(call)
            assert isinstance(error, ProviderFailed)
            assert error.retryable
        await server.start()
        assert await back(case) == 1


SLOW_COMMIT = """
CREATE FUNCTION slow_%t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END'
"""
DEFERRED = (
    "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON %t DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION slow_%t()"
)


async def test_a_server_that_goes_and_comes_back_is_two_lines_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_postgres() as (server, case):
        await server.kill()
        with caplog.at_level(logging.INFO):
            for _ in range(3):
                await asyncio.gather(
                    *(case.refused(case.query("SELECT 1"), ProviderFailed) for _ in range(3))
                )
            await server.start()
            assert await back(case, "SELECT 1") == 1
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" server=")[0] for line in lines] == [
        "no connection to postgresql",
        "connection to postgresql restored",
    ]
    assert "hunter" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_batch_cut_by_kill_is_whole_or_absent_and_a_cut_commit_is_unknown() -> None:
    async with running_postgres() as (server, case):
        await case.make("k BIGINT")
        batch = [("INSERT INTO %t (k) VALUES (1)",)] * 10 + [("SELECT pg_sleep(2)",)]
        async with asyncio.TaskGroup() as group:
            call = group.create_task(outcome(case.batch(batch)))
            await _kill_a_backend_at("SELECT", server)
        assert isinstance(call.result(), ProviderFailed)
        assert await back(case) == 0
        await case.batch([(SLOW_COMMIT,), (DEFERRED,)])
        async with asyncio.TaskGroup() as group:
            call = group.create_task(outcome(case.execute("INSERT INTO %t (k) VALUES (1)")))
            await _kill_a_backend_at("COMMIT", server)
        assert isinstance(call.result(), OutcomeUnknown)
        assert "was lost while it committed" in str(call.result())
        assert await back(case) == 0


async def _kill_a_backend_at(command: str, server: PostgresServer) -> None:
    """Kill the process of the server that is at `command`, as soon as one is."""
    assert server._process is not None
    async with asyncio.timeout(BACK):
        while True:
            for child in psutil.Process(server._process.pid).children():
                if child.cmdline()[0].endswith(command):
                    child.kill()
                    return
            await asyncio.sleep(0.01)


LEFT = (
    "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),"
    " (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_cursors WHERE is_holdable),"
    " (SELECT count(*) FROM pg_class WHERE relpersistence = 't'), current_setting('my.left_over', true)"
)


async def test_calls_leave_nothing_in_the_session_and_a_query_nothing_at_all() -> None:
    async with running_postgres(pool=1) as (_, case):
        await case.make("k BIGINT")
        [[_, foretold]] = await case.rows("SELECT setseed(0.5), random()")
        for step in (
            "PREPARE left_over AS SELECT 1", 'PREPARE "__asyncpg_stmt_ff__" AS SELECT 1', "LISTEN left_over",
            "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1", "CREATE TEMP SEQUENCE left_over",
            "CREATE TEMP TABLE left_too (k BIGINT)", "SET my.left_over = secret",
            "CREATE SEQUENCE counted", "SELECT nextval(''counted'')", "SELECT setseed(0.5)",
        ):  # fmt: skip
            await case.execute(f"DO 'BEGIN EXECUTE $x${step}$x$; END'")
        assert await case.rows(LEFT) == [[0, 0, 0, 0, ""]]
        error = await case.refused(case.query("SELECT lastval()"), BadRequest)
        assert "[55000]" in str(error)
        assert await case.value("SELECT random()") != foretold
        for statement in (
            "SELECT set_config('search_path', 'pg_catalog', false)",
            "SELECT set_config('role', 'pg_monitor', false)",
            "SELECT pg_advisory_lock(1)",
            "CREATE TEMP TABLE left_over (k BIGINT)",
        ):
            await case.execute(statement)
        assert await case.rows(
            "SELECT current_setting('search_path'), current_user::text,"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
        ) == [['"$user", public', "actorhost", 0]]
        await case.refused(case.query("SELECT * FROM left_over"), BadRequest)
        # A server before version 16 lets a read-only transaction make large objects.
        await case.query("SELECT lo_create(0)")
        assert await case.value("SELECT count(*) FROM pg_largeobject_metadata") == 0
        for statement in (
            "SELECT set_config('transaction_read_only', 'off', false)",
            "SET TRANSACTION READ WRITE",
        ):
            await case.refused(case.query(statement), BadRequest)
        await case.refused(case.query("DO 'BEGIN DELETE FROM %t; END'"), Denied)


FORGERY = (
    ("CREATE TEMP TABLE pg_type AS SELECT * FROM pg_catalog.pg_type",),
    ("UPDATE pg_type SET typbasetype = 'text'::regtype WHERE typname = 'positive'",),
    ("SELECT $1::positive", "8 bytes."),
)


async def test_what_a_call_makes_of_types_is_for_that_call_alone() -> None:
    async with running_postgres(pool=1) as (_, case):
        await case.execute("CREATE DOMAIN positive AS bigint CHECK (VALUE > 0)")
        await case.batch(FORGERY)
        assert await case.value("SELECT $1::positive", 7) == 7


async def test_what_was_given_up_ends_on_the_server_and_gives_its_connection_back() -> None:
    async with running_postgres(pool=2) as (_, case):
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(case.query("SELECT pg_sleep(30)", timeout_ms=20_000)) for _ in range(2)
            ]
            await asyncio.sleep(0.1)
            error = await case.refused(case.query("SELECT 1", timeout_ms=100), Overloaded)
            assert "pool" in error.hint
            for call in calls:
                call.cancel()
        active = (
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'"
        )
        async with asyncio.timeout(BACK):
            while await case.value(active):  # noqa: ASYNC110 - it happens in the server
                await asyncio.sleep(0.05)
        began = clock.monotonic()
        endless = f"{ENDLESS} SELECT repeat('x', 1000) FROM c"  # noqa: S608
        await case.refused(case.query(endless), TooLarge)
        assert clock.monotonic() - began < 2


IMMORTAL = """
DO $$ BEGIN
  PERFORM set_config('client_connection_check_interval', '0', true);
  LOOP
    BEGIN PERFORM pg_sleep(100); EXCEPTION WHEN query_canceled THEN NULL; END;
  END LOOP;
END $$
"""


async def test_a_statement_that_will_not_be_ended_is_ended_by_the_next_call_or_the_stop() -> None:
    alive = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%IMMORTAL%' AND pid <> pg_backend_pid()"
    async with running_postgres() as (server, case):
        hostile = case.beside(actor="hostile", read_only=True)
        await hostile.refused(hostile.query("-- IMMORTAL" + IMMORTAL, timeout_ms=100), CallTimeout)
        async with asyncio.timeout(BACK):
            while await case.value(alive):  # noqa: ASYNC110 - it ends in its own time, which is short
                await asyncio.sleep(0.02)
        async with started(PostgresSql({"url": server.url, "pool": 1})) as backend:
            hostile = SqlCase(backend)
            await hostile.refused(hostile.query("-- IMMORTAL" + IMMORTAL, timeout_ms=100), CallTimeout)
        async with asyncio.timeout(BACK):
            while await case.value(alive):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.02)


async def test_what_somebody_else_cancelled_took_no_time() -> None:
    async with running_postgres() as (_, case):
        error = await case.refused(case.query("SELECT pg_cancel_backend(pg_backend_pid())"), ProviderFailed)
        assert error.retryable


async def test_types_without_a_kind_of_their_own_are_text_or_refused() -> None:
    async with running_postgres() as (_, case):
        assert await case.rows(
            "SELECT 1.50::numeric, '{\"a\": 1}'::jsonb, DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05',"
            " INTERVAL '1 day', '10.0.0.0/8'::cidr, 7::smallint, 1.5::real"
        ) == [["1.50", '{"a": 1}', "2026-01-02", "2026-01-02 03:04:05", "1 day", "10.0.0.0/8", 7, 1.5]]
        assert await case.rows(
            "SELECT $1::numeric + $2::numeric, $3::uuid::text, $4::date + 1",
            "0.1", 2, "12345678-1234-5678-1234-567812345678", "2026-02-28",
        ) == [["2.1", "12345678-1234-5678-1234-567812345678", "2026-03-01"]]  # fmt: skip
        for refused in (
            "ARRAY[1]",
            "ROW(1, 2)",
            "'infinity'::timestamptz",
            "'NaN'::float8",
            "'4000-01-01 BC'::timestamptz",
        ):
            error = await case.refused(case.query(f"SELECT {refused} AS named"), BadRequest)
            assert "'named'" in str(error)
            assert "text" in error.hint
        for value in ("secret", 2**40, 1.5, True, b"secret"):
            error = await case.refused(case.query("SELECT $1::int4", value), BadRequest)
            assert "$1" in str(error)
            assert "secret" not in f"{error} {error.hint}"
        text = await case.refused(case.query("SELECT CAST($1::text AS bigint)", "secret"), BadRequest)
        assert str(text) == "[22P02] InvalidTextRepresentationError"
        assert (await case.execute("WITH c AS (SELECT 1) SELECT FROM generate_series(1, 1000000)")).rows == []


WRONG = {
    "SELECT ?": ("[42601]", "$1, $2"),
    "SELECT $1::int + $2::int": ("takes $1 to $2, and 1 parameter was given", "$1, $2"),
    "SELECT 1": ("takes none, and 1 parameter was given", "$1, $2"),
    "SELECT $1::record": ("$1 does not fit", "cast"),
    "SELECT currval('counted'), $1::bigint": ("[55000]", "look at the statement"),
    "DROP ROLE actorhost": ("[55006]", "look at the statement"),
    "LOAD 'plpgsql'": ("LOAD is not for actors", "the operator"),
    "DO 'BEGIN LOAD ''nothing''; END'": ("[58P01]", "look at the statement"),
    "SELECT numrange(1, $1::int)": ("returns what has no form", "cast it to text"),
    "SELECT set_config('client_encoding', 'LATIN1', false), chr(233), $1::int": (
        "encoding",
        "cast it to text",
    ),
}


async def test_a_statement_at_fault_is_told_so() -> None:
    async with running_postgres() as (_, case):
        await case.execute("CREATE SEQUENCE counted")
        for statement, (message, hint) in WRONG.items():
            values = [] if statement.startswith("D") else ["7" if "record" in statement else 7]
            error = await case.refused(case.execute(statement, *values), BadRequest)
            assert message in str(error)
            assert hint in error.hint


async def test_what_is_far_too_large_does_not_come_in() -> None:
    async with running_postgres(pool=1) as (_, case):
        for statement in (
            "SELECT repeat('x', 300000000)",
            "DO $$ BEGIN RAISE EXCEPTION '%', repeat('x', 40000000); END $$",
            "DO $$ BEGIN RAISE NOTICE '%', repeat('x', 40000000); END $$",
            "SELECT repeat('x', CASE WHEN x < 200 THEN 1 ELSE 500000 END) FROM generate_series(1, 1000) AS x",
        ):
            longest = 0.0
            async with asyncio.TaskGroup() as group:
                call = group.create_task(case.refused(case.query(statement), TooLarge))
                latest = clock.monotonic()
                while not call.done():
                    await asyncio.sleep(0.005)
                    latest, before = clock.monotonic(), latest
                    longest = max(longest, latest - before)
            assert "sent" in str(call.result())
            assert longest < 1.5
            assert await case.value("SELECT 1") == 1
        small = "SELECT x, x, x, x, x, x, x, x FROM generate_series(1, 50000) AS x"
        assert len((await case.query(small)).rows) == 100


async def test_a_password_is_in_no_error() -> None:
    with open_folder() as folder:
        async with postgres_server(folder) as server:
            wrong = server.url.replace(POSTGRES_PASSWORD, "hunter3-postgres")
            backend = PostgresSql({"url": wrong})
            with pytest.raises(ProviderFailed, match="password authentication failed") as refused:
                await backend.start()
            await backend.stop()
            assert not refused.value.retryable
            assert "hunter" not in f"{refused.value} {refused.value.hint}"
        with pytest.raises(ProviderFailed) as away:
            await PostgresSql({"url": server.url}).start()
        assert away.value.retryable
        assert "hunter" not in f"{away.value} {away.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        "nonsense", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d", "postgresql://u:hunter2@[h/d",
        "postgresql://u:hunter2@h/d?sslmode=nonsense",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ProviderRefused, match="no address of a PostgreSQL server") as refused:
        PostgresSql({"url": url})
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize(
    "config", [{}, {"url": "postgresql://h/d", "pool": 0}, {"url": "postgresql://h/d", "no": 1}]
)
def test_a_configuration_that_cannot_be_right_is_refused_by_name(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused, match="configuration of provider sql-postgres") as refused:
        PostgresSql(config)
    assert "url, pool" in refused.value.hint
