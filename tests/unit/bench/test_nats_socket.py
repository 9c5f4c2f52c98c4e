"""The generator's NATS connection against bytes a server may send, in any pieces."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.bench.nats_socket import NatsSocket, Received
from actorhost.errors import ServerUnavailable

STREAM = (
    b"INFO {}\r\nMSG a.b 1 3\r\nx\r\n\r\nMSG c 1 reply.to 0\r\n\r\nPING\r\n"
    b"HMSG d 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n+OK\r\n"
    b"HMSG e 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nMSG f 1 4\r\nPONG\r\n"
)
EXPECTED = [
    (b"a.b", b"", b"x\r\n"),
    (b"c", b"", b""),
    (b"d", b"NATS/1.0 503\r\n\r\n", b""),
    (b"e", b"NATS/1.0\r\n\r\n", b"hi"),
    (b"f", b"", b"PONG"),
]


@contextmanager
def connected() -> Iterator[tuple[NatsSocket, socket.socket]]:
    """Yield a connection and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ends = list[socket.socket]()

        def greet() -> None:
            end, _ = listening.accept()
            ends.append(end)
            end.sendall(b"INFO {}\r\nPONG\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with NatsSocket(f"nats://127.0.0.1:{listening.getsockname()[1]}") as connection:
            thread.join()
            with ends[0]:
                yield connection, ends[0]


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=12))
def test_messages_are_the_same_in_any_pieces(cuts: set[int]) -> None:
    with connected() as (connection, server):
        found = list[Received]()
        places = [0, *sorted(cuts), len(STREAM)]
        for start, end in pairwise(places):
            server.sendall(STREAM[start:end])
            found += connection.receive(1.0)
        while len(found) < len(EXPECTED):
            found += connection.receive(1.0)
        assert found == EXPECTED


def test_an_error_of_the_server_and_its_end_are_said() -> None:
    with connected() as (connection, server):
        server.sendall(b"-ERR 'Maximum Payload Violation'\r\n")
        with pytest.raises(ServerUnavailable, match="Maximum Payload"):
            connection.receive(1.0)
        server.close()
        with pytest.raises(ServerUnavailable, match="lost its connection"):
            connection.receive(1.0)


def test_no_server_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServerUnavailable, match="no NATS server"):
        NatsSocket(f"nats://127.0.0.1:{port}")
