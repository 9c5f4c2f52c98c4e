"""Backends that break the rules about callers at the same time, and callers that go away."""

from __future__ import annotations

import asyncio

from actorhost.contracts.keyvalue import (
    DeleteParams,
    ExistsParams,
    GetParams,
    IncrementParams,
    SetManyParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue.entry import breaks


@breaks("race-increment")
class BreaksRaceIncrement(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        entry = await self.get(link, GetParams(params.key))
        await asyncio.sleep(0)
        total = (int(entry.value) if entry else 0) + params.delta
        await self.set(link, SetParams(params.key, b"%d" % total))
        return total


class LooksThenWrites(MemoryKeyValue):
    """Judges the condition, then lets others in, then writes."""

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        entry = await self.get(link, GetParams(params.key))
        await asyncio.sleep(0)
        expected = 0 if params.if_absent else params.if_revision
        revision = entry.revision if entry else 0
        if expected not in (None, revision):
            return SetOutcome(stored=False, revision=revision)
        return await super().set(link, SetParams(params.key, params.value, params.ttl_ms))


@breaks("race-if-revision")
class BreaksRaceIfRevision(LooksThenWrites):
    pass


@breaks("race-if-absent")
class BreaksRaceIfAbsent(LooksThenWrites):
    pass


@breaks("race-delete")
class BreaksRaceDelete(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        there = await self.exists(link, ExistsParams(params.key))
        await asyncio.sleep(0)
        await super().delete(link, params)
        return there


@breaks("race-revisions")
class BreaksRaceRevisions(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        revision = self._bucket(link)._revision + 1
        await asyncio.sleep(0)
        await super().set(link, params)
        return SetOutcome(stored=True, revision=revision)


class OneByOne(MemoryKeyValue):
    """Stores the entries of a set-many one after the other and lets others in between."""

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        revisions = []
        for number, entry in enumerate(params.entries):
            revisions.append((await self.set(link, SetParams(entry.key, entry.value))).revision)
            if number % 3 == len(revisions) % 2:
                await asyncio.sleep(0)
        return revisions


@breaks("race-set-many")
class BreaksRaceSetMany(OneByOne):
    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        # Every second writer goes backwards, as writers with hash-ordered entries would.
        entries = params.entries[::-1] if params.entries[0].value in b"1357" else params.entries
        return await super().set_many(link, SetManyParams(entries))


@breaks("cancel-set-many")
class BreaksCancelSetMany(OneByOne):
    pass


@breaks("cancel-set")
class BreaksCancelSet(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        await super().delete(link, DeleteParams(params.key))
        await asyncio.sleep(0)
        return await super().set(link, params)


@breaks("cancel-then-serve")
class BreaksCancelThenServe(MemoryKeyValue):
    """Takes a lock and forgets it when the caller goes away."""

    busy = False

    async def increment(self, link: Link, params: IncrementParams) -> int:
        if self.busy:
            raise ProviderFailed("database is locked")
        self.busy = True
        await asyncio.sleep(0)
        self.busy = False
        return await super().increment(link, params)
