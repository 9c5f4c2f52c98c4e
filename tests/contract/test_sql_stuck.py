"""Statements that SQLite cannot end: what they cost whom, and what is said about them."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from actorhost import clock
from actorhost.errors import CallTimeout, Closed, Overloaded, ProviderFailed
from actorhost.testing.conformance.sql_case import ENDLESS, SqlCase
from actorhost_providers.sql import sqlite as sqlite_backend
from actorhost_providers.sql import sqlite_workers
from actorhost_providers.sql.sqlite import SqliteSql
from tests.contract.places import started

COUNTING = f"{ENDLESS} SELECT count(*) FROM c"  # noqa: S608 - a constant
TEXTS = "a" * 700_000, "a" * 350_000 + "b"
STUCK = "SELECT instr($1, $2)"  # takes seconds
HOPELESS = """
import asyncio, sys
from actorhost.errors import CallTimeout
from actorhost.testing.conformance.sql_case import SqlCase
from actorhost_providers.sql.sqlite import SqliteSql

TEXTS = "a" * 700_000, "a" * 350_000 + "b"
STUCK = f"SELECT {'+'.join(['instr($1, $2)'] * 20)}"  # takes a minute

async def main():
    backend = SqliteSql({"path": sys.argv[1]})
    await backend.start()
    await SqlCase(backend).refused(SqlCase(backend).query(STUCK, *TEXTS, timeout_ms=100), CallTimeout)
    await backend.stop()
    print("stopped", flush=True)

asyncio.run(main())
"""


async def back_at_work(case: SqlCase) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                assert await case.value("SELECT 1") == 1
            except (Overloaded, CallTimeout):
                await asyncio.sleep(0.1)
            else:
                return


async def test_many_long_functions_are_ended_after_one_of_them(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend)
        each = "SELECT sum(length(replace(zeroblob(1000000 + x % 2), x'01', x'02'))) FROM c"
        await case.refused(case.query(f"{ENDLESS} {each}", timeout_ms=100), CallTimeout)
        began = clock.monotonic()
        await asyncio.gather(*(case.value("SELECT 1") for _ in range(8)))
        assert clock.monotonic() - began < 1


async def test_others_stand_in_for_threads_that_cannot_be_ended_and_they_are_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_backend, "_READERS", 1)
    monkeypatch.setattr(sqlite_workers, "MAX_REPLACED", 1)
    monkeypatch.setattr(sqlite_workers, "_GRACE", 0.1)
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend, actor="first")
        second, third = case.beside(actor="second"), case.beside(actor="third")
        await case.make("k BIGINT")
        await case.refused(case.query(STUCK, *TEXTS, timeout_ms=100), CallTimeout)
        own = await case.refused(case.query("SELECT 1"), Overloaded)
        assert "a statement of actor 'first'" in str(own)
        assert await second.value("SELECT count(*) FROM %t") == 0
        [line] = [record.getMessage() for record in caplog.records]
        assert "statement cannot be ended provider='sql-sqlite'" in line
        assert "actor='first' running_s=" in line
        await second.refused(second.query(STUCK, *TEXTS, timeout_ms=100), CallTimeout)
        refused = await third.refused(third.query("SELECT 1"), Overloaded)
        assert "process of its own" in refused.hint
        assert (await case.execute("INSERT INTO %t VALUES (1)")).rows_affected == 1
        for each in (third, second, case):
            await back_at_work(each)
        await case.refused(case.query(COUNTING, timeout_ms=100), CallTimeout)
        assert await case.value("SELECT count(*) FROM %t") == 1
        assert "statement ended that could not be" in caplog.text


async def test_one_actor_takes_no_more_threads_than_it_had_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_backend, "_READERS", 1)
    monkeypatch.setattr(sqlite_workers, "_GRACE", 0.1)
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        greedy = SqlCase(backend, actor="greedy")
        other = greedy.beside(actor="other")
        ended = await asyncio.gather(
            greedy.query(STUCK, *TEXTS, timeout_ms=100),
            *(greedy.query(STUCK, *TEXTS) for _ in range(8)),
            other.value("SELECT 1"),
            return_exceptions=True,
        )
        assert [type(each) for each in ended] == [CallTimeout, *[Overloaded] * 8, int]
        await back_at_work(greedy)


@pytest.mark.soak
async def test_memory_waits_for_its_one_thread_and_says_so() -> None:
    async with started(SqliteSql({})) as backend:
        case = SqlCase(backend)
        await case.make("k BIGINT")
        await case.refused(case.query(STUCK, *TEXTS, timeout_ms=100), CallTimeout)
        await asyncio.sleep(0.1)
        began = clock.monotonic()
        await case.refused(case.execute("INSERT INTO %t VALUES (1)"), Overloaded)
        assert clock.monotonic() - began < 0.5
        await back_at_work(case)
        assert (await case.execute("INSERT INTO %t VALUES (1)")).rows_affected == 1


@pytest.mark.soak
async def test_a_writer_that_cannot_be_ended_costs_other_writers_their_time(tmp_path: Path) -> None:
    async with started(SqliteSql({"path": str(tmp_path / "sql.db")})) as backend:
        case = SqlCase(backend, table="numbers")
        await case.make("k BIGINT")
        with pytest.raises(CallTimeout) as lost:
            await case.execute(f"INSERT INTO %t {STUCK}", *TEXTS, timeout_ms=100)
        assert not lost.value.outcome_known
        await asyncio.sleep(0.1)
        other = case.beside(actor="other")
        with pytest.raises((CallTimeout, ProviderFailed)) as refused:
            await other.execute("INSERT INTO %t VALUES (1)", timeout_ms=200)
        assert refused.value.outcome_known
        assert "write lock" in refused.value.hint
        assert await case.value("SELECT count(*) FROM %t") == 0
        patient = SqlCase(backend, table="numbers", actor="other", config={"statement-timeout": 60.0})
        written = await patient.execute("INSERT INTO %t VALUES (1)")
        assert written.rows_affected == 1
        assert await case.rows("SELECT k FROM %t") == [[1]]


@pytest.mark.soak
async def test_a_stop_does_not_wait_for_what_cannot_be_ended(tmp_path: Path) -> None:
    for config in ({}, {"path": str(tmp_path / "sql.db")}):
        async with started(SqliteSql(config)) as backend:
            case = SqlCase(backend, config={"statement-timeout": 30.0})
            async with asyncio.TaskGroup() as group:
                group.create_task(case.refused(case.query(STUCK, *TEXTS), Closed))
                await asyncio.sleep(0.1)
                began = clock.monotonic()
                await backend.stop()
                assert clock.monotonic() - began < 4
    async with asyncio.timeout(60):  # they end by themselves, and then leave nothing behind
        while any(each.name == "actorhost-sql" for each in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_process_ends_though_a_thread_cannot_be_ended(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOPELESS, tmp_path / "sql.db", stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, said) == (0, b"stopped\n")
