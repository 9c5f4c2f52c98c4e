"""The JetStream backend's own rules: its server's clock, its batches, its streams, its addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from actorhost import clock
from actorhost.errors import ActorhostError, OutcomeUnknown, ProviderFailed, ProviderRefused
from actorhost.limits import MIB
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.transport import NatsTransport
from actorhost_providers.kv.nats import NatsKeyValue
from tests.contract.keyvalue_backends import started
from tests.servers import RestartableNats


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[RestartableNats]:
    server = RestartableNats(tmp_path / "nats")
    await server.start()
    yield server
    await server.kill()


@pytest_asyncio.fixture
async def store(server: RestartableNats) -> AsyncIterator[NatsKeyValue]:
    store = NatsKeyValue({"url": server.url, "max_bytes": 16 * MIB})
    async with started(store):
        yield store


async def test_calls_on_their_way_end_when_the_server_dies(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    case = KeyValueCase(store)
    await case.set("k")
    server.freeze()  # so that nothing is answered before it dies
    async with asyncio.TaskGroup() as group:
        writes = [group.create_task(_outcome(case.set("k"))) for _ in range(8)]
        reads = [group.create_task(_outcome(case.get("k"))) for _ in range(8)]
        await asyncio.sleep(0.1)
        began = clock.monotonic()
        await server.kill()
    assert clock.monotonic() - began < 1.0
    assert {type(write.result()) for write in writes} == {OutcomeUnknown}
    assert {type(read.result()) for read in reads} == {ProviderFailed}


async def _outcome(call: object) -> ActorhostError:
    with pytest.raises(ActorhostError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_what_expired_while_the_server_was_away_is_not_there_when_it_is_back(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    case = KeyValueCase(store)
    stays = (await case.set("stays", ttl_ms=60_000)).revision
    lease = (await case.set("lease", ttl_ms=1000)).revision
    await server.kill()
    await asyncio.sleep(1.1)
    await server.start()
    # As soon as it answers: a nats-server removes what has expired only after that.
    assert await _as_soon_as_possible(case) == ["stays"]
    assert await case.get("lease") is None
    assert not (await case.set("lease", if_revision=lease)).stored
    assert await case.increment("lease", 1) == 1
    assert (await case.set("stays", if_revision=stays)).stored


async def _as_soon_as_possible(case: KeyValueCase) -> list[str]:
    async with asyncio.timeout(2.0):
        while True:
            try:
                return await case.keys()
            except ProviderFailed:
                await asyncio.sleep(0.01)


async def test_what_expired_while_the_server_stood_still_is_not_there(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    case = KeyValueCase(store)
    for attempt in range(3):
        await case.set(f"k{attempt}", ttl_ms=1000)
        server.freeze()
        await asyncio.sleep(1.05)
        server.thaw()
        assert (await case.get(f"k{attempt}"), await case.keys()) == (None, [])


async def test_an_expired_entry_that_the_server_still_has_is_replaced(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    case = KeyValueCase(store)
    # Half a second before the server, which counts in whole ones, removes them.
    for key in ("absent", "number", "removed"):
        await case.set(key, b"40", ttl_ms=500)
    await asyncio.sleep(0.55)
    assert (await case.set("absent", b"new", if_absent=True)).stored
    assert await case.increment("number", 2) == 2
    assert not await case.delete("removed")
    await asyncio.sleep(1.0)
    assert await case.keys() == ["absent", "number"]


async def test_callers_that_go_away_leave_no_batch_behind(store: NatsKeyValue) -> None:
    case = KeyValueCase(store)
    entries = [(f"k{number}", b"") for number in range(100)]
    for _ in range(60):  # the server takes 50 open batches
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await case.set_many(entries)
    assert len(await case.set_many(entries)) == 100


async def test_any_number_of_batches_at_once_find_their_turn(store: NatsKeyValue) -> None:
    case = KeyValueCase(store)
    writers = (case.set_many([(f"k{n}", b"%d" % writer) for n in range(5)]) for writer in range(120))
    revisions = await asyncio.gather(*writers)
    assert len({revision for each in revisions for revision in each}) == 600
    assert len({entry.value for entry in await case.get_many([f"k{n}" for n in range(5)]) if entry}) == 1


async def test_a_batch_waits_for_those_of_other_hosts(server: RestartableNats, store: NatsKeyValue) -> None:
    case = KeyValueCase(store, bucket="shared")
    await case.set("k")
    other = NatsTransport(server.url, name="another host")
    await other.start()

    async def batch(number: int, headers: dict[str, str]) -> bytes:
        headers = {"Nats-Batch-Id": f"other-{number}", **headers}
        return await other.request("ahkv.shared.other", b"", 5.0, headers=headers)

    try:
        for number in range(50):
            assert await batch(number, {"Nats-Batch-Sequence": "1"}) == b""
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(case.set_many([("a", b""), ("b", b"")]))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            await batch(7, {"Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"})
        assert len(waiting.result()) == 2
    finally:
        await other.close()


async def _stream(server: RestartableNats, request: str) -> dict[str, object]:
    other = NatsTransport(server.url, name="operator")
    await other.start()
    try:
        answer = msgspec.json.decode(await other.request(f"$JS.API.STREAM.{request}", b"", 5.0))
    finally:
        await other.close()
    assert isinstance(answer, dict)
    return answer


async def test_a_stream_that_somebody_removed_is_made_again(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    case = KeyValueCase(store, bucket="gone")
    for call in (case.set, case.get):
        await case.set("k")
        await _stream(server, "DELETE.AHKV_gone")
        with pytest.raises(ProviderFailed):
            await call("k")
        assert await case.get("k") is None
        assert (await case.set("k", b"again")).stored


async def test_a_full_bucket_refuses_until_it_may_hold_more(
    server: RestartableNats, store: NatsKeyValue
) -> None:
    small = NatsKeyValue({"url": server.url, "max_bytes": MIB})
    async with started(small):
        case = KeyValueCase(small, bucket="small")
        await case.set("k", bytes(500_000))
        await case.set("l", bytes(500_000))
        with pytest.raises(ProviderFailed, match="maximum bytes") as refused:
            await case.set("m", bytes(500_000))
        assert "max_bytes (1048576)" in refused.value.hint
        assert await case.keys() == ["k", "l"]
    case = KeyValueCase(store, bucket="small")
    assert (await case.set("m", bytes(500_000))).stored


async def test_no_server_is_said_at_once_and_without_the_password() -> None:
    store = NatsKeyValue({"url": "nats://somebody:hunter2-secret@127.0.0.1:1", "timeout": 30})
    async with asyncio.timeout(2.0):
        with pytest.raises(ProviderFailed, match="no NATS server") as refused:
            await store.start()
    await store.stop()
    assert refused.value.retryable
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("url", ["http://somebody:hunter2@host", "nats://", "nats://host:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ProviderRefused, match="not the address of a NATS server") as refused:
        NatsKeyValue({"url": url})
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"
