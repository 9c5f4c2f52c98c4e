"""The conformance suite of ``actorhost:random``: the rules every backend must keep.

Chance could break a rule about chance; each is such that this happens less than once in 10^12 runs.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Final

from actorhost.contracts.random import MAX_BYTES, BytesParams, U64Params, UuidParams
from actorhost.testing.conformance.case import Case
from actorhost.testing.conformance.rule import Rule, Suite, equal, holds

SUITE: Final[Suite[Case]] = Suite()

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_AT_ONCE: Final = 50


@SUITE.rule("bytes-count", "bytes answers as many bytes as were asked for.")
async def _(case: Case) -> None:
    for count in (0, 1, 7, 8, 32, 1000, MAX_BYTES - 1, MAX_BYTES):
        equal(len(await case.call("bytes", BytesParams(count))), count, "the number of bytes")


@SUITE.rule("bytes-spread", "Every byte can come, at every place.")
async def _(case: Case) -> None:
    drawn = await case.call("bytes", BytesParams(MAX_BYTES))
    equal(len(set(drawn)), 256, "the number of different bytes")
    half = MAX_BYTES // 2
    holds(drawn[:half] != drawn[half:], "the second half was the first again")


@SUITE.rule("bytes-differ", "No answer is one that was given before.")
async def _(case: Case) -> None:
    seen = {await case.call("bytes", BytesParams(16)) for _ in range(_AT_ONCE)}
    equal(len(seen), _AT_ONCE, "the number of different answers")


@SUITE.rule("u64-whole", "A number has all 64 bits, and each can be set or not.")
async def _(case: Case) -> None:
    drawn = [await case.call("u64", U64Params()) for _ in range(64)]
    equal(len(set(drawn)), len(drawn), "the number of different numbers")
    for bit in range(64):
        equal({number >> bit & 1 for number in drawn}, {0, 1}, f"what bit {bit} was")


@SUITE.rule("uuid-form", "A UUID is of version 4, in lower case with hyphens.")
async def _(case: Case) -> None:
    for _ in range(16):
        text = await case.call("uuid", UuidParams())
        holds(_UUID.fullmatch(text) is not None, f"it was {text!r}")


@SUITE.rule("uuid-differ", "All other bits of a UUID are random.")
async def _(case: Case) -> None:
    drawn = [uuid.UUID(await case.call("uuid", UuidParams())).int for _ in range(64)]
    equal(len(set(drawn)), len(drawn), "the number of different UUIDs")
    changing = 0
    for number in drawn:
        changing |= number ^ drawn[0]
    equal(changing.bit_count(), 128 - 6, "the number of bits that change")


@SUITE.rule("race-differ", "Callers at the same time get different bytes, numbers and UUIDs.")
async def _(case: Case) -> None:
    for name, params in (("bytes", BytesParams(16)), ("u64", U64Params()), ("uuid", UuidParams())):
        drawn = await asyncio.gather(*(case.call(name, params) for _ in range(_AT_ONCE)))
        equal(len(set(drawn)), _AT_ONCE, f"the number of different answers of {name}")


RULES: Final[tuple[Rule[Case], ...]] = tuple(SUITE)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
