"""Control messages: any bytes give a message or our own error; messages survive the round trip."""

from __future__ import annotations

import contextlib

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from actorhost.errors import BadRequest
from actorhost.host import control_messages as messages

KINDS: list[type[Struct]] = [
    messages.InfoRequest,
    messages.HostInfo,
    messages.StatusRequest,
    messages.StatusPage,
    messages.LogsRequest,
    messages.LogsReply,
    messages.ModuleOffer,
    messages.ModuleChunk,
    messages.ModuleProgress,
    messages.DeployRequest,
    messages.DeployReply,
    messages.WatchRequest,
    messages.WatchReply,
]
kinds = st.sampled_from(KINDS)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
offers = st.builds(messages.ModuleOffer, digests, st.integers(1, 2**40))
orders = st.builds(
    messages.DeployRequest,
    st.binary(max_size=80),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), digests, max_size=3),
    st.booleans(),
)
plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text("abc", max_size=5)
maps = st.dictionaries(
    st.sampled_from([field for kind in KINDS for field in kind.__struct_fields__]), plain, max_size=9
)


@given(kinds, st.binary(max_size=100))
def test_any_bytes_are_a_message_or_refused(kind: type[Struct], data: bytes) -> None:
    with contextlib.suppress(BadRequest):
        messages.decode(kind, data)


@given(kinds, maps)
def test_any_map_is_a_message_or_refused(kind: type[Struct], value: dict[str, object]) -> None:
    with contextlib.suppress(BadRequest):
        messages.decode(kind, msgpack.packb(value))


@given(offers | orders)
def test_messages_survive_the_way_and_are_maps_to_others(message: Struct) -> None:
    data = messages.encode(message)
    assert messages.decode(type(message), data) == message
    assert set(msgpack.unpackb(data)) == set(message.__struct_fields__)
