"""Any bytes are an event or our own error; events survive the round trip."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import ProtocolError
from actorhost.telemetry.event import Event, decode, encode

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
filled = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
events = st.builds(
    Event,
    specversion=st.just("1.0"),
    id=filled,
    source=filled,
    type=filled,
    subject=filled,
    time=st.datetimes(timezones=st.just(UTC)),
    datacontenttype=st.just("application/json"),
    data=st.dictionaries(texts, values, max_size=4),
)


@given(events)
def test_events_survive_and_another_decoder_agrees(event: Event) -> None:
    data = encode(event)
    assert decode(data) == event
    fields = json.loads(data)
    assert (fields["id"], fields["data"]) == (event.id, event.data)
    assert fields["time"].endswith("Z")


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(data), Event)


@given(values)
def test_any_json_is_an_event_or_refused(value: object) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(json.dumps(value).encode()), Event)


@given(events, st.data())
def test_a_damaged_event_is_an_event_or_refused(event: Event, data: st.DataObject) -> None:
    raw = bytearray(encode(event))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (bytes(raw), bytes(raw[: data.draw(st.integers(0, len(raw)))])):
        with contextlib.suppress(ProtocolError):
            assert isinstance(decode(damaged), Event)


def test_nesting_without_end_is_refused() -> None:
    for hostile in (b"[" * 100_000, b'{"data":' * 100_000, b'{"data":{"a":' + b"[" * 100_000):
        with contextlib.suppress(ProtocolError):
            raise AssertionError(decode(hostile))
