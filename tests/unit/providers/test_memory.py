"""The memory backend's own rules: its bounds, its sweeps, its pages."""

from __future__ import annotations

import pytest

from actorhost.contracts.keyvalue import KeyValue
from actorhost.errors import ProviderFailed, ProviderRefused
from actorhost.testing.clock import ManualClock
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost_providers.kv import memory
from actorhost_providers.kv.bucket import Bucket, Room
from actorhost_providers.kv.memory import MemoryKeyValue


def case(clock: ManualClock | None = None, **config: object) -> KeyValueCase:
    return KeyValueCase(MemoryKeyValue(config, clock or ManualClock()))


async def contents(case: KeyValueCase) -> dict[str, bytes | None]:
    return {key: await case.value(key) for key in await case.keys()}


async def test_a_full_store_refuses_and_keeps_what_it_has() -> None:
    small = case(max_keys=2, max_bytes=20)
    await small.set("a", b"1")
    await small.set("b", b"2")
    before = await contents(small)
    with pytest.raises(ProviderFailed, match="the store is full: 2 keys, 4 bytes") as caught:
        await small.set("c", b"")
    assert "max_keys (2)" in caught.value.hint
    for write in (
        small.set("a", bytes(18)),
        small.increment("c", 1),
        small.set_many([("a", b"9"), ("c", b"")]),
    ):
        with pytest.raises(ProviderFailed):
            await write
    assert await contents(small) == before


async def test_room_is_shared_by_buckets_and_given_back() -> None:
    small = case(max_keys=100, max_bytes=20)
    other = small.beside()
    await small.set("key", bytes(10))
    with pytest.raises(ProviderFailed):
        await other.set("key", bytes(10))
    await small.set("key", bytes(3))
    await other.set("key", bytes(10))
    await small.delete("key")
    await other.set("key", bytes(17))


async def test_bytes_count_as_utf_8() -> None:
    small = case(max_bytes=4)
    await small.set("éé", b"")
    with pytest.raises(ProviderFailed):
        await small.set("éé", b"1")


async def test_expired_entries_of_any_bucket_make_room() -> None:
    clock = ManualClock()
    small = case(clock, max_keys=1)
    await small.set("old", ttl_ms=1000)
    clock.advance(0.999)
    with pytest.raises(ProviderFailed):
        await small.beside().set("new")
    clock.advance(0.001)
    await small.beside().set("new")


async def test_an_entry_ends_exactly_at_its_time() -> None:
    clock = ManualClock()
    exact = case(clock)
    await exact.set("k", ttl_ms=1)
    clock.advance(0.0005)
    assert await exact.exists("k")
    clock.advance(0.0005)
    assert not await exact.exists("k")


def test_what_is_stale_is_swept() -> None:
    clock, room = ManualClock(), Room()
    bucket = Bucket(room, clock)
    for number in range(1000):
        bucket.store("k", b"", ttl=1000 + number)
        bucket.store(f"other-{number}", b"")
        bucket.remove(f"other-{number}")
    assert len(bucket._due) < 100
    assert len(bucket._order) < 100
    assert room == Room(keys=1, size=1)
    clock.advance(1999)
    assert bucket.find("k") is None
    assert room == Room()
    assert list(bucket.keys_from("", None)) == []


async def test_pages_end_early_to_fit_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PAGE_BYTES", 10)
    store = case()
    await store.set_many([(f"{number:04}", b"") for number in range(7)])
    page = await store.page("", None, 1000)
    assert page.keys == ["0000", "0001", "0002"]
    assert await store.keys("", 1000) == [f"{number:04}" for number in range(7)]


@pytest.mark.parametrize("config", [{"max_keys": 0}, {"max_bytes": "64MiB"}, {"size": 1}])
def test_configuration_that_makes_no_sense_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused, match="configuration of provider keyvalue-memory"):
        MemoryKeyValue(config)


def test_it_is_a_key_value_provider() -> None:
    assert issubclass(MemoryKeyValue, KeyValue)
