"""Payloads on the command line: any bytes can be shown, any JSON is sent or refused, and back again."""

from __future__ import annotations

import contextlib
import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.cli import payload
from actorhost.errors import InvalidInput

MARKS = ("$bytes", "$map", "$ext", "$float")
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars | st.binary(max_size=20) | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=9)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.sampled_from(MARKS), inner, max_size=4)
        | st.dictionaries(scalars | st.binary(max_size=4) | st.tuples(scalars), inner, max_size=4)
    ),
    max_leaves=12,
)
any_json = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts | st.sampled_from(MARKS), inner, max_size=3)
    ),
    max_leaves=12,
)


def unpack(data: bytes) -> object:
    # Lists are keys only as tuples.
    return msgpack.unpackb(data, strict_map_key=False, use_list=False)


@given(values)
def test_what_is_shown_can_be_sent_again(value: object) -> None:
    """Checked with another implementation of MessagePack."""
    packed = msgpack.packb(value)
    shown = payload.show(packed)
    assert shown.isprintable()
    assert unpack(payload.from_json(shown.encode())) == unpack(packed)
    assert unpack(payload.from_json(json.dumps(payload.as_json(packed)).encode())) == unpack(packed)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_json_has_no_number_for(value: float) -> None:
    shown = payload.show(msgpack.packb([value]))
    json.loads(shown, parse_constant=pytest.fail)
    assert repr(unpack(payload.from_json(shown.encode()))) == repr((value,))


@given(st.binary(max_size=60))
def test_any_bytes_can_be_shown(data: bytes) -> None:
    assert payload.show(data).isprintable()
    json.dumps(payload.as_json(data))


@given(any_json | st.builds(lambda mark, value: {mark: value}, st.sampled_from(MARKS), any_json))
def test_any_json_is_sent_or_refused(value: object) -> None:
    with contextlib.suppress(InvalidInput):
        unpack(payload.from_json(json.dumps(value).encode()))


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_argument_is_sent_or_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        payload.from_json(content)
