"""The PostgreSQL backend when connections are lacking: refused, in the making, or all in use."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from actorhost.errors import ActorhostError, CallTimeout, Overloaded, ProviderFailed
from actorhost.testing.conformance.sql_case import SqlCase
from actorhost_providers.sql import postgres_server as postgres_server_module
from actorhost_providers.sql.postgres import PostgresSql
from tests.contract.places import started
from tests.contract.sql_backends import running_postgres
from tests.servers import POSTGRES_PASSWORD, open_folder, postgres_server

pytestmark = pytest.mark.needs_postgres


REFUSALS = {
    "ALTER ROLE app NOLOGIN": "ALTER ROLE app LOGIN",
    "ALTER ROLE app CONNECTION LIMIT 0": "ALTER ROLE app CONNECTION LIMIT 8",
    "ALTER ROLE app PASSWORD 'another'": f"ALTER ROLE app PASSWORD '{POSTGRES_PASSWORD}'",
    "REVOKE CONNECT ON DATABASE shop FROM PUBLIC": "GRANT CONNECT ON DATABASE shop TO PUBLIC",
    "ALTER DATABASE shop RENAME TO shut": "ALTER DATABASE shut RENAME TO shop",
    "ALTER DATABASE shop ALLOW_CONNECTIONS false": "ALTER DATABASE shop ALLOW_CONNECTIONS true",
}


async def test_access_that_was_lost_is_not_the_statements_fault_and_only_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with open_folder() as folder:
        async with postgres_server(folder) as server:
            operator = await asyncpg.connect(server.url)
            await operator.execute(f"CREATE ROLE app LOGIN PASSWORD '{POSTGRES_PASSWORD}'")
            await operator.execute("CREATE DATABASE shop")
            url = f"postgresql://app:{POSTGRES_PASSWORD}@127.0.0.1:{server.port}/shop"
            async with started(PostgresSql({"url": url})) as backend:
                case = SqlCase(backend)
                for refusal, undo in REFUSALS.items():
                    await case.refused(
                        case.query("SELECT pg_terminate_backend(pg_backend_pid())"), ProviderFailed
                    )
                    await operator.execute(refusal)
                    caplog.clear()
                    for _ in range(2):
                        error = await case.refused(case.query("SELECT 1"), ProviderFailed)
                        assert error.retryable == ("LIMIT" in refusal)
                        told = f"{error} {error.hint}"
                        assert not [word for word in ("app", "shop", "127.0.0.1") if word in told]
                    assert caplog.text.count("no connection to postgresql") == 1
                    await operator.execute(undo)
                    assert await case.value("SELECT 1") == 1
            await operator.close()


async def test_a_server_that_stands_still_while_a_connection_is_made_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_server_module, "_CONNECT", 1.0)
    async with running_postgres() as (server, case):
        await case.refused(case.query("SELECT pg_terminate_backend(pg_backend_pid())"), ProviderFailed)
        server.freeze()
        try:
            for call in (case.query("SELECT 1"), case.query("SELECT 1", timeout_ms=100)):
                error = await case.refused(call, ProviderFailed)
                assert error.retryable
                assert str(server.port) not in f"{error} {error.hint}"
        finally:
            server.thaw()


async def test_a_pool_that_is_in_use_is_told_from_a_server_that_is_away_and_from_a_slow_statement() -> None:
    async with running_postgres(pool=2) as (_, case):
        calls = [
            case.refused(case.query("SELECT pg_sleep(5)", timeout_ms=300), ActorhostError) for _ in range(6)
        ]
        errors = await asyncio.gather(*calls)
        assert {type(error) for error in errors} == {CallTimeout, Overloaded}
        assert all("longer than 0.3 s" in str(error) for error in errors if isinstance(error, CallTimeout))
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(case.query("SELECT pg_sleep(0.4)"))
            await asyncio.sleep(0.05)
            late = await case.refused(case.query("SELECT pg_sleep(5)", timeout_ms=500), CallTimeout)
        assert "until a connection was free" in str(late)
        assert "pool" in late.hint
