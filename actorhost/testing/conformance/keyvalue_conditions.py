"""Rules of ``actorhost:keyvalue`` about revisions and conditional writes."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from actorhost.contracts.keyvalue import Entry, SetOutcome
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[KeyValueCase]] = Suite()


async def _revision(case: KeyValueCase, key: str) -> int:
    entry = await case.get(key)
    return entry.revision if entry else 0


@SUITE.rule("revision-grows", "Every write of a key gives it a greater revision, from 1 up.")
async def _(case: KeyValueCase) -> None:
    seen = [(await case.set("k", b"7")).revision, (await case.set("k", b"7")).revision]
    await case.increment("k", 0)
    seen.append(await _revision(case, "k"))
    seen += await case.set_many([("k", b"7")])
    holds(seen[0] >= 1 and all(a < b for a, b in pairwise(seen)), f"revisions {seen}")


@SUITE.rule("revision-of-bucket", "A later write has the greater revision, whatever the keys.")
async def _(case: KeyValueCase) -> None:
    seen = [(await case.set(key)).revision for key in ("b", "a", "c", "a")]
    seen += await case.set_many([("z", b""), ("y", b"")])
    holds(all(a < b for a, b in pairwise(seen)), f"revisions {seen}")


@SUITE.rule("revision-kept", "What is not a write changes no revision.")
async def _(case: KeyValueCase) -> None:
    revision = (await case.set("k")).revision
    await case.set("k", b"lost", if_absent=True)
    await case.delete("k", if_revision=revision + 1)
    await case.set("other")
    equal(await _revision(case, "k"), revision, "the revision after refused and other writes")


@SUITE.rule("revision-after-delete", "A revision is never used again, not even after delete.")
async def _(case: KeyValueCase) -> None:
    first = (await case.set("k")).revision
    await case.delete("k")
    second = (await case.set("k")).revision
    holds(second > first, f"revision {second} after delete, {first} before")
    equal((await case.set("k", b"zombie", if_revision=first)).stored, False, "a write with the old revision")


@SUITE.rule("if-absent-stores", "if-absent stores when the key is absent, also after delete.")
async def _(case: KeyValueCase) -> None:
    equal((await case.set("k", b"1", if_absent=True)).stored, True, "stored the first time")
    await case.delete("k")
    equal((await case.set("k", b"2", if_absent=True)).stored, True, "stored after delete")
    equal(await case.value("k"), b"2", "the value")


@SUITE.rule("if-absent-refuses", "if-absent leaves a key that is there and answers its revision.")
async def _(case: KeyValueCase) -> None:
    revision = (await case.set("k", b"first")).revision
    outcome = await case.set("k", b"second", if_absent=True)
    equal(outcome, SetOutcome(stored=False, revision=revision), "the outcome")
    equal(await case.get("k"), Entry(b"first", revision), "the entry")


@SUITE.rule("if-absent-false", "if-absent false is no condition.")
async def _(case: KeyValueCase) -> None:
    await case.set("k", b"1", if_absent=False)
    equal((await case.set("k", b"2", if_absent=False)).stored, True, "stored")
    equal(await case.value("k"), b"2", "the value")


@SUITE.rule("if-revision-stores", "if-revision stores when it is the key's revision.")
async def _(case: KeyValueCase) -> None:
    first = await case.set("k", b"1")
    second = await case.set("k", b"2", if_revision=first.revision)
    equal(second.stored, True, "stored")
    equal(await case.get("k"), Entry(b"2", second.revision), "the entry")


@SUITE.rule("if-revision-refuses", "if-revision leaves a key of another revision and answers that one.")
async def _(case: KeyValueCase) -> None:
    old = (await case.set("k", b"1")).revision
    now = (await case.set("k", b"2")).revision
    for wrong in (old, now + 1, 0):
        outcome = await case.set("k", b"3", if_revision=wrong)
        equal(outcome, SetOutcome(stored=False, revision=now), f"the outcome with revision {wrong}")
    equal(await case.get("k"), Entry(b"2", now), "the entry")


@SUITE.rule("if-revision-absent", "if-revision of an absent key is not met and answers revision 0.")
async def _(case: KeyValueCase) -> None:
    outcome = await case.set("k", if_revision=1)
    equal(outcome, SetOutcome(stored=False, revision=0), "the outcome")
    equal(await case.get("k"), None, "the entry")


@SUITE.rule("if-revision-zero", "if-revision 0 stores when the key is absent.")
async def _(case: KeyValueCase) -> None:
    equal((await case.set("k", if_revision=0)).stored, True, "stored when it never was")
    await case.delete("k")
    equal((await case.set("k", if_revision=0)).stored, True, "stored after delete")


@SUITE.rule("delete-if-revision", "delete with if-revision removes that revision and no other.")
async def _(case: KeyValueCase) -> None:
    revision = (await case.set("k")).revision
    for wrong in (revision + 1, 0):
        equal(await case.delete("k", if_revision=wrong), False, f"delete with revision {wrong}")
    equal(await case.exists("k"), True, "exists after deletes with wrong revisions")
    equal(await case.delete("k", if_revision=revision), True, "delete with the right revision")
    equal(await case.exists("k"), False, "exists after the right delete")
    equal(await case.delete("k", if_revision=0), False, "delete of an absent key with revision 0")
