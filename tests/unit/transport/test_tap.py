"""What is taken off a socket and what is left to its reader stay in order."""

from __future__ import annotations

import asyncio

from actorhost.transport.nats.tap import Tap


class Reader(asyncio.Protocol):
    """Remembers what it is passed."""

    def __init__(self) -> None:
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data


def test_nothing_is_taken_while_the_reader_holds_what_came_before() -> None:
    reader, taken = Reader(), bytearray()

    def take(data: bytes) -> bytes:
        whole, _, left = data.rpartition(b";")
        taken.extend(whole)
        return left

    tap = Tap(reader, take)
    for piece in (b"a;", b"b;c", b"d;e;"):
        tap.data_received(piece)
    assert (bytes(taken), reader.held, tap.unread) == (b"ab", b"cd;e;", 5)
    tap.read(3)
    tap.data_received(b"f;")
    assert reader.held == b"cd;e;f;"
    tap.read(4)
    tap.data_received(b"g;")
    assert (bytes(taken), tap.unread) == (b"abg", 0)


def test_a_greeting_that_came_before_is_not_counted() -> None:
    reader = Reader()
    tap = Tap(reader, lambda _data: b"")
    tap.read(300)
    tap.data_received(b"taken")
    assert reader.held == b""
