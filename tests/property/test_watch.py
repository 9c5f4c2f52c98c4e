"""Watched subjects and batches: any bytes give a value or our own error; values survive the round trip."""

from __future__ import annotations

import contextlib

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import InvalidInput, ProtocolError
from actorhost.host.log import Line
from actorhost.host.watch_messages import (
    CapabilityCall,
    Handled,
    LogBatch,
    TraceBatch,
    decode_batch,
    encode_batch,
    encode_record,
)
from actorhost.ids import ActorName, LatticeName
from actorhost.wire import subject
from actorhost.wire.subject import Watched

names = st.from_regex(ActorName.pattern(), fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.integers(0, 2**40)
times = st.integers(0, 2**63 - 1)
milliseconds = st.floats(0, 1e9)
lines = st.builds(Line, times, texts, texts, times)
calls = st.builds(CapabilityCall, texts, texts, milliseconds, texts)
handled = st.builds(
    Handled,
    time_ns=times,
    operation=texts,
    size=counts,
    outcome=texts,
    reply_size=counts,
    waited_ms=milliseconds,
    handled_ms=milliseconds,
    callers=st.lists(texts, max_size=3).map(tuple),
    calls=st.lists(calls, max_size=3).map(tuple),
    more_calls=counts,
    payload=st.none() | st.binary(max_size=9),
)
kinds = st.sampled_from(Watched)
HOST = "0123456789abcdef"


@given(kinds, st.binary(max_size=100))
def test_any_bytes_are_a_batch_or_refused(what: Watched, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode_batch(what, data)


@given(kinds, st.lists(handled, max_size=3), st.data())
def test_a_damaged_batch_is_a_batch_or_refused(
    what: Watched, records: list[Handled], data: st.DataObject
) -> None:
    raw = bytearray(encode_batch(HOST, 0, [encode_record(record) for record in records]))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        decode_batch(what, bytes(raw))


@given(counts, st.lists(lines, max_size=3), st.lists(handled, max_size=3))
def test_batches_survive_the_way_and_are_maps_to_others(
    dropped: int, logged: list[Line], ended: list[Handled]
) -> None:
    data = encode_batch(HOST, dropped, [encode_record(line) for line in logged])
    assert decode_batch(Watched.LOGS, data) == LogBatch(HOST, dropped, tuple(logged))
    data = encode_batch(HOST, dropped, [encode_record(record) for record in ended])
    assert decode_batch(Watched.TRACE, data) == TraceBatch(HOST, dropped, tuple(ended))
    assert msgpack.unpackb(data)["dropped"] == dropped


@given(names, kinds, names)
def test_watched_subjects_are_exact_inverses(lattice: str, what: Watched, actor: str) -> None:
    spelled = subject.watch_subject(lattice, what, actor)
    assert subject.parse_watch(spelled) == subject.WatchAddress(LatticeName(lattice), what, ActorName(actor))


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["ah", "l", "log", "trace", "a", "*", ">", "", "A"]), max_size=5).map(".".join)
)
def test_any_text_is_one_watched_subject_or_refused(text: str) -> None:
    try:
        address = subject.parse_watch(text)
    except InvalidInput:
        return
    assert subject.watch_subject(address.lattice, address.what, address.actor) == text
