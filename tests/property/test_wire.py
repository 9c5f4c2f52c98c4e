"""Any bytes into the wire decoders give a value or our own error; values survive the round trip."""

from __future__ import annotations

import contextlib

import msgpack
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import InvalidInput, ProtocolError
from actorhost.ids import MAX_OPERATION_BYTES, ActorName, HostId, LatticeName, OperationName
from actorhost.wire import subject
from actorhost.wire.codec import Template, decode, encode
from actorhost.wire.envelope import MAX_CHAIN, MAX_REMAINING_MS, Envelope, Kind
from actorhost.wire.fault import Fault

names = st.from_regex(ActorName.pattern(), fullmatch=True)
operations = st.text(min_size=1, max_size=80).filter(
    lambda text: text.isprintable() and len(text.encode("utf-8", "surrogatepass")) <= MAX_OPERATION_BYTES
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
faults = st.builds(Fault, texts, texts, st.booleans(), texts, st.booleans(), texts)
envelopes = st.builds(
    Envelope,
    st.just(1),
    st.sampled_from([Kind.ASK, Kind.TELL, Kind.REPLY]),
    texts,
    st.binary(max_size=200),
    source=texts,
    remaining_ms=st.integers(0, MAX_REMAINING_MS),
    chain=st.lists(texts, max_size=MAX_CHAIN).map(tuple),
    attempt=st.integers(0, 1_000_000),
    trace=texts,
    key=texts,
) | st.builds(Envelope, st.just(1), st.just(Kind.FAULT), texts, st.just(b""), fault=faults)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | texts
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=30,
)


@given(envelopes)
def test_envelopes_survive_and_another_decoder_agrees(envelope: Envelope) -> None:
    data = encode(envelope)
    assert decode(data) == envelope
    fields = msgpack.unpackb(data, use_list=False, strict_map_key=False)
    assert fields[:5] == (1, envelope.kind, envelope.id, envelope.payload, envelope.source)
    assert decode(msgpack.packb(fields)) == envelope


@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_refused(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(data), Envelope)


@given(values)
def test_any_messagepack_is_an_envelope_or_refused(value: object) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(msgpack.packb(value)), Envelope)


@given(envelopes, st.data())
def test_a_damaged_envelope_is_an_envelope_or_refused(envelope: Envelope, data: st.DataObject) -> None:
    raw = bytearray(encode(envelope))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (bytes(raw), bytes(raw[: data.draw(st.integers(0, len(raw)))])):
        with contextlib.suppress(ProtocolError):
            assert isinstance(decode(damaged), Envelope)


@given(names, names, operations)
def test_rpc_subjects_are_exact_inverses(lattice: str, actor: str, operation: str) -> None:
    try:
        expected = OperationName.parse(operation)
    except InvalidInput:
        return
    spelled = subject.rpc_subject(lattice, actor, expected)
    assert not set(spelled) & set(" *>\t\r\n")
    address = subject.parse_rpc(spelled)
    assert address == subject.RpcAddress(LatticeName(lattice), ActorName(actor), expected)
    host = HostId.new()
    assert subject.parse_control(subject.control_subject(lattice, host, operation)).host == host


@given(st.text(max_size=120) | st.lists(st.text(max_size=12), max_size=7).map(".".join))
def test_any_text_is_one_subject_or_refused(text: str) -> None:
    try:
        address = subject.parse_rpc(text)
    except InvalidInput:
        return
    assert subject.rpc_subject(address.lattice, address.actor, address.operation) == text


@given(names, st.lists(st.from_regex("[a-z0-9]{1,9}", fullmatch=True), min_size=1, max_size=6).map("-".join))
def test_event_subjects_are_exact_inverses(lattice: str, kind: str) -> None:
    spelled = subject.event_subject(lattice, kind)
    assert subject.parse_event(spelled) == subject.EventAddress(LatticeName(lattice), kind)


@given(st.text(max_size=80) | st.text(max_size=20).map("ah.default.evt.{}".format))
def test_any_text_is_one_event_subject_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        address = subject.parse_event(text)
        assert subject.event_subject(address.lattice, address.type) == text


@given(envelopes, texts)
def test_a_template_encodes_what_the_encoder_does(envelope: Envelope, call_id: str) -> None:
    template = Template(msgspec.structs.replace(envelope, id=""))
    assert template.encode(call_id) == encode(msgspec.structs.replace(envelope, id=call_id))
