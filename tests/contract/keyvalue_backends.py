"""The key-value backends as the tests run them: each with a server or file of its own, gone at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from actorhost.contracts.keyvalue import KeyValue
from actorhost.limits import MIB, Limits
from actorhost.manifest import Place
from actorhost.transport import NatsServer
from actorhost_providers.kv.memory import MemoryKeyValue
from actorhost_providers.kv.nats import NatsKeyValue
from actorhost_providers.kv.redis import RedisKeyValue
from actorhost_providers.kv.sqlite import SqliteKeyValue
from tests.contract.places import placed, started
from tests.servers import redis_server

Backend = Callable[[Path, Place], AbstractAsyncContextManager[KeyValue]]
"""Runs a backend that keeps to a folder, in the host or in a process of its own."""


@asynccontextmanager
async def _memory(folder: Path, place: Place) -> AsyncIterator[KeyValue]:
    async with placed(MemoryKeyValue({}), place, folder) as store:
        yield store


@asynccontextmanager
async def _sqlite(folder: Path, place: Place) -> AsyncIterator[KeyValue]:
    async with placed(SqliteKeyValue({"path": str(folder / "store.db")}), place, folder) as store:
        yield store


@asynccontextmanager
async def _redis(folder: Path, place: Place) -> AsyncIterator[KeyValue]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(redis_server(folder / "redis"))
        yield await stack.enter_async_context(placed(RedisKeyValue({"url": server.url}), place, folder))


@asynccontextmanager
async def _nats(folder: Path, place: Place) -> AsyncIterator[KeyValue]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(NatsServer(folder / "nats", limits=Limits()))
        # JetStream sets the room of each bucket aside, and there is a bucket for each rule.
        config = {"url": server.url, "max_bytes": 16 * MIB}
        yield await stack.enter_async_context(placed(NatsKeyValue(config), place, folder))


__all__ = ["BACKENDS", "started"]

BACKENDS: Final[dict[str, Backend]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "redis": _redis,
    "nats": _nats,
}
