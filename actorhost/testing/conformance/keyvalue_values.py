"""Rules of ``actorhost:keyvalue`` about single values, buckets and several entries at once."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.keyvalue import MAX_KEY, MAX_MANY, MAX_VALUE, Entry
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[KeyValueCase]] = Suite()

ODD_KEYS: Final = (
    " ", "  ", ".", "..", ".a", "a.", "a.b", "a..b", "/", "//", "a/b", "a/../b", "*", ">", "a.*", "a.>",
    "?", "[a]", "%", "%20", "_", "A", "a", "a b", "a\tb", "a\nb", "\0", "a\0b", "é", "e\u0301", "ß", "日本",
    "🌡", "\u202e", "\ufeff", "\U0010ffff", "'", '"', "\\", ";--", "$", "{}", "key=1", "#", ":", "0", "-",
)  # fmt: skip
"""Keys that mean something to one store or another, and must not."""

ODD_NAMES: Final = (
    "", ":", ":e", ":e:keys", ".", ".b", "-b", "_", "/b", " ", "*", ">", "%", "%3A", "=3A", "é", "e\u0301",
    "\0", "A", "a", "x" * 300, "y" * 300,
)  # fmt: skip
"""Ends of buckets' names of the same kind."""


@SUITE.rule("get-absent", "An absent key has no entry.")
async def _(case: KeyValueCase) -> None:
    equal(await case.get("nobody"), None, "get of an absent key")


@SUITE.rule("get-stored", "get returns the value and the revision of the last set.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"one")
    outcome = await case.set("k", b"two")
    equal(outcome.stored, True, "stored of an unconditional set")
    equal(await case.get("k"), Entry(b"two", outcome.revision), "get after two sets")


@SUITE.rule("value-bytes", "A value is any bytes and comes back unchanged.")
async def _(case: KeyValueCase) -> None:
    for value in (bytes(range(256)), b"\0", b"\xff\xfe", b"\r\n", b" padded ", "text é".encode()):
        await case.set("k", value)
        equal(await case.value("k"), value, "the value")


@SUITE.rule("value-empty", "An empty value is a value: the key exists.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"")
    equal(await case.value("k"), b"", "an empty value")
    equal(await case.exists("k"), True, "exists of a key with an empty value")


@SUITE.rule("value-largest", "A value of the largest size is stored whole.")
async def _(case: KeyValueCase) -> None:
    value = bytes(range(256)) * (MAX_VALUE // 256)
    await case.set("k", value)
    holds(await case.value("k") == value, f"a value of {MAX_VALUE} bytes came back changed")


@SUITE.rule("key-text", "A key is any text; no two different keys are the same key.")
async def _(case: KeyValueCase) -> None:
    for number, key in enumerate(ODD_KEYS):
        await case.set(key, b"%d" % number)
    for number, key in enumerate(ODD_KEYS):
        equal(await case.value(key), b"%d" % number, f"the value under {key!r}")


@SUITE.rule("key-longest", "A key of the longest size is stored whole.")
async def _(case: KeyValueCase) -> None:
    keys = ["x" * (MAX_KEY - 1) + last for last in "ab"] + ["é" * (MAX_KEY // 2)]
    for key in keys:
        await case.set(key, key[-1].encode())
    for key in keys:
        equal(await case.value(key), key[-1].encode(), f"the value under a key of {MAX_KEY} bytes")


@SUITE.rule("delete-removes", "delete of a key that is there answers true, and it is gone.")
async def _(case: KeyValueCase) -> None:
    await case.set("k")
    equal(await case.delete("k"), True, "delete of a key that is there")
    equal(await case.get("k"), None, "get after delete")


@SUITE.rule("delete-absent", "delete of an absent key answers false.")
async def _(case: KeyValueCase) -> None:
    equal(await case.delete("k"), False, "delete of a key that never was")
    await case.set("k")
    await case.delete("k")
    equal(await case.delete("k"), False, "a second delete")


@SUITE.rule("exists", "exists is true from the first write to the delete.")
async def _(case: KeyValueCase) -> None:
    equal(await case.exists("k"), False, "exists before set")
    await case.set("k")
    equal(await case.exists("k"), True, "exists after set")
    await case.delete("k")
    equal(await case.exists("k"), False, "exists after delete")


@SUITE.rule("buckets-apart", "What is in one bucket is not in another.")
async def _(case: KeyValueCase) -> None:
    other = case.beside()
    await case.set("k", b"here")
    equal(await other.get("k"), None, "the same key in another bucket")
    equal(await other.keys(), [], "the keys of another bucket")


@SUITE.rule("buckets-named", "A bucket has any name, and no two different names are the same bucket.")
async def _(case: KeyValueCase) -> None:
    others = [case.beside(bucket=f"{case.bucket}{rest}") for rest in ODD_NAMES]
    keys = ["e:keys", "keys", "rev"]
    for number, other in enumerate(others):
        await other.set_many([(key, b"%d" % number) for key in keys])
    for number, other in enumerate(others):
        equal(await other.keys(), keys, f"the keys of bucket {other.bucket!r}")
        equal(await other.value("keys"), b"%d" % number, f"the value in bucket {other.bucket!r}")


@SUITE.rule("bucket-shared", "Actors linked to the same bucket see the same entries.")
async def _(case: KeyValueCase) -> None:
    other = case.beside(bucket=case.bucket, actor="neighbour")
    await case.set("k", b"here")
    equal(await other.value("k"), b"here", "another actor's view of the bucket")


@SUITE.rule("get-many-order", "get-many answers in the order asked, absent and repeated keys included.")
async def _(case: KeyValueCase) -> None:
    await case.set_many([("a", b"1"), ("b", b"2")])
    found = await case.get_many(["b", "nobody", "a", "b"])
    equal([entry and entry.value for entry in found], [b"2", None, b"1", b"2"], "the values")
    equal(found[0], await case.get("b"), "an entry of get-many")


@SUITE.rule("get-many-none", "get-many of no keys is an empty list.")
async def _(case: KeyValueCase) -> None:
    equal(await case.get_many([]), [], "get-many of nothing")


@SUITE.rule("set-many-stores", "set-many stores every entry and answers their revisions in order.")
async def _(case: KeyValueCase) -> None:
    await case.set("b", b"old")
    names = ["b", "a", "c"]
    revisions = await case.set_many([(name, name.encode()) for name in names])
    for name, revision in zip(names, revisions, strict=True):
        equal(await case.get(name), Entry(name.encode(), revision), f"the entry under {name!r}")


@SUITE.rule("set-many-none", "set-many of no entries stores nothing.")
async def _(case: KeyValueCase) -> None:
    equal(await case.set_many([]), [], "set-many of nothing")
    equal(await case.keys(), [], "the keys afterwards")


@SUITE.rule("many-largest", "set-many and get-many take as many entries as the contract allows.")
async def _(case: KeyValueCase) -> None:
    names = [f"k{number}" for number in range(MAX_MANY)]
    equal(len(await case.set_many([(name, b"") for name in names])), MAX_MANY, "revisions of set-many")
    equal(sum(entry is not None for entry in await case.get_many(names)), MAX_MANY, "entries of get-many")
