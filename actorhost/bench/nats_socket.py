"""The least of the NATS protocol over one blocking socket: publish, subscribe, receive.

A generator of load must not be what it measures: parsing here costs a few microseconds a message, so
that one process keeps its schedule at several times what a host can take. Owned by its process; a
lost connection ends it.

Protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from typing import Final, Self
from urllib.parse import urlsplit

from actorhost.errors import ServerUnavailable

Received = tuple[bytes, bytes, bytes]
"""Subject, headers (empty if none) and data of one message."""

_PORT: Final = 4222
_TIMEOUT: Final = 10.0
_AT_ONCE: Final = 256 * 1024
_END: Final = b"\r\n"
_OPTIONS: Final = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}


class NatsSocket:
    """A connection to the server at `url`; raises :class:`ServerUnavailable` when there is none."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._rest = b""
        self._pongs = 0
        try:
            address = (place.hostname or "127.0.0.1", place.port or _PORT)
            self._socket = socket.create_connection(address, _TIMEOUT)
        except OSError as error:
            raise ServerUnavailable(f"no NATS server at {url}: {error.strerror}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(b"CONNECT %b\r\n" % json.dumps({**_OPTIONS, "lang": "python", "version": "0"}).encode())
        self.flush()

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._socket.close()

    def send(self, frames: bytes) -> None:
        """Send bytes of the protocol, waiting while the server takes none."""
        try:
            self._socket.sendall(frames)
        except OSError as error:
            raise _lost(str(error)) from None

    def subscribe(self, subject: str) -> None:
        """Receive what is published on `subject` from now on."""
        self.send(b"SUB %b 1\r\n" % subject.encode())
        self.flush()

    def flush(self) -> None:
        """Return when the server has seen all that was sent; what arrives meanwhile is passed over."""
        wanted = self._pongs + 1
        self.send(b"PING\r\n")
        while self._pongs < wanted:
            self.receive(_TIMEOUT)

    def receive(self, wait: float) -> list[Received]:
        """Return the messages that have arrived, after at most `wait` seconds."""
        readable, _, _ = select.select([self._socket], [], [], max(0.0, wait))
        if not readable:
            return []
        try:
            data = self._socket.recv(_AT_ONCE)
        except OSError as error:
            raise _lost(str(error)) from None
        if not data:
            raise _lost("it was closed")
        self._rest += data
        return list(self._messages())

    def _messages(self) -> Iterator[Received]:
        """Yield the messages that are complete; what is not stays for the next time."""
        data, at = self._rest, 0
        while (end := data.find(_END, at)) >= 0:
            words = data[at:end].split()
            begin, at = at, end + 2
            if words[0] in (b"MSG", b"HMSG"):
                head = int(words[-2]) if words[0] == b"HMSG" else 0
                size = int(words[-1])
                if len(data) < at + size + 2:
                    at = begin
                    break
                yield words[1], data[at : at + head], data[at + head : at + size]
                at += size + 2
            else:
                self._heed(words)
        self._rest = data[at:]

    def _heed(self, words: list[bytes]) -> None:
        if words[0] == b"PING":
            self.send(b"PONG\r\n")
        elif words[0] == b"PONG":
            self._pongs += 1
        elif words[0] == b"-ERR":
            raise ServerUnavailable(f"the NATS server says {b' '.join(words[1:]).decode()}")


def _lost(why: str) -> ServerUnavailable:
    return ServerUnavailable(f"the load generator lost its connection to the NATS server: {why}")
