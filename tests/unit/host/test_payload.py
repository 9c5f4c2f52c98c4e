"""What is taken from devices and what is not: the cases that a property would rarely meet."""

from __future__ import annotations

import msgpack
import pytest

from actorhost import clock
from actorhost.errors import BadRequest, TooLarge
from actorhost.host.payload import MAX_DEPTH, MAX_LOOKED_INTO, convert
from actorhost.manifest import PayloadFormat

JSON, MESSAGEPACK = PayloadFormat.JSON, PayloadFormat.MESSAGEPACK


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" 21.5\n", 21.5),
        (b"18446744073709551615", (1 << 64) - 1),
        (b"-9223372036854775808", -(1 << 63)),
        (b'"\\u0000\\ud83d\\ude00"', "\0\U0001f600"),
        (b"1e-400", 0.0),
    ],
)
def test_json_that_is_taken(text: bytes, value: object) -> None:
    assert msgpack.unpackb(convert(JSON, text)) == value


@pytest.mark.parametrize(
    "text",
    [
        b"", b"   ", b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"18446744073709551616",
        b"-9223372036854775809", b"1" * 400, b"1" * 5000, b'"\\ud800"', b"\xef\xbb\xbf{}", b"1 2", b"[1,]",
        b"{'a': 1}", b'"caf\xe9"', b'"\n"', b"01", b"+1", b".5", b"tru", b"\x81\xa1a\x01",
    ],
)  # fmt: skip
def test_what_is_no_json_is_said_without_repeating_it(text: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^the payload is not JSON: ") as caught:
        convert(JSON, text)
    assert "caf" not in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xc1", b"\x00\x00", b"\xdd\xff\xff\xff\xff", b"\xa5abc", b"\xa1\xff", b"\x81\x81\x00\x00\x01",
        b"\xc7\x0c\xff" + b"\xff" * 12,
    ],
)  # fmt: skip
def test_what_is_no_messagepack(data: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^the payload is not MessagePack: "):
        convert(MESSAGEPACK, data)


@pytest.mark.parametrize(
    "data", [b"\xcb\x7f\xf8" + bytes(6), b"\xd4\x05\x00", b"\x82\x01\x01\x01\x02", b"\xc4\x01\xff"]
)
def test_messagepack_that_json_could_not_say_is_taken(data: bytes) -> None:
    assert convert(MESSAGEPACK, data) == data


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 500, 2000, 20_000])
def test_what_is_nested_too_deeply_is_refused_at_any_depth(levels: int) -> None:
    for form, data in (
        (JSON, b"[" * levels + b"0" + b"]" * levels),
        (JSON, b'{"":' * (levels // 2) + b"[" * 33 + b"]" * 33 + b"}" * (levels // 2)),
        (MESSAGEPACK, b"\x91" * levels + b"\x00"),
        (MESSAGEPACK, b"\x81" + b"\x91" * levels + b"\x00\x00"),
    ):
        with pytest.raises(BadRequest, match="more than 32 lists and maps deep"):
            convert(form, data)


def test_the_worst_that_is_looked_into_takes_no_longer_than_a_pass_of_the_loop_may() -> None:
    worst = [
        (JSON, b"[" + b"[]," * (MAX_LOOKED_INTO // 3 - 1) + b"[]]"),
        (JSON, b"[" + b"0," * (MAX_LOOKED_INTO // 2 - 2) + b"0]"),
        (MESSAGEPACK, b"\xdd" + (MAX_LOOKED_INTO - 5).to_bytes(4, "big") + b"\x90" * (MAX_LOOKED_INTO - 5)),
    ]
    for form, data in worst:
        times = []
        for _ in range(5):
            start = clock.monotonic()
            convert(form, data)
            times.append(clock.monotonic() - start)
        assert min(times) < 0.1, "measured 0.002 to 0.011 alone; the bound allows for a busy machine"
    with pytest.raises(TooLarge, match="65537 bytes of JSON are over 65536"):
        convert(JSON, b" " * (MAX_LOOKED_INTO + 1))
