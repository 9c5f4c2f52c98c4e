"""The key-value backend that keeps everything in a Redis (6.2 or newer) or Valkey server.

One instance owns its connections; the data is the server's, and outlives the host as far as the
server's persistence goes. Every operation is one script, so it happens whole or not at all. A
Redis Cluster is not supported: a bucket's keys must be on one server.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote

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
from actorhost.errors import InternalError
from actorhost_providers.kv import redis_scripts as scripts
from actorhost_providers.kv.bucket import take_page
from actorhost_providers.kv.link import PAGE_BYTES, bucket_of, check_link
from actorhost_providers.kv.redis_connection import RedisConnection, check_address

_NOTHING: Final = ""


class RedisConfig(Config, frozen=True):
    """Configuration: the server's address, the prefix of all keys there, and seconds to wait for it.

    ``url`` may hold a password, so write a reference: ``env:REDIS_URL`` or ``file:/run/secrets/redis``.
    """

    url: Annotated[str, Meta(min_length=1)]
    prefix: Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,200}$")] = "actorhost"
    timeout: Annotated[float, Meta(ge=0.01, le=600)] = 5.0

    rules: ClassVar[Rules] = MappingProxyType({"url": check_address})


class RedisKeyValue(KeyValue):
    """Buckets on a Redis server; see the module."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Take address and limits from `config`."""
        super().__init__(config)
        settings = RedisConfig.read(config, "provider keyvalue-redis")
        self._prefix = settings.prefix
        self._server = RedisConnection(settings.url, timeout=settings.timeout)

    def check_link(self, link: Link) -> None:
        """Refuse a link with unknown configuration."""
        check_link(link)

    async def start(self) -> None:
        """Make sure that the server answers."""
        await self._server.check()

    async def stop(self) -> None:
        """Drop every connection."""
        await self._server.close()

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        """Return the entry under a key."""
        (entry,) = await self._get(link, [params.key])
        return entry

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        """Store a value if the condition holds."""
        expected = 0 if params.if_absent else params.if_revision
        arguments = (params.key, params.value, _text(params.ttl_ms), _text(expected))
        stored, revision = await self._run(link, scripts.SET, arguments)
        return SetOutcome(stored=bool(stored), revision=int(revision))

    async def delete(self, link: Link, params: DeleteParams) -> bool:
        """Remove a key if the condition holds."""
        return bool(await self._run(link, scripts.DELETE, (params.key, _text(params.if_revision))))

    async def exists(self, link: Link, params: ExistsParams) -> bool:
        """Return whether there is an entry under a key."""
        return await self.get(link, params) is not None

    async def increment(self, link: Link, params: IncrementParams) -> int:
        """Add to the number under a key."""
        added, value = await self._run(link, scripts.INCREMENT, (params.key, params.delta))
        if added:
            return int(value)
        # The contract's own words for why; Redis refuses exactly what it refuses.
        total = add(parse_number(b"0" if value is None else value), params.delta)
        raise InternalError(f"Redis did not add {params.delta} to come to {total}")

    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        """Return the next page of keys; the cursor is the last key of the page."""
        limit = params.limit or DEFAULT_PAGE
        arguments = (*_bounds(params.prefix.encode(), (params.cursor or "").encode()), limit + 1)
        found, looked_to = await self._run(link, scripts.KEYS, arguments)
        page, more = take_page((key.decode() for key in found), limit, PAGE_BYTES)
        if not more and looked_to is not None:
            # So many keys had expired that the script did not look at all of them.
            return KeyPage(page, looked_to.decode())
        return KeyPage(page, page[-1] if more else None)

    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        """Return the entries under several keys."""
        return await self._get(link, params.keys)

    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        """Store several entries, all or none."""
        arguments = [part for entry in params.entries for part in (entry.key, entry.value)]
        return [int(revision) for revision in await self._run(link, scripts.SET_MANY, arguments)]

    async def _get(self, link: Link, keys: list[str]) -> list[Entry | None]:
        found = await self._run(link, scripts.GET, keys, writes=False)
        return [None if revision is None else Entry(value, int(revision)) for value, revision in found]

    async def _run(self, link: Link, script: str, arguments: Any, *, writes: bool = True) -> Any:
        # Encoded, so that no name of a bucket runs on into what comes after it.
        prefix = f"{self._prefix}:{quote(bucket_of(link), safe='')}:"
        return await self._server.run(script, prefix, arguments, writes=writes)


def _text(number: int | None) -> str:
    return _NOTHING if number is None else str(number)


def _bounds(prefix: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Return the bounds, as ZRANGEBYLEX has them, of keys with `prefix` that come after `after`."""
    low = b"(" + after if after and after >= prefix else b"[" + prefix
    # No byte of UTF-8 is 0xFF, so this is behind every key with the prefix.
    return low if len(low) > 1 else b"-", b"(" + prefix + b"\xff"
