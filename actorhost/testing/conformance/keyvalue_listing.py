"""Rules of ``actorhost:keyvalue`` about ``keys``: prefix, order and pages."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.keyvalue import DEFAULT_PAGE, MAX_MANY
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.keyvalue_values import ODD_KEYS
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[KeyValueCase]] = Suite()


async def _fill(case: KeyValueCase, count: int) -> list[str]:
    names = [f"k{number:04}" for number in range(count)]
    for start in range(0, count, MAX_MANY):
        await case.set_many([(name, b"") for name in names[start : start + MAX_MANY]])
    return names


@SUITE.rule("keys-none", "A bucket without keys has one empty page and no cursor.")
async def _(case: KeyValueCase) -> None:
    page = await case.page()
    equal((page.keys, page.cursor), ([], None), "the page of an empty bucket")


@SUITE.rule("keys-prefix", "keys gives exactly the keys that start with the prefix, which is plain text.")
async def _(case: KeyValueCase) -> None:
    names = ["a", "a.b", "a/b", "ab", "abc", "b", "A", "*", "*x", "a%", "é1", "é2", "a\0"]
    await case.set_many([(name, b"") for name in names])
    for prefix in ("a", "ab", "a.", "*", "a%", "é", "abcd", "a\0", ""):
        wanted = {name for name in names if name.startswith(prefix)}
        equal(set(await case.keys(prefix)), wanted, f"the keys with prefix {prefix!r}")


@SUITE.rule("keys-order", "Keys come in the order of their UTF-8 bytes, whatever the order of writing.")
async def _(case: KeyValueCase) -> None:
    for key in ODD_KEYS:
        await case.set(key)
    equal(await case.keys(), sorted(ODD_KEYS, key=str.encode), "all keys")


@SUITE.rule("keys-pages", "The pages together give every key once, and the last has no cursor.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, 25)
    for limit in (1, 7, 24, 25, 26):
        equal(await case.keys("k", limit), names, f"the keys in pages of {limit}")


@SUITE.rule("keys-limit", "A page holds at most as many keys as asked for.")
async def _(case: KeyValueCase) -> None:
    await _fill(case, 12)
    for limit in (1, 5, 11):
        page = await case.page("k", None, limit)
        holds(len(page.keys) <= limit, f"{len(page.keys)} keys in a page of at most {limit}")


@SUITE.rule("keys-limit-default", f"Without a limit a page holds at most {DEFAULT_PAGE} keys.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, DEFAULT_PAGE + 1)
    page = await case.page()
    holds(len(page.keys) <= DEFAULT_PAGE, f"{len(page.keys)} keys in a page without a limit")
    equal(await case.keys(), names, "the keys of all pages")


@SUITE.rule("keys-limit-largest", "A page of the largest limit is served, and all pages are complete.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, MAX_MANY + 5)
    holds(len((await case.page("", None, MAX_MANY)).keys) <= MAX_MANY, f"more than {MAX_MANY} keys in a page")
    equal(await case.keys("", MAX_MANY), names, "the keys of all pages")


@SUITE.rule("keys-deleted", "A deleted key is not listed.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, 6)
    await case.delete(names[2])
    equal(await case.keys(), names[:2] + names[3:], "the keys after a delete")


@SUITE.rule("keys-stable", "A key that is there all the time comes exactly once, whatever else is written.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, 20)
    found: list[str] = []
    page = await case.page("k", None, 3)
    for step in range(100):
        found += page.keys
        if page.cursor is None:
            break
        # Written behind, before and at the cursor; the key at the cursor itself may vanish too.
        await case.set_many([(f"k{step:04}-new", b""), (f"k{19 - step:04}+new", b"")])
        await case.set(names[step], b"rewritten")
        await case.delete(f"k{step:04}-new")
        page = await case.page("k", page.cursor, 3)
    equal([key for key in found if key in names], names, "the keys that were there all the time")


@SUITE.rule("keys-cursor-deleted", "A listing goes on after the key it had come to was deleted.")
async def _(case: KeyValueCase) -> None:
    names = await _fill(case, 9)
    page = await case.page("k", None, 4)
    for key in page.keys:
        await case.delete(key)
    found = list(page.keys)
    for _ in names:
        if page.cursor is None:
            break
        page = await case.page("k", page.cursor, 4)
        found += page.keys
    equal(found, names, "the keys of all pages")
