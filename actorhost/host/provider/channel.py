"""A socket between a host and a process it started: both may ask, and each ask gets one answer.

Owned by whoever runs it; ends with :meth:`Channel.run`, at the end of the stream or when cancelled:
asks that wait then end with :class:`OutcomeUnknown`. Frames are bounded, and so are the asks of the
other side in hand at a time; one that asks on and on and does not read the refusals is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import msgspec
from anyio.abc import TaskGroup

from actorhost.errors import (
    ActorhostError,
    CallTimeout,
    InternalError,
    OutcomeUnknown,
    Overloaded,
    TooLarge,
)
from actorhost.limits import MIB
from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost.wire.fault import Fault, error_of, fault_of

MAX_FRAME: Final = 80 * MIB
"""Bytes of one frame: the largest message that limits allow, and room for what goes with it."""
MAX_ASKS: Final = 1024
"""Asks of the other side in hand at a time."""
MAX_HELD: Final = 2 * MAX_FRAME
"""Bytes of those asks."""
MAX_UNREAD: Final = MIB
"""Bytes of answers that may wait to be read when an ask has to be refused."""

_LENGTH: Final = struct.Struct("<I")
_NO_FRAMES: Final = (
    asyncio.IncompleteReadError, OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError,
)  # fmt: skip
"""What reading raises when the stream has ended, or is not one of frames."""
_log: Final = Log("actorhost.host")

Serve = Callable[[str, bytes], Awaitable[bytes]]
"""Takes an operation and its payload, and returns the answer or raises."""


class _Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An ask, which names an operation, or the answer to the ask of that number."""

    number: int
    operation: str
    payload: bytes
    fault: Fault | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Frame).decode


class Channel:
    """Asks over `writer`, and answers with what `serve` returns what comes from `reader`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, serve: Serve) -> None:
        self._reader = reader
        self._writer = writer
        self._serve = serve
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes | ActorhostError]] = {}
        self._in_hand = self._held = 0
        self.over = False
        """Whether the stream has ended."""
        self.heard = 0
        """Frames that came: a count that stands still says that the other side does."""

    async def run(self) -> None:
        """Read until the stream ends, or is no stream of frames; asks in hand are cancelled then."""
        try:
            async with anyio.create_task_group() as tasks:
                with contextlib.suppress(*_NO_FRAMES):
                    while True:
                        self._take(await self._frame(), tasks)
                tasks.cancel_scope.cancel()
        finally:
            self.over = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(OutcomeUnknown("the other process has gone"))

    async def ask(self, operation: str, payload: bytes, timeout: float) -> bytes:
        """Return the answer; raises what the other side did, or that it did not answer or has gone.

        Raises :class:`TooLarge` for what does not fit a frame: nothing was sent.
        """
        if self.over:
            raise OutcomeUnknown("the other process has gone")
        number = next(self._numbers)
        future: asyncio.Future[bytes | ActorhostError] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(timeout):
                self._write(_Frame(number, operation, payload))
                await self._writer.drain()
                result = await future
        except TimeoutError:
            raise CallTimeout(
                f"the other process did not answer {str(operation)!r} within {timeout:.3g} s"
            ) from None
        except OSError:
            raise OutcomeUnknown("the other process has gone") from None
        finally:
            del self._waiting[number]
        if isinstance(result, bytes):
            return result
        try:
            raise result
        finally:
            del future, result  # its traceback holds this frame

    def close(self) -> None:
        """Close the socket, which ends both sides' :meth:`run`."""
        self._writer.close()

    async def _frame(self) -> _Frame:
        (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME:
            raise msgspec.DecodeError("a frame over its limit")
        frame = _decode(await self._reader.readexactly(length))
        self.heard += 1
        return frame

    def _take(self, frame: _Frame, tasks: TaskGroup) -> None:
        if frame.operation:
            self._take_ask(frame, tasks)
            return
        future = self._waiting.get(frame.number)
        if future is not None and not future.done():
            future.set_result(frame.payload if frame.fault is None else error_of(frame.fault))

    def _take_ask(self, frame: _Frame, tasks: TaskGroup) -> None:
        size = len(frame.payload)
        if self._in_hand < MAX_ASKS and self._held + size <= MAX_HELD:
            self._in_hand += 1
            self._held += size
            tasks.start_soon(self._answer, frame)
            return
        if self._writer.transport.get_write_buffer_size() > MAX_UNREAD:
            raise msgspec.DecodeError("asks without end, and no answer is read")
        full = f"{self._in_hand} asks of the other process, of {self._held} bytes, are in hand"
        self._write(_Frame(frame.number, "", b"", fault_of(Overloaded(full, hint="retry later"))))

    async def _answer(self, frame: _Frame) -> None:
        try:
            try:
                self._write(_Frame(frame.number, "", await self._outcome(frame)))
            except ActorhostError as error:
                self._write(_Frame(frame.number, "", b"", fault_of(error)))
            with contextlib.suppress(OSError):
                await self._writer.drain()
        finally:
            self._in_hand -= 1
            self._held -= len(frame.payload)

    async def _outcome(self, frame: _Frame) -> bytes:
        try:
            return await self._serve(frame.operation, frame.payload)
        except ActorhostError:
            raise
        except Exception:  # noqa: BLE001 - a bug in one ask must not end the others
            log.bug(_log, "bug while serving another process", operation=frame.operation)
            raise InternalError("unexpected error; see the log") from None

    def _write(self, frame: _Frame) -> None:
        data = _encode(frame)
        if len(data) > MAX_FRAME:
            raise TooLarge(
                f"{len(data)} bytes are too many for one message between processes: at most {MAX_FRAME}",
                hint="send less",
            )
        self._writer.write(_LENGTH.pack(len(data)) + data)
