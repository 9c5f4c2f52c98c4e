"""Rules of ``actorhost:keyvalue`` about entries whose time comes."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.keyvalue import MAX_TTL_MS
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[KeyValueCase]] = Suite()

TTL_MS: Final = 1000
GONE: Final = TTL_MS / 1000 + 1.05
"""Seconds after which the contract promises that an entry with :data:`TTL_MS` is gone."""


@SUITE.rule("ttl-not-before", "An entry is there until its time has come.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"v", ttl_ms=3000)
    await case.wait(2.0)
    equal(await case.value("k"), b"v", "the value a second before its time")


@SUITE.rule("ttl-odd", "A time to live is one of milliseconds: no more than a second is added, however odd.")
async def _(case: KeyValueCase) -> None:
    for key, ttl_ms in (("short", 1), ("odd", 1001)):
        await case.set(key, b"v", ttl_ms=ttl_ms)
    await case.wait(1.05)
    equal(await case.get("short"), None, "an entry with a millisecond to live")
    await case.wait(1.0)
    equal(await case.get_many(["short", "odd"]), [None, None], "the entries")
    equal(await case.keys(), [], "the keys")


@SUITE.rule("ttl-get", "An entry is gone for get when its time has come.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", ttl_ms=TTL_MS)
    await case.wait(GONE)
    equal(await case.get("k"), None, "get")


@SUITE.rule("ttl-exists", "An entry is gone for exists when its time has come.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", ttl_ms=TTL_MS)
    await case.wait(GONE)
    equal(await case.exists("k"), False, "exists")


@SUITE.rule("ttl-keys", "An entry is gone for keys when its time has come.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", ttl_ms=TTL_MS)
    await case.set("stays")
    await case.wait(GONE)
    equal(await case.keys(), ["stays"], "the keys")


@SUITE.rule("ttl-get-many", "An entry is gone for get-many when its time has come.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", ttl_ms=TTL_MS)
    await case.wait(GONE)
    equal(await case.get_many(["k"]), [None], "get-many")


@SUITE.rule("ttl-conditions", "An entry whose time has come is absent for if-absent, if-revision and delete.")
async def _(case: KeyValueCase) -> None:
    revision = (await case.set("k", ttl_ms=TTL_MS)).revision
    await case.set("d", ttl_ms=TTL_MS)
    await case.wait(GONE)
    equal(await case.delete("d"), False, "delete")
    equal((await case.set("k", if_revision=revision)).stored, False, "stored with its old revision")
    equal((await case.set("k", if_absent=True)).stored, True, "stored with if-absent")


@SUITE.rule("ttl-increment", "An entry whose time has come counts as 0 for increment.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"40", ttl_ms=TTL_MS)
    await case.wait(GONE)
    equal(await case.increment("k", 2), 2, "the sum")


@SUITE.rule("ttl-revision", "A revision is not used again after its entry's time has come.")
async def _(case: KeyValueCase) -> None:
    first = (await case.set("k", ttl_ms=TTL_MS)).revision
    await case.wait(GONE)
    second = (await case.set("k")).revision
    holds(second > first, f"revision {second} after expiry, {first} before")


@SUITE.rule("ttl-cleared-by-set", "A set without a time to live lets the entry stay.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", ttl_ms=TTL_MS)
    await case.set("k", b"2")
    await case.wait(GONE)
    equal(await case.value("k"), b"2", "the value")


@SUITE.rule("ttl-cleared-by-set-many", "set-many lets its entries stay.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", ttl_ms=TTL_MS)
    await case.set_many([("k", b"2")])
    await case.wait(GONE)
    equal(await case.value("k"), b"2", "the value")


@SUITE.rule("ttl-cleared-by-increment", "increment lets the entry stay.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", ttl_ms=TTL_MS)
    await case.increment("k", 1)
    await case.wait(GONE)
    equal(await case.value("k"), b"2", "the value")


@SUITE.rule("ttl-renewed", "A set with a time to live counts from that set.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", ttl_ms=TTL_MS)
    await case.set("k", b"2", ttl_ms=5000)
    await case.wait(GONE)
    equal(await case.value("k"), b"2", "the value after the first time to live")
    await case.wait(5.0)
    equal(await case.get("k"), None, "the entry after the second")


@SUITE.rule("ttl-kept-by-refusal", "A set whose condition is not met leaves the expiry as it is.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", ttl_ms=TTL_MS)
    await case.set("k", b"2", if_absent=True)
    await case.set("stays", b"1")
    await case.set("stays", b"2", ttl_ms=TTL_MS, if_absent=True)
    await case.wait(GONE)
    equal(await case.get_many(["k"]), [None], "the entry with a time to live")
    equal(await case.value("stays"), b"1", "the entry without")


@SUITE.rule("ttl-longest", "The longest time to live is taken.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"v", ttl_ms=MAX_TTL_MS)
    equal(await case.value("k"), b"v", "the value")
