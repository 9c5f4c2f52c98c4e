"""Backends that break the rules about entries whose time comes."""

# ruff: noqa: ARG002 - a broken backend ignores what it should heed

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from actorhost.contracts.keyvalue import (
    DeleteParams,
    Entry,
    ExistsParams,
    GetManyParams,
    GetParams,
    IncrementParams,
    KeyPage,
    KeysParams,
    SetManyParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue.entry import BendsParams, Restarting, breaks, cut_page


class Undying(MemoryKeyValue):
    """Brings entries back, for one operation, whose time has come."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self._ever: dict[str, Entry] = {}

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        outcome = await super().set(link, params)
        if outcome.stored:
            self._ever[params.key] = Entry(params.value, outcome.revision)
        return outcome


@breaks("ttl-not-before")
class BreaksTtlNotBefore(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, ttl_ms=params.ttl_ms and 1 + params.ttl_ms // 2)


@breaks("ttl-odd")
class BreaksTtlOdd(BendsParams):
    """Counts in whole seconds, and begins with the next one."""

    def bend(self, params: SetParams) -> SetParams:
        seconds = None if params.ttl_ms is None else 1 + -(-params.ttl_ms // 1000)
        return msgspec.structs.replace(params, ttl_ms=seconds and seconds * 1000)


@breaks("ttl-get")
class BreaksTtlGet(Undying):
    async def get(self, link: Link, params: GetParams) -> Entry | None:
        return self._ever.get(params.key)


@breaks("ttl-exists")
class BreaksTtlExists(Undying):
    async def exists(self, link: Link, params: ExistsParams) -> bool:
        return params.key in self._ever


@breaks("ttl-keys")
class BreaksTtlKeys(Undying):
    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        return cut_page(sorted(self._ever), params)


@breaks("ttl-get-many")
class BreaksTtlGetMany(Undying):
    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        return [self._ever.get(key) for key in params.keys]


@breaks("ttl-conditions")
class BreaksTtlConditions(Undying):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        await super().delete(link, params)
        return self._ever.pop(params.key, None) is not None


@breaks("ttl-increment")
class BreaksTtlIncrement(Undying):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        entry = self._ever.get(params.key)
        return (int(entry.value) if entry else 0) + params.delta


@breaks("ttl-revision")
class BreaksTtlRevision(Restarting):
    pass


class KeepsExpiry(MemoryKeyValue):
    """Lets a write keep the expiry of the entry it replaces, if a subclass says so."""

    kept: str

    def _carry(self, link: Link, key: str, operation: str) -> int | None:
        deadline = self._bucket(link)._deadlines.get(key)
        return int(1000 * (deadline - self._clock())) if deadline and self.kept == operation else None

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        ttl_ms = params.ttl_ms or self._carry(link, params.key, "set")
        return await super().set(link, msgspec.structs.replace(params, ttl_ms=ttl_ms))

    async def increment(self, link: Link, params: IncrementParams) -> int:
        ttl_ms = self._carry(link, params.key, "increment")
        total = await super().increment(link, params)
        await super().set(link, SetParams(params.key, b"%d" % total, ttl_ms))
        return total

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        outcomes = [
            await super(KeepsExpiry, self).set(
                link, SetParams(entry.key, entry.value, self._carry(link, entry.key, "set-many"))
            )
            for entry in params.entries
        ]
        return [outcome.revision for outcome in outcomes]


@breaks("ttl-cleared-by-set")
class BreaksTtlClearedBySet(KeepsExpiry):
    kept = "set"


@breaks("ttl-cleared-by-set-many")
class BreaksTtlClearedBySetMany(KeepsExpiry):
    kept = "set-many"


@breaks("ttl-cleared-by-increment")
class BreaksTtlClearedByIncrement(KeepsExpiry):
    kept = "increment"


@breaks("ttl-renewed")
class BreaksTtlRenewed(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        deadlines = self._bucket(link)._deadlines
        first = deadlines.get(params.key)
        outcome = await super().set(link, params)
        if first is not None:
            deadlines[params.key] = first
            self._bucket(link)._due.append((first, params.key))
        return outcome


@breaks("ttl-kept-by-refusal")
class BreaksTtlKeptByRefusal(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        outcome = await super().set(link, params)
        if not outcome.stored:
            self._bucket(link)._deadlines.pop(params.key, None)
        return outcome


@breaks("ttl-longest")
class BreaksTtlLongest(BendsParams):
    """Keeps milliseconds in 32 bits."""

    def bend(self, params: SetParams) -> SetParams:
        if params.ttl_ms and params.ttl_ms >= 2**31:
            raise ProviderFailed("the time to live does not fit")
        return params
