"""The manual clock stands still until it is moved, and never goes back."""

from __future__ import annotations

import pytest

from actorhost.contracts.keyvalue import GetParams, SetParams
from actorhost.contracts.provider import Link
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.testing import ManualClock
from actorhost_providers.kv.memory import MemoryKeyValue

LINK = Link(ActorName("someone"), ContractId("actorhost:keyvalue"), LinkName("default"))


async def test_it_drives_what_takes_a_clock() -> None:
    clock = ManualClock()
    store = MemoryKeyValue({}, clock)
    await store.set(LINK, SetParams(key="a", value=b"1", ttl_ms=60_000))
    clock.advance(59)
    assert await store.get(LINK, GetParams(key="a")) is not None
    clock.advance(2)
    assert await store.get(LINK, GetParams(key="a")) is None


def test_it_cannot_go_back() -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        ManualClock().advance(-1)
