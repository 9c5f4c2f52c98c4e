"""Backends that break the rules about revisions, conditions and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from actorhost.contracts.keyvalue import (
    MAX_NUMBER,
    DeleteParams,
    ExistsParams,
    GetParams,
    IncrementParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue.entry import BendsParams, Restarting, breaks


@breaks("revision-grows")
class BreaksRevisionGrows(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        if params.delta == 0:
            entry = await self.get(link, GetParams(params.key))
            return int(entry.value) if entry else 0
        return await super().increment(link, params)


@breaks("revision-of-bucket")
class BreaksRevisionOfBucket(MemoryKeyValue):
    """Counts revisions for each key on its own."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self._own: dict[str, int] = {}

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        await super().set(link, params)
        self._own[params.key] = self._own.get(params.key, 0) + 1
        return SetOutcome(stored=True, revision=self._own[params.key])


@breaks("revision-kept")
class BreaksRevisionKept(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        removed = await super().delete(link, params)
        entry = None if removed else await self.get(link, GetParams(params.key))
        if entry:
            await super().set(link, SetParams(params.key, entry.value))
        return removed


@breaks("revision-after-delete")
class BreaksRevisionAfterDelete(Restarting):
    pass


@breaks("if-absent-stores")
class BreaksIfAbsentStores(MemoryKeyValue):
    """Takes the marker of a deleted key for the key."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self._deleted: set[str] = set()

    async def delete(self, link: Link, params: DeleteParams) -> bool:
        self._deleted.add(params.key)
        return await super().delete(link, params)

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        if params.if_absent and params.key in self._deleted:
            return SetOutcome(stored=False, revision=0)
        return await super().set(link, params)


@breaks("if-absent-refuses")
class BreaksIfAbsentRefuses(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, if_absent=None)


@breaks("if-absent-false")
class BreaksIfAbsentFalse(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, if_absent=params.if_absent is not None)


@breaks("if-revision-stores")
class BreaksIfRevisionStores(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        expected = params.if_revision
        return msgspec.structs.replace(params, if_revision=None if expected is None else expected + 1)


@breaks("if-revision-refuses")
class BreaksIfRevisionRefuses(BendsParams):
    def bend(self, params: SetParams) -> SetParams:
        return msgspec.structs.replace(params, if_revision=params.if_revision or None)


@breaks("if-revision-absent")
class BreaksIfRevisionAbsent(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        if not await self.exists(link, ExistsParams(params.key)):
            params = msgspec.structs.replace(params, if_revision=None)
        return await super().set(link, params)


@breaks("if-revision-zero")
class BreaksIfRevisionZero(MemoryKeyValue):
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        if params.if_revision == 0:
            return SetOutcome(stored=False, revision=0)
        return await super().set(link, params)


@breaks("delete-if-revision")
class BreaksDeleteIfRevision(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        return await super().delete(link, DeleteParams(params.key, params.if_revision or None))


@breaks("increment-absent")
class BreaksIncrementAbsent(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        if not await self.exists(link, ExistsParams(params.key)):
            raise ProviderFailed("no such key")
        return await super().increment(link, params)


@breaks("increment-adds")
class BreaksIncrementAdds(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        return await super().increment(link, params) - params.delta


@breaks("increment-text")
class BreaksIncrementText(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        total = await super().increment(link, params)
        await self.set(link, SetParams(params.key, total.to_bytes(8, "big", signed=True)))
        return total


@breaks("increment-64-bit")
class BreaksIncrement64Bit(MemoryKeyValue):
    async def increment(self, link: Link, params: IncrementParams) -> int:
        total = int(float(await super().increment(link, params)))
        await self.set(link, SetParams(params.key, b"%d" % total))
        return min(total, MAX_NUMBER)


class LaxNumbers(MemoryKeyValue):
    """Increments with ``int()`` and wraps around."""

    async def increment(self, link: Link, params: IncrementParams) -> int:
        entry = await self.get(link, GetParams(params.key))
        try:
            total = int(entry.value if entry else 0) + params.delta
        except ValueError:
            return await super().increment(link, params)
        total = (total + 2**63) % 2**64 - 2**63
        await self.set(link, SetParams(params.key, b"%d" % total))
        return total


@breaks("increment-overflow")
class BreaksIncrementOverflow(LaxNumbers):
    pass


@breaks("increment-no-number")
class BreaksIncrementNoNumber(LaxNumbers):
    pass
