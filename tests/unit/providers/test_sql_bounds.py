"""What a PostgreSQL server sends, however it is cut into pieces: passed on, or the end of the connection."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from actorhost.ids import ActorName
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.postgres_bounds import Bounded

MIB = 1 << 20
pieces = st.lists(st.integers(1, 3000) | st.integers(1, 9), max_size=40)


class Inner(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Cut(asyncio.Transport):
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def message(size: int) -> bytes:
    """Return a message of `size` bytes behind its kind."""
    return b"D" + size.to_bytes(4) + bytes(size - 4)


def feed(data: bytes, sizes: list[int], *, room: int = MIB) -> tuple[Inner, Bounded, Cut]:
    inner, transport = Inner(), Cut()
    bounded = Bounded(inner, transport)
    bounded.allow(Bounds(ActorName("one"), 1.0, room))
    for size in [*sizes, len(data)]:
        piece, data = data[:size], data[size:]
        if piece:
            bounded.data_received(piece)
    return inner, bounded, transport


@given(st.lists(st.integers(4, 5000), max_size=20), pieces)
def test_messages_are_passed_on_however_they_are_cut(messages: list[int], sizes: list[int]) -> None:
    data = b"".join(map(message, messages))
    inner, bounded, transport = feed(data, sizes)
    assert inner.received == data
    assert bounded.refusal is None
    assert not transport.aborted


@given(st.lists(st.integers(4, 5000), max_size=20), pieces)
def test_a_message_too_long_is_seen_at_its_beginning(messages: list[int], sizes: list[int]) -> None:
    data = b"".join(map(message, messages)) + b"E" + (MIB + 1).to_bytes(4)
    _, bounded, transport = feed(data, sizes)
    assert transport.aborted
    assert f"{MIB + 1} bytes" in str(bounded.refusal)


def test_the_sum_of_a_call_has_a_bound() -> None:
    data = message(MIB - 1) * 40
    inner, bounded, transport = feed(data, [MIB] * 40, room=MIB)
    assert "sum" in str(bounded.refusal)
    assert transport.aborted
    assert len(inner.received) == 28 * MIB
    assert feed(data, [MIB] * 40, room=2 * MIB)[1].refusal is None
