"""The key-value backend that keeps everything in JetStream, one stream for each bucket.

One instance owns one connection; the data is the server's, replicated as configured. Writes with a
condition, increments and deletes are safe between any number of hosts. A listing asks the server
for all keys of the bucket, so paging through a very large one is slow.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final
from weakref import WeakValueDictionary

from msgspec import Meta

from actorhost.contracts.config import Rules
from actorhost.contracts.keyvalue import (
    DEFAULT_PAGE,
    DeleteParams,
    Entry,
    ExistsParams,
    GetManyParams,
    GetParams,
    IncrementParams,
    KeyPage,
    KeysParams,
    KeyValue,
    SetManyParams,
    SetOutcome,
    SetParams,
    add,
    parse_number,
)
from actorhost.contracts.provider import Config, Link
from actorhost.errors import Closed, ProviderFailed, ProviderRefused
from actorhost_providers.kv.bucket import take_page
from actorhost_providers.kv.link import PAGE_BYTES, bucket_of, check_link
from actorhost_providers.kv.nats_bucket import ConditionFailed, Found, NatsBucket
from actorhost_providers.kv.nats_requests import Requests, check_address

MIB: Final = 1024 * 1024
_ATTEMPTS: Final = 100
"""Times that a write is tried because another host was faster."""
_LONGEST_PAUSE: Final = 0.01
"""Seconds before another attempt, at most: hosts that met do not meet again at once."""


class NatsConfig(Config, frozen=True):
    """Configuration: the server's address, bounds of each bucket, and seconds to wait for an answer.

    Without ``url`` (one address, or several separated by commas) it is the server of the host.
    JetStream sets ``max_bytes`` aside for each bucket when it is made.
    """

    url: str = ""
    max_bytes: Annotated[int, Meta(ge=MIB)] = 256 * MIB
    replicas: Annotated[int, Meta(ge=1, le=5)] = 1
    timeout: Annotated[float, Meta(ge=0.01, le=600)] = 5.0

    rules: ClassVar[Rules] = MappingProxyType({"url": check_address})


class NatsKeyValue(KeyValue):
    """Buckets in JetStream; see the module."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Take address and bounds from `config`."""
        super().__init__(config)
        self._config = NatsConfig.read(config, "provider keyvalue-nats")
        self._requests: Requests | None = None
        self._buckets: dict[str, NatsBucket] = {}
        # Within this host increments of a key take turns: fewer of them meet on the server.
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def check_link(self, link: Link) -> None:
        """Refuse a link with unknown configuration."""
        check_link(link)

    async def start(self) -> None:
        """Connect."""
        url = self._config.url or self.surroundings.nats
        if not url:
            raise ProviderRefused(
                "the host has no NATS server, and the configuration names none",
                hint="give url, or run the host with a server",
            )
        self._requests = Requests(url, timeout=self._config.timeout)
        await self._requests.open()

    async def stop(self) -> None:
        """Disconnect."""
        requests, self._requests = self._requests, None
        if requests is not None:
            await requests.close()

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        """Return the entry under a key."""
        return await (await self._bucket(link)).get(params.key)

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        """Store a value if the condition holds."""
        bucket = await self._bucket(link)
        expected = 0 if params.if_absent else params.if_revision
        if expected is not None:
            return await _set_if(bucket, params, expected)
        revision = await bucket.put(params.key, params.value, ttl_ms=params.ttl_ms, fence=None)
        return SetOutcome(stored=True, revision=revision)

    async def delete(self, link: Link, params: DeleteParams) -> bool:
        """Remove a key if the condition holds."""
        bucket = await self._bucket(link)
        for attempt in range(_ATTEMPTS):
            await _pause(attempt)
            found = await bucket.get(params.key)
            if found is None or params.if_revision not in (None, found.revision):
                return False
            if await bucket.remove(found.revision):
                return True
        raise _contended(params.key)

    async def exists(self, link: Link, params: ExistsParams) -> bool:
        """Return whether there is an entry under a key."""
        return await self.get(link, params) is not None

    async def increment(self, link: Link, params: IncrementParams) -> int:
        """Add to the number under a key."""
        bucket, place = await self._bucket(link), (bucket_of(link), params.key)
        turn = self._turns.get(place) or self._turns.setdefault(place, asyncio.Lock())
        async with turn:
            for attempt in range(_ATTEMPTS):
                await _pause(attempt)
                found = await bucket.find(params.key)
                number = parse_number(found.entry.value) if found and not found.expired else 0
                total = add(number, params.delta)
                try:
                    await bucket.put(params.key, b"%d" % total, ttl_ms=None, fence=_fence(found))
                except ConditionFailed:
                    continue
                return total
        raise _contended(params.key)

    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        """Return the next page of keys; the cursor is the last key of the page."""
        bucket, limit = await self._bucket(link), params.limit or DEFAULT_PAGE
        found = await bucket.keys(params.prefix, params.cursor or "", limit + 1)
        page, more = take_page(iter(found), limit, PAGE_BYTES)
        return KeyPage(page, page[-1] if more else None)

    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        """Return the entries under several keys."""
        return await (await self._bucket(link)).get_many(params.keys)

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        """Store several entries, all or none."""
        bucket = await self._bucket(link)
        return await bucket.put_all([(entry.key, entry.value) for entry in params.entries])

    async def _bucket(self, link: Link) -> NatsBucket:
        name = bucket_of(link)
        bucket = self._buckets.get(name)
        if bucket is None:
            if self._requests is None:
                raise Closed("the key-value store is not open")
            settings = self._config
            bucket = self._buckets[name] = NatsBucket(
                self._requests, name, max_bytes=settings.max_bytes, replicas=settings.replicas
            )
        await bucket.ready()
        return bucket


async def _set_if(bucket: NatsBucket, params: SetParams, expected: int) -> SetOutcome:
    """Store a value if the key has revision `expected`, 0 for none."""
    for attempt in range(_ATTEMPTS):
        await _pause(attempt)
        # Whether there is nothing the server says itself, unless what there is has expired.
        found = None if expected == 0 and attempt == 0 else await bucket.find(params.key)
        revision = found.entry.revision if found and not found.expired else 0
        if revision != expected:
            return SetOutcome(stored=False, revision=revision)
        try:
            stored = await bucket.put(params.key, params.value, ttl_ms=params.ttl_ms, fence=_fence(found))
        except ConditionFailed:
            continue
        return SetOutcome(stored=True, revision=stored)
    raise _contended(params.key)


def _fence(found: Found | None) -> int:
    return found.entry.revision if found else 0


async def _pause(attempt: int) -> None:
    """Wait before another attempt, but not before the first two: the second mostly meets nobody."""
    if attempt > 1:
        await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - to spread, not to hide


def _contended(key: str) -> ProviderFailed:
    failed = ProviderFailed(
        f"key {key[:80]!r} was changed by others {_ATTEMPTS} times in a row; nothing was done",
        hint="retry later",
    )
    failed.retryable = True
    return failed
