"""Rules of ``actorhost:keyvalue`` about ``increment``."""

from __future__ import annotations

from typing import Final

from actorhost.contracts.keyvalue import MAX_NUMBER, MIN_NUMBER
from actorhost.errors import ActorhostError, FaultCode
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import RuleBroken, Suite, equal

SUITE: Final[Suite[KeyValueCase]] = Suite()

NO_NUMBERS: Final = (
    b"", b" ", b"-", b"+1", b" 1", b"1 ", b"1\n", b"01", b"-0", b"-01", b"1.0", b"1e3", b"0x10", b"1_000",
    b"x", b"\0", b"\xff", "٣".encode(), b"9223372036854775808", b"-9223372036854775809", b"1" * 400,
)  # fmt: skip
"""Values that some parser or other takes for a number."""


async def _refused(case: KeyValueCase, key: str, delta: int) -> None:
    try:
        total = await case.increment(key, delta)
    except ActorhostError as error:
        equal(error.code, FaultCode.BAD_REQUEST, "the fault code")
    else:
        raise RuleBroken(f"increment answered {total} instead of bad_request")


@SUITE.rule("increment-absent", "An absent key counts as 0.")
async def _(case: KeyValueCase) -> None:
    equal(await case.increment("up", 5), 5, "increment by 5")
    equal(await case.increment("down", -5), -5, "increment by -5")
    equal(await case.increment("zero", 0), 0, "increment by 0")
    equal(await case.value("zero"), b"0", "the value after an increment by 0")


@SUITE.rule("increment-adds", "increment adds to what is there and answers the sum.")
async def _(case: KeyValueCase) -> None:
    for delta, total in ((5, 5), (-7, -2), (0, -2), (2, 0), (1, 1)):
        equal(await case.increment("n", delta), total, f"the sum after {delta}")


@SUITE.rule("increment-text", "The number is stored as plain decimal text, and such text is a number.")
async def _(case: KeyValueCase) -> None:
    await case.increment("n", -42)
    equal(await case.value("n"), b"-42", "the stored form")
    for value, total in ((b"0", 1), (b"41", 42), (b"-1", 0), (b"-10", -9)):
        await case.set("n", value)
        equal(await case.increment("n", 1), total, f"the sum from {value!r}")


@SUITE.rule("increment-64-bit", "Numbers reach exactly to both ends of 64 bits.")
async def _(case: KeyValueCase) -> None:
    await case.set("n", b"%d" % (MAX_NUMBER - 1))
    equal(await case.increment("n", 1), MAX_NUMBER, "the greatest number")
    equal(await case.increment("n", MIN_NUMBER), -1, "the greatest plus the least")
    equal(await case.increment("n", MIN_NUMBER + 1), MIN_NUMBER, "the least number")
    equal(await case.value("n"), b"%d" % MIN_NUMBER, "the stored form of the least")


@SUITE.rule("increment-overflow", "A sum outside 64 bits is a bad_request and changes nothing.")
async def _(case: KeyValueCase) -> None:
    for value, delta in ((MAX_NUMBER, 1), (1, MAX_NUMBER), (MIN_NUMBER, -1), (-1, MIN_NUMBER)):
        await case.set("n", b"%d" % value)
        before = await case.get("n")
        await _refused(case, "n", delta)
        equal(await case.get("n"), before, f"the entry after {value} + {delta}")


@SUITE.rule(
    "increment-no-number", "increment of a value of any other form is a bad_request and changes nothing."
)
async def _(case: KeyValueCase) -> None:
    for value in NO_NUMBERS:
        await case.set("n", value)
        before = await case.get("n")
        await _refused(case, "n", 1)
        equal(await case.get("n"), before, f"the entry {value[:30]!r} afterwards")
