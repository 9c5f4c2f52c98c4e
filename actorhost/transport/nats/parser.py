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

from nats.errors import Error, ProtocolError
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
_LINE_END: Final = b"\r\n"
_PONG: Final = b"PONG\r\n"
_ENOUGH: Final = 2
"""Answers within a message, one for each ping, that are no coincidence: half a second lies between them."""
_NO_END: Final = "nats: a message that does not end where it says"
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

    def reset(self) -> None:
        """Begin anew, with the bytes of another connection."""
        super().reset()
        self._nonsense = ""
        self._pinged = False
        self._swallowed = 0

    def pinged(self) -> None:
        """Note that a ping was sent: its answer comes between messages, never within one."""
        self._pinged = True

    def take(self, data: bytes) -> bytes:
        """Deliver the messages at the start of `data`; return what is left for :meth:`parse`.

        That is all of it while an earlier part is not parsed yet.
        """
        if self._busy or self.state != AWAITING_CONTROL_LINE:
            return data
        self._reading.heard()
        came = data
        if self.buf:
            data = bytes(self.buf) + data
            self.buf.clear()
        at, end = self._deliver(data)
        left = data[at:]
        if len(data) > len(came):
            self._weigh(came, whole=at > 0 or end is _End.OTHER)
        if end is _End.PART and len(left) <= MAX_LINE and not self._nonsense:
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
            if not self._nonsense:
                await self._parse(data)
            self._check_rest()
            self._reading.parsed()
        except OSError:
            raise
        except ProtocolError as error:
            # Its own text is the same whatever it was given.
            self._reading.failed(Error(*error.args))
            raise
        except Exception as error:
            self._reading.failed(Error(f"nats: what the server sent makes no sense: {error!r}"))
            raise ProtocolError from error
        finally:
            self._busy = False

    async def _parse(self, data: bytes) -> None:
        if self.state == AWAITING_MSG_PAYLOAD:
            missing = self.needed + CRLF_SIZE - len(self.buf)
            whole = len(data) >= missing
            self._weigh(data, whole=whole)
            if whole and (self.buf[-CRLF_SIZE:] + data[:missing])[-CRLF_SIZE:] != _LINE_END:
                self._nonsense = _NO_END
                return
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
            end = data.find(_LINE_END, at)
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
            if not data.startswith(_LINE_END, stop):
                self._nonsense = _NO_END
                return at, _End.OTHER
            receiver = receivers.get(int(sid))
            if receiver is not None:
                receiver(subject, reply, data[start:stop], None)
            at = stop + CRLF_SIZE
        return at, _End.RUN

    def _weigh(self, data: bytes, *, whole: bool) -> None:
        """Find a length that is wrong: the answers to our pings disappear in a message that does not end.

        `data` is what came of a message, `whole` whether that was its end.
        """
        if whole:
            self._swallowed = 0
        elif self._pinged and _PONG in data:
            self._pinged = False
            self._swallowed += 1
            if self._swallowed >= _ENOUGH:
                self._nonsense = "nats: a message that does not end holds the answers to pings"

    def _check_rest(self) -> None:
        """Refuse to wait for the rest of what was read when it cannot come."""
        if self._nonsense:
            raise ProtocolError(self._nonsense)
        if self.state == AWAITING_CONTROL_LINE:
            if len(self.buf) > MAX_LINE or b"\r\n" in self.buf:
                raise ProtocolError("nats: unknown protocol")
        elif not self.header_needed <= self.needed <= MAX_MESSAGE:
            raise ProtocolError(f"nats: a message of {self.needed} bytes")
