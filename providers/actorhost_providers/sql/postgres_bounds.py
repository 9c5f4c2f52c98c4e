"""How much a PostgreSQL server may send: looked at as it comes, before it is kept or understood.

One stands between a connection's transport and asyncpg and ends with them. asyncpg keeps a message
whole and what was fetched until the last row, and takes seconds of the event loop over a long error:
a statement that only reads could end its host, or hold it up, with ``repeat()``. A connection that
brings too much is cut.
"""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import Any, Final

from actorhost.errors import TooLarge
from actorhost_providers.sql.link import MIB, Bounds

_MESSAGE: Final = MIB
"""Bytes of one message, a row most often: those over half of it are refused as rows anyway."""
_LENGTH: Final = Struct("!xI")
"""A message begins with a byte for its kind, and its length without that."""
_HEAD: Final = _LENGTH.size
_CALL: Final = 16 * MIB
_LARGER: Final = 12
"""A call's allowance: so many bytes, and so many times the result that it may have; small integers take
that much more on PostgreSQL's wire than on ours."""


class Bounded(asyncio.Protocol):
    """Passes on to `inner` what a server sends, and cuts `transport` when it is too much."""

    def __init__(self, inner: Any, transport: asyncio.Transport) -> None:
        """Take asyncpg's protocol and its transport, between two messages."""
        self._inner = inner
        self._transport = transport
        self._left = _CALL
        self._message = 0
        self._head = b""
        self.refusal: TooLarge | None = None
        """Why the connection was cut."""

    @staticmethod
    def around(connection: Any) -> Bounded:
        """Return what looks after `connection`, an asyncpg one; put there the first time."""
        transport = connection._transport  # noqa: SLF001 - there is no other way to it
        inner = transport.get_protocol()
        if isinstance(inner, Bounded):
            return inner
        bounded = Bounded(inner, transport)
        transport.set_protocol(bounded)
        return bounded

    def allow(self, bounds: Bounds) -> None:
        """Let a call with `bounds` begin."""
        self._left = _CALL + _LARGER * bounds.size

    def data_received(self, data: bytes) -> None:
        """Pass on what came, unless it is the beginning of too much."""
        if self.refusal is not None:
            return
        self._left -= len(data)
        longest = self._longest(data)
        if longest > _MESSAGE:
            self._cut(f"a row or message of {longest} bytes, over {_MESSAGE}")
        elif self._left < 0:
            self._cut("rows whose sum is far over the bound of the result")
        else:
            self._inner.data_received(data)

    def eof_received(self) -> None:
        """Pass on that the server has said all."""
        self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection is gone."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on that the server is behind."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it has caught up."""
        self._inner.resume_writing()

    def _longest(self, data: bytes) -> int:
        """Return the length of the longest message that begins in `data`; remember where it ends."""
        place, end, longest, length_at = self._message, len(data), 0, _LENGTH.unpack_from
        if self._head:
            data, place, end = self._head + data, 0, end + len(self._head)
        while place + _HEAD <= end:
            (length,) = length_at(data, place)
            if length > longest:  # noqa: PLR1730 - max() costs as much as the rest
                longest = length
            place += 1 + length
        self._head = data[place:end]
        self._message = max(0, place - end)
        return longest

    def _cut(self, what: str) -> None:
        self.refusal = TooLarge(
            f"the PostgreSQL server sent {what}",
            hint="select fewer columns, or read a large one in pieces with substr()",
        )
        self._transport.abort()
