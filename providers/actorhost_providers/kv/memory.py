"""The key-value backend that keeps everything in the host's memory.

One instance is one set of buckets, owned by the host's provider registry; links with the same
``bucket`` share data. Nothing survives the end of the process. Bounded by ``max_bytes`` and
``max_keys`` over all buckets: a write that would exceed them is refused and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

from msgspec import Meta

from actorhost.clock import monotonic
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
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.bucket import Bucket, Room, take_page
from actorhost_providers.kv.link import PAGE_BYTES, bucket_of, check_link

MIB: Final = 1024 * 1024


class MemoryConfig(Config, frozen=True):
    """Configuration of the provider: what all buckets may hold together."""

    max_bytes: Annotated[int, Meta(ge=1)] = 64 * MIB
    max_keys: Annotated[int, Meta(ge=1)] = 100_000


class MemoryKeyValue(KeyValue):
    """Buckets in memory; see the module."""

    def __init__(self, config: Mapping[str, object], clock: Callable[[], float] = monotonic) -> None:
        """Take the limits from `config`; `clock` gives monotonic seconds for expiry."""
        super().__init__(config)
        self._limits = MemoryConfig.read(config, "provider keyvalue-memory")
        self._clock = clock
        self._room = Room()
        self._buckets: dict[str, Bucket] = {}

    def check_link(self, link: Link) -> None:
        """Refuse a link with unknown configuration."""
        check_link(link)

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        """Return the entry under a key."""
        return self._bucket(link).find(params.key)

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        """Store a value if the condition holds."""
        bucket = self._bucket(link)
        found = bucket.find(params.key)
        revision = found.revision if found else 0
        expected = 0 if params.if_absent else params.if_revision
        if expected is not None and expected != revision:
            return SetOutcome(stored=False, revision=revision)
        self._make_room(bucket, [(params.key, params.value)])
        ttl = None if params.ttl_ms is None else params.ttl_ms / 1000
        return SetOutcome(stored=True, revision=bucket.store(params.key, params.value, ttl))

    async def delete(self, link: Link, params: DeleteParams) -> bool:
        """Remove a key if the condition holds."""
        bucket = self._bucket(link)
        found = bucket.find(params.key)
        if params.if_revision is not None and (found is None or found.revision != params.if_revision):
            return False
        return bucket.remove(params.key)

    async def exists(self, link: Link, params: ExistsParams) -> bool:
        """Return whether there is an entry under a key."""
        return self._bucket(link).find(params.key) is not None

    async def increment(self, link: Link, params: IncrementParams) -> int:
        """Add to the number under a key."""
        bucket = self._bucket(link)
        found = bucket.find(params.key)
        total = add(parse_number(found.value) if found else 0, params.delta)
        value = b"%d" % total
        self._make_room(bucket, [(params.key, value)])
        bucket.store(params.key, value)
        return total

    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        """Return the next page of keys; the cursor is the last key of the page."""
        found = self._bucket(link).keys_from(params.prefix, params.cursor)
        page, more = take_page(found, params.limit or DEFAULT_PAGE, PAGE_BYTES)
        return KeyPage(page, page[-1] if more else None)

    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        """Return the entries under several keys."""
        bucket = self._bucket(link)
        return [bucket.find(key) for key in params.keys]

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        """Store several entries, all or none."""
        bucket = self._bucket(link)
        items = [(entry.key, entry.value) for entry in params.entries]
        self._make_room(bucket, items)
        return [bucket.store(key, value) for key, value in items]

    def _bucket(self, link: Link) -> Bucket:
        name = bucket_of(link)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._room, self._clock)
        return bucket

    def _make_room(self, bucket: Bucket, items: Sequence[tuple[str, bytes]]) -> None:
        """Refuse to store `items` when they would exceed a limit, even without expired entries."""
        if self._fits(bucket.growth(items)):
            return
        for each in self._buckets.values():
            each.drop_expired()
        if not self._fits(bucket.growth(items)):
            raise ProviderFailed(
                f"the store is full: {self._room.keys} keys, {self._room.size} bytes",
                hint=f"delete keys, or raise max_keys ({self._limits.max_keys}) or max_bytes"
                f" ({self._limits.max_bytes}) in the provider's configuration",
            )

    def _fits(self, added: Room) -> bool:
        keys, size = self._room.keys + added.keys, self._room.size + added.size
        return keys <= self._limits.max_keys and size <= self._limits.max_bytes
