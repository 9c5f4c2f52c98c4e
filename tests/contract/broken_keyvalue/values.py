"""Backends that break the rules about values, keys and buckets."""

# ruff: noqa: ARG002 - a broken backend ignores what it should heed

from __future__ import annotations

from dataclasses import replace

import msgspec

from actorhost.contracts.keyvalue import (
    MAX_KEY,
    DeleteParams,
    Entry,
    ExistsParams,
    GetManyParams,
    GetParams,
    SetManyParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.bucket import Bucket
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue.entry import BendsParams, breaks


class BendsKeys(MemoryKeyValue):
    """Lets a subclass change a key on its way into ``get`` and ``set``."""

    def bend(self, key: str) -> str:
        return key

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        return await super().get(link, GetParams(self.bend(params.key)))

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        return await super().set(link, msgspec.structs.replace(params, key=self.bend(params.key)))


def _renamed(link: Link, **config: object) -> Link:
    return replace(link, config={**link.config, **config})


@breaks("get-absent")
class BreaksGetAbsent(MemoryKeyValue):
    async def get(self, link: Link, params: GetParams) -> Entry | None:
        return await super().get(link, params) or Entry(b"", 0)


@breaks("get-stored")
class BreaksGetStored(MemoryKeyValue):
    async def get(self, link: Link, params: GetParams) -> Entry | None:
        entry = await super().get(link, params)
        return Entry(entry.value, entry.revision + 1) if entry else None


@breaks("value-bytes")
class BreaksValueBytes(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, value=params.value.strip())


@breaks("value-empty")
class BreaksValueEmpty(MemoryKeyValue):
    async def exists(self, link: Link, params: ExistsParams) -> bool:
        entry = await self.get(link, GetParams(params.key))
        return bool(entry and entry.value)


@breaks("value-largest")
class BreaksValueLargest(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, value=params.value[: 2**19 - 1])


@breaks("key-text")
class BreaksKeyText(BendsKeys):
    def bend(self, key: str) -> str:
        return key.replace(" ", "_")


@breaks("key-longest")
class BreaksKeyLongest(BendsKeys):
    def bend(self, key: str) -> str:
        return key[: MAX_KEY - 1]


@breaks("delete-removes")
class BreaksDeleteRemoves(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        return await self.exists(link, ExistsParams(params.key))


@breaks("delete-absent")
class BreaksDeleteAbsent(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        await super().delete(link, params)
        return True


@breaks("exists")
class BreaksExists(MemoryKeyValue):
    async def exists(self, link: Link, params: ExistsParams) -> bool:
        return True


@breaks("buckets-apart")
class BreaksBucketsApart(MemoryKeyValue):
    def _bucket(self, link: Link) -> Bucket:
        return super()._bucket(_renamed(link, bucket="one for all"))


@breaks("buckets-named")
class BreaksBucketsNamed(MemoryKeyValue):
    """Joins names and keys with a colon, which either may hold."""

    def _bucket(self, link: Link) -> Bucket:
        name = str(link.config["bucket"]).partition(":")[0]
        return super()._bucket(_renamed(link, bucket=name))


@breaks("bucket-shared")
class BreaksBucketShared(MemoryKeyValue):
    def _bucket(self, link: Link) -> Bucket:
        return super()._bucket(_renamed(link, bucket=f"{link.actor}-{link.config['bucket']}"))


@breaks("get-many-order")
class BreaksGetManyOrder(MemoryKeyValue):
    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        return await super().get_many(link, GetManyParams(sorted(set(params.keys))))


@breaks("get-many-none")
class BreaksGetManyNone(MemoryKeyValue):
    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        return await super().get_many(link, params) or [None]


@breaks("set-many-stores")
class BreaksSetManyStores(MemoryKeyValue):
    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        return sorted(await super().set_many(link, SetManyParams(params.entries[::-1])))


@breaks("set-many-none")
class BreaksSetManyNone(MemoryKeyValue):
    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        if not params.entries:
            raise ProviderFailed("an empty transaction")
        return await super().set_many(link, params)


@breaks("many-largest")
class BreaksManyLargest(MemoryKeyValue):
    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        if len(params.keys) > 999:
            raise ProviderFailed("too many SQL variables")
        return await super().get_many(link, params)
