"""Takes what a NATS server sends apart: whole messages here, everything else by nats-py's parser.

nats-py matches each word at the start of a buffer that it shifts afterwards, and keeps what it found in
a dictionary: twice the work on the way of every message. It also raises whatever a broken word leads to,
which ends its read loop and leaves a connection that looks alive; and it waits without bound for the end
of a word or message that will never come. So messages that were read whole are taken apart here, and
nats-py gets the rest: the server's other words, messages with headers, long ones that came in pieces. The
connection ends as soon as what comes can no longer make sense.

Held by one :class:`~actorhost.transport.nats.connection.Connection`, which replaces itself after an error
and resets this. What was read and not yet understood is in ``buf``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from nats.errors import ProtocolError
from nats.protocol.parser import AWAITING_CONTROL_LINE, AWAITING_MSG_PAYLOAD, CRLF_SIZE, Parser

from actorhost.limits import KIB, MIB

MAX_LINE: Final = 64 * KIB
"""Bytes of a line, at most: of a server's INFO in a large cluster."""
MAX_MESSAGE: Final = 64 * MIB
"""Bytes of a message, at most: no server can be configured to carry more."""
LONGEST_RUN: Final = 256
"""Messages delivered before the event loop gets its turn: a full socket buffer holds thousands."""

_WITH_REPLY: Final = 5
_WITHOUT_REPLY: Final = 4
_DIGITS: Final = 32
"""Of both numbers in a line; more are nonsense, and slow to read."""

Receiver = Callable[[bytes, bytes, bytes, "bytes | None"], None]
"""Takes subject, reply subject, data and raw headers of one message; must not raise."""


class _End(Enum):
    """Why no more messages were delivered: a long run, a part of one, another word."""

    RUN = auto()
    PART = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser calls: `heard` when bytes came, `parsed` after they were, `failed` before it raises."""

    heard: Callable[[], None]
    parsed: Callable[[], None]
    failed: Callable[[Exception], None]


class StrictParser(Parser):
    """Feeds `connection`; whole messages go straight to `receivers`, found by subscription number."""

    def __init__(self, connection: Any, receivers: dict[int, Receiver], reading: Reading) -> None:
        super().__init__(connection)
        self._receivers = receivers
        self._reading = reading
        self._busy = False

    def take(self, data: bytes) -> bytes:
        """Deliver the messages at the start of `data`; return what is left for :meth:`parse`.

        That is all of it while an earlier part is not parsed yet.
        """
        if self._busy or self.state != AWAITING_CONTROL_LINE:
            return data
        self._reading.heard()
        if self.buf:
            data = bytes(self.buf) + data
            self.buf.clear()
        at, end = self._deliver(data)
        left = data[at:]
        if end is _End.PART and len(left) <= MAX_LINE:
            self.buf.extend(left)
            left = b""
        self._reading.parsed()
        return left

    async def parse(self, data: bytes = b"") -> None:
        """Parse and dispatch; raises only nats-py's :class:`ProtocolError` and :class:`OSError`."""
        if data:
            self._reading.heard()
        self._busy = True
        try:
            await self._parse(data)
            self._check_rest()
            self._reading.parsed()
        except OSError:
            raise
        except ProtocolError as error:
            self._reading.failed(error)
            raise
        except Exception as error:
            broken = ProtocolError(f"nats: what the server sent makes no sense: {error!r}")
            self._reading.failed(broken)
            raise broken from error
        finally:
            self._busy = False

    async def _parse(self, data: bytes) -> None:
        if self.state == AWAITING_MSG_PAYLOAD:
            missing = self.needed + CRLF_SIZE - len(self.buf)
            await super().parse(data[:missing])
            data = data[missing:]
        elif self.buf:
            data = bytes(self.buf) + data
            self.buf.clear()
        at, end = self._deliver(data)
        while end is _End.RUN:
            await asyncio.sleep(0)
            at, end = self._deliver(data, at)
        if at < len(data):
            await super().parse(data[at:])

    def _deliver(self, data: bytes, at: int = 0) -> tuple[int, _End]:
        """Deliver the whole messages from `at` on; return where what is left begins, and why it is left."""
        receivers = self._receivers
        for _ in range(LONGEST_RUN):
            end = data.find(b"\r\n", at)
            if end < 0:
                return at, _End.PART
            line = data[at:end].split()
            count = len(line)
            if count == _WITH_REPLY:
                word, subject, sid, reply, size = line
            elif count == _WITHOUT_REPLY:
                (word, subject, sid, size), reply = line, b""
            else:
                return at, _End.OTHER
            if word != b"MSG" or not (sid.isdigit() and size.isdigit() and len(sid) + len(size) <= _DIGITS):
                return at, _End.OTHER
            start = end + CRLF_SIZE
            stop = start + int(size)
            if stop + CRLF_SIZE > len(data):
                return at, _End.PART if stop - start <= MAX_MESSAGE else _End.OTHER
            receiver = receivers.get(int(sid))
            if receiver is not None:
                receiver(subject, reply, data[start:stop], None)
            at = stop + CRLF_SIZE
        return at, _End.RUN

    def _check_rest(self) -> None:
        """Refuse to wait for the rest of what was read when it cannot come."""
        if self.state == AWAITING_CONTROL_LINE:
            if len(self.buf) > MAX_LINE or b"\r\n" in self.buf:
                raise ProtocolError("nats: unknown protocol")
        elif not self.header_needed <= self.needed <= MAX_MESSAGE:
            raise ProtocolError(f"nats: a message of {self.needed} bytes")
