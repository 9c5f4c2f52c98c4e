"""Key-value backends when their server or file fails them: typed errors, deadlines kept, nothing lost."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from actorhost import clock
from actorhost.contracts.keyvalue import KeyValue
from actorhost.errors import ActorhostError, OutcomeUnknown, Overloaded, ProviderFailed, ProviderRefused
from actorhost.limits import MIB
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost_providers.kv.nats import NatsKeyValue
from actorhost_providers.kv.redis import RedisKeyValue
from actorhost_providers.kv.sqlite import SqliteKeyValue
from tests.contract.keyvalue_backends import started
from tests.servers import RedisServer, RestartableNats, redis_server

BACK = 2.0
"""Seconds after which a backend must work again once its server does."""
TIMEOUT = 0.5
REDIS = pytest.param("redis", marks=pytest.mark.needs_redis)


class Server(Protocol):
    """A server that can be killed, started again on its port and files, frozen and thawed."""

    async def start(self) -> None: ...
    async def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[tuple[Server, KeyValue]]:
    """Run a server and a backend on it that waits half a second for it."""
    server = RedisServer(folder / name) if name == "redis" else RestartableNats(folder / name)
    await server.start()
    config = {"url": server.url, "timeout": TIMEOUT}
    store = RedisKeyValue(config) if name == "redis" else NatsKeyValue({**config, "max_bytes": 16 * MIB})
    try:
        async with started(store):
            yield server, store
    finally:
        await server.kill()


async def outcome(call: object) -> ActorhostError:
    """Return what `call` ends with, which must be one of our errors, and soon."""
    began = clock.monotonic()
    with pytest.raises(ActorhostError) as caught:
        await call  # type: ignore[misc]
    assert clock.monotonic() - began < TIMEOUT + 0.5
    return caught.value


async def back(case: KeyValueCase) -> bytes | None:
    """Return the value under ``k`` as soon as the backend works again, which must be soon."""
    async with asyncio.timeout(BACK):
        while True:
            try:
                return await case.value("k")
            except ActorhostError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", [REDIS, "nats"])
async def test_a_server_that_was_killed_is_met_again_with_all_it_had(name: str, tmp_path: Path) -> None:
    async with running(name, tmp_path) as (server, store):
        case = KeyValueCase(store)
        await case.set("k", b"kept")
        await server.kill()
        for call in (case.get("k"), case.set("k", b"lost"), case.increment("n", 1), case.keys()):
            error = await outcome(call)
            assert isinstance(error, ProviderFailed | OutcomeUnknown)
            assert error.retryable or not error.outcome_known
        await server.start()
        assert await back(case) == b"kept"
        assert (await case.set("k", b"new")).stored


@pytest.mark.parametrize("name", [REDIS, "nats"])
async def test_a_frozen_server_costs_a_call_its_time_out_and_no_more(name: str, tmp_path: Path) -> None:
    async with running(name, tmp_path) as (server, store):
        case = KeyValueCase(store)
        await case.set("k", b"before")
        server.freeze()
        try:
            write = await outcome(case.set("k", b"after"))  # on the connection that is there
            read = await outcome(case.get("k"))
        finally:
            server.thaw()
        assert isinstance(write, OutcomeUnknown)
        assert isinstance(read, ProviderFailed)
        assert read.retryable
        assert await back(case) in (b"before", b"after")


@pytest.mark.parametrize("name", [REDIS, "nats"])
async def test_callers_that_go_away_while_the_server_is_frozen_leave_nothing(
    name: str, tmp_path: Path
) -> None:
    async with running(name, tmp_path) as (server, store):
        case = KeyValueCase(store)
        await case.set("k", b"kept")
        server.freeze()
        try:
            for _ in range(50):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await case.get("k")
        finally:
            server.thaw()
        assert await back(case) == b"kept"


@pytest.mark.needs_redis
async def test_a_password_is_in_no_error(tmp_path: Path) -> None:
    async with redis_server(tmp_path / "redis", password="hunter2-secret") as server:  # noqa: S106 - a test's own
        async with started(RedisKeyValue({"url": server.url})) as store:
            assert (await KeyValueCase(store).set("k")).stored
        wrong = server.url.replace("hunter2-secret", "hunter3-secret")
        store = RedisKeyValue({"url": wrong})
        with pytest.raises(ProviderFailed, match="invalid username-password") as refused:
            await store.start()
        await store.stop()
        assert "hunter" not in f"{refused.value} {refused.value.hint}"
        assert not refused.value.retryable


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "it has another scheme"),
        ("http://127.0.0.1", "it has another scheme"),
        ("redis://:hunter2@host:port", "a part is wrong"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str, why: str) -> None:
    with pytest.raises(ProviderRefused, match=f"no address of a Redis server: {why}") as refused:
        RedisKeyValue({"url": url})
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


async def test_a_host_without_a_server_has_no_jetstream() -> None:
    store = NatsKeyValue({})
    with pytest.raises(ProviderRefused, match="no NATS server"):
        await store.start()
    await store.stop()


COUNTING = """
import asyncio, sys
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost_providers.kv.sqlite import SqliteKeyValue

async def main():
    store = SqliteKeyValue({"path": sys.argv[1]})
    await store.start()
    case = KeyValueCase(store, bucket="counting")
    while True:
        print(await case.increment("n", 1), flush=True)

asyncio.run(main())
"""


async def test_what_was_answered_is_in_the_file_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COUNTING, path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    answered = [int(await process.stdout.readline()) for _ in range(200)]
    process.kill()
    answered += [int(line) async for line in process.stdout if line.endswith(b"\n")]
    await process.wait()
    async with started(SqliteKeyValue({"path": str(path)})) as store:
        found = await KeyValueCase(store, bucket="counting").value("n")
    assert found is not None
    assert answered[-1] <= int(found) <= answered[-1] + 1


async def test_two_hosts_may_share_a_file(tmp_path: Path) -> None:
    config = {"path": str(tmp_path / "store.db")}
    async with started(SqliteKeyValue(config)) as first, started(SqliteKeyValue(config)) as second:
        cases = [KeyValueCase(store, bucket="shared") for store in (first, second)]
        await asyncio.gather(*(case.increment("n", 1) for case in cases * 100))
        assert {await case.value("n") for case in cases} == {b"200"}


async def _fill(case: KeyValueCase) -> None:
    for number in range(100):
        await case.set(f"k{number}", bytes(100_000))


async def test_a_full_file_refuses_and_keeps_what_it_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(SqliteKeyValue({"path": str(tmp_path / "store.db"), "max_bytes": MIB})) as store:
        case = KeyValueCase(store)
        await case.set("k", b"kept")
        with pytest.raises(ProviderFailed, match="full") as refused:
            await _fill(case)
        assert "max_bytes" in refused.value.hint
        assert str(tmp_path) not in f"{refused.value} {refused.value.hint}"
        [line] = [record.getMessage() for record in caplog.records]
        assert line.startswith("store failed")
        assert str(tmp_path) in line
        assert await case.value("k") == b"kept"
        await case.delete("k0")
        assert (await case.set("k", b"again")).stored


async def test_what_cannot_be_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "text"):
        (tmp_path / "text").write_text("not a database at all" * 100)
        store = SqliteKeyValue({"path": str(path)})
        with pytest.raises(ProviderFailed, match=str(path)):
            await store.start()
        await store.stop()


async def test_what_waits_for_a_file_is_bounded_also_when_callers_go_away(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with started(SqliteKeyValue({"path": str(path)})) as store:
        case = KeyValueCase(store)
        await case.set("k", b"kept")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # the next write waits for this
        try:
            refused = 0
            for _ in range(15):
                async with asyncio.TaskGroup() as group:
                    calls = [group.create_task(_given_up(case.set("k", b"late"))) for _ in range(100)]
                refused += sum(call.result() for call in calls)
        finally:
            other.close()
        assert refused == 500
        # What was left by its caller is not done: one alone had begun.
        assert await back(case) in (b"kept", b"late")
        assert (await case.set("other")).revision <= 3


async def _given_up(call: Coroutine[Any, Any, object]) -> bool:
    """Cancel `call`; return whether it was refused instead."""
    try:
        async with asyncio.timeout(0.01):
            await call
    except TimeoutError:
        return False
    except Overloaded:
        return True
    raise AssertionError("it was done")


@pytest.mark.needs_redis
async def test_a_listing_past_many_expired_keys_comes_in_short_pages(tmp_path: Path) -> None:
    async with running("redis", tmp_path) as (_, store):
        case = KeyValueCase(store)
        for start in range(0, 3000, 100):
            await asyncio.gather(
                *(case.set(f"k{number:04}", ttl_ms=1500) for number in range(start, start + 100))
            )
        await case.set("last")
        await asyncio.sleep(1.6)
        page = await case.page("", None, 10)
        assert (page.keys, page.cursor is not None) == ([], True)
        assert await case.keys("", 10) == ["last"]


@pytest.mark.needs_redis
async def test_a_server_that_takes_no_writes_has_done_nothing(tmp_path: Path) -> None:
    async with running("redis", tmp_path) as (server, store):
        assert isinstance(server, RedisServer)
        case = KeyValueCase(store)
        await case.set("k", b"kept")
        await server.command(b"REPLICAOF 127.0.0.1 1")
        for call in (case.set("k"), case.increment("n", 1), case.delete("k")):
            error = await outcome(call)
            assert isinstance(error, ProviderFailed)
            assert error.retryable
        await server.command(b"REPLICAOF NO ONE")
        assert (await case.set("k", b"new")).stored


@pytest.mark.parametrize("name", [REDIS, "nats"])
async def test_hosts_that_meet_on_one_key_lose_no_increment(name: str, tmp_path: Path) -> None:
    async with running(name, tmp_path) as (_, store), AsyncExitStack() as stack:
        others = [type(store)({**store.config, "timeout": 5.0}) for _ in range(5)]
        stores = [await stack.enter_async_context(started(other)) for other in others]
        cases = [KeyValueCase(each, bucket="shared") for each in stores]
        sums = await asyncio.gather(*(case.increment("n", 1) for case in cases * 40))
        assert sorted(sums) == list(range(1, 201))


@pytest.mark.needs_redis
async def test_a_redis_that_is_away_is_named_in_the_log_and_not_to_the_actor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running("redis", tmp_path) as (server, store):
        case = KeyValueCase(store)
        await server.kill()
        for call in (case.get("k"), case.set("k", b"lost")):
            error = await outcome(call)
            assert "127.0.0.1" not in f"{error} {error.hint}"
        await server.start()
        assert await back(case) is None
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" server='127.0.0.1")[0] for line in lines] == [
        "redis does not serve",
        "redis serves again",
    ]
