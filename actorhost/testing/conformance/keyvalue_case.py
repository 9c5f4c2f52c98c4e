"""A corner of a key-value backend under test: one fresh bucket, called over the wire's types.

A backend's own tests make one for each rule and own it: ``KeyValueCase(store, wait=sleep)``.
Every call goes through the contract's codecs both ways, so a value of the wrong type shows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from actorhost.contracts.base import Params
from actorhost.contracts.keyvalue import (
    CONTRACT,
    DeleteParams,
    Entry,
    ExistsParams,
    GetManyParams,
    GetParams,
    IncrementParams,
    KeyAndValue,
    KeyPage,
    KeysParams,
    KeyValue,
    SetManyParams,
    SetOutcome,
    SetParams,
)
from actorhost.contracts.provider import Link
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.rule import RuleBroken

MOST_PAGES: Final = 2000
"""A listing with more pages counts as endless: no rule stores that many keys."""


class KeyValueCase:
    """One bucket of `store`, new unless named."""

    def __init__(
        self,
        store: KeyValue,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        bucket: str = "",
        actor: str = "conformance",
    ) -> None:
        """Call `store`, which was started; `wait` lets that many seconds pass for the backend."""
        self.store = store
        self.wait = wait
        self.bucket = bucket or f"case-{os.urandom(6).hex()}"
        self._link = Link(ActorName(actor), CONTRACT.id, LinkName("default"), {"bucket": self.bucket})
        store.check_link(self._link)

    def beside(self, *, bucket: str = "", actor: str = "conformance") -> KeyValueCase:
        """Return another case of the same backend: another actor's, or another bucket."""
        return KeyValueCase(self.store, self.wait, bucket=bucket, actor=actor)

    async def get(self, key: str) -> Entry | None:
        """Call ``get``."""
        entry: Entry | None = await self._call("get", GetParams(key))
        return entry

    async def value(self, key: str) -> bytes | None:
        """Return the value under `key`, None if there is none."""
        entry = await self.get(key)
        return entry.value if entry else None

    async def set(
        self,
        key: str,
        value: bytes = b"value",
        *,
        ttl_ms: int | None = None,
        if_absent: bool | None = None,
        if_revision: int | None = None,
    ) -> SetOutcome:
        """Call ``set``."""
        outcome: SetOutcome = await self._call("set", SetParams(key, value, ttl_ms, if_absent, if_revision))
        return outcome

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        """Call ``delete``."""
        removed: bool = await self._call("delete", DeleteParams(key, if_revision))
        return removed

    async def exists(self, key: str) -> bool:
        """Call ``exists``."""
        there: bool = await self._call("exists", ExistsParams(key))
        return there

    async def increment(self, key: str, delta: int) -> int:
        """Call ``increment``."""
        total: int = await self._call("increment", IncrementParams(key, delta))
        return total

    async def page(self, prefix: str = "", cursor: str | None = None, limit: int | None = None) -> KeyPage:
        """Call ``keys``."""
        page: KeyPage = await self._call("keys", KeysParams(prefix, cursor, limit))
        return page

    async def keys(self, prefix: str = "", limit: int | None = None) -> list[str]:
        """Return the keys of all pages."""
        found: list[str] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.page(prefix, cursor, limit)
            found += page.keys
            cursor = page.cursor
            if cursor is None:
                return found
        raise RuleBroken(f"a listing of more than {MOST_PAGES} pages, {len(found)} keys so far")

    async def get_many(self, keys: Sequence[str]) -> list[Entry | None]:
        """Call ``get-many``."""
        entries: list[Entry | None] = await self._call("get-many", GetManyParams(list(keys)))
        return entries

    async def set_many(self, items: Sequence[tuple[str, bytes]]) -> list[int]:
        """Call ``set-many``."""
        params = SetManyParams([KeyAndValue(key, value) for key, value in items])
        revisions: list[int] = await self._call("set-many", params)
        return revisions

    async def _call(self, name: str, params: Params) -> Any:
        operation = CONTRACT.operation(name)
        received = operation.decode_params(operation.encode_params(params))
        result = await getattr(self.store, operation.method)(self._link, received)
        return operation.decode_result(operation.encode_result(result))
