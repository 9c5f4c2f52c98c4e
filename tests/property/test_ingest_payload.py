"""Whatever a device sends, the actor gets exactly what it means, or the sender's mistake is named."""

from __future__ import annotations

import json
import math
from typing import Any

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import BadRequest, CallFailed, TooLarge
from actorhost.host.payload import MAX_DEPTH, MAX_LOOKED_INTO, convert, with_subject
from actorhost.manifest import PayloadFormat

JSON, MESSAGEPACK, RAW = PayloadFormat.JSON, PayloadFormat.MESSAGEPACK, PayloadFormat.RAW
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | TEXT
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5)
)
FINITE = VALUES.filter(lambda value: "Infinity" not in json.dumps(value))


def unpacked(data: bytes) -> Any:
    """Decode MessagePack with another library than the one under test."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False, timestamp=0, ext_hook=_extension)


def _extension(code: int, data: bytes) -> object:
    """Return an extension as it is: the library's own type takes no negative code but that of times."""
    return code, data


def outcome(form: PayloadFormat, data: bytes) -> bytes | CallFailed:
    """Return what becomes of `data`: anything but these two is a failure of the test."""
    try:
        return convert(form, data)
    except CallFailed as error:
        assert error.message.isprintable()  # noqa: PT017 - there need not be an error
        return error


def depth(value: object) -> int:
    """Lists and maps around the innermost value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max([1 + depth(each) for each in inner], default=0)


@given(FINITE, st.booleans())
def test_json_arrives_as_the_value_it_is(value: Any, spaced: bool) -> None:
    text = json.dumps(value, ensure_ascii=spaced, indent=2 if spaced else None).encode()
    assert unpacked(convert(JSON, text)) == value


@given(VALUES, TEXT)
def test_messagepack_stays_as_it_is_and_knows_its_subject(value: Any, subject: str) -> None:
    data: bytes = msgpack.packb(value)
    assert convert(MESSAGEPACK, data) is data
    assert unpacked(with_subject(MESSAGEPACK, subject, data)) == {"subject": subject, "payload": value}


@given(st.binary(), TEXT)
def test_raw_bytes_stay_and_become_bin_beside_a_subject(data: bytes, subject: str) -> None:
    assert convert(RAW, data) is data
    assert unpacked(with_subject(RAW, subject, data)) == {"subject": subject, "payload": data}


def _json_says(data: bytes) -> Any:
    """Return what the standard library reads in `data`, strictly; raises :class:`ValueError`."""
    return json.loads(data.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


@given(
    st.binary(max_size=60)
    | st.text('{}[]":,0123456789.eE+-truefalsn \\u\n\t', max_size=60).map(str.encode)
    | FINITE.flatmap(
        lambda value: st.integers(0, len(json.dumps(value))).map(lambda n: json.dumps(value).encode()[:n])
    )
)
def test_any_bytes_end_as_json_or_as_a_mistake_that_is_named(data: bytes) -> None:
    result = outcome(JSON, data)
    assert isinstance(result, bytes | BadRequest)
    if isinstance(result, bytes):
        assert unpacked(result) == _json_says(data)


@given(
    st.binary(max_size=60)
    | VALUES.map(msgpack.packb).flatmap(lambda d: st.integers(0, len(d)).map(lambda n: d[:n]))
)
def test_any_bytes_end_as_messagepack_or_as_a_mistake_that_is_named(data: bytes) -> None:
    result = outcome(MESSAGEPACK, data)
    assert result is data or isinstance(result, BadRequest)
    if isinstance(result, bytes):
        assert unpacked(with_subject(MESSAGEPACK, "s", data))["subject"] == "s"


@given(VALUES, st.integers(0, MAX_DEPTH + 3))
def test_depth_is_bounded_exactly(value: Any, wraps: int) -> None:
    for n in range(wraps):
        value = [value] if n % 2 else {"k": value}
    deep = depth(value) > MAX_DEPTH
    for form, data in ((JSON, json.dumps(value).encode()), (MESSAGEPACK, msgpack.packb(value))):
        if form is JSON and not _is_json(value):
            continue
        assert isinstance(outcome(form, data), BadRequest) is deep


def _is_json(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    return all(map(_is_json, value)) if isinstance(value, list) else True


@given(st.sampled_from([JSON, MESSAGEPACK]), st.integers(1, 2 * MAX_LOOKED_INTO))
def test_size_is_bounded_before_anything_is_decoded(form: PayloadFormat, size: int) -> None:
    data = b"[" * size if form is JSON else b"\x91" * size
    assert type(outcome(form, data)) is (TooLarge if size > MAX_LOOKED_INTO else BadRequest)
