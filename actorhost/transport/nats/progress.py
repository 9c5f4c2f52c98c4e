"""How far the bytes written to a connection have got: what tells a slow link from a silent server.

A ping queues behind what was written before it, for many seconds on a slow link; its pong is late only
once the ping has arrived. Held by one connection to a server and thrown away with it. Where the system
does not tell what it holds (anywhere but on Linux), bytes count as arrived when the system took them.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import sys
import termios
from collections.abc import Callable


class Progress:
    """Counts for the socket of the writer that `writer` returns."""

    def __init__(self, writer: Callable[[], asyncio.StreamWriter | None]) -> None:
        self._writer = writer
        self._written = 0
        self._arrived = 0
        self._mark = 0

    def wrote(self, size: int) -> None:
        """Count `size` bytes written now."""
        self._written += size

    def mark(self) -> None:
        """Watch what was written last."""
        self._mark = self._written

    def crawls(self) -> bool:
        """Whether what was marked is still on its way, and bytes did arrive since this was asked last."""
        before, self._arrived = self._arrived, self._written - self._held()
        return before < self._arrived < self._mark

    def _held(self) -> int:
        """Return the bytes that the other side has not confirmed."""
        writer = self._writer()
        if writer is None or writer.transport.is_closing():
            return 0
        return writer.transport.get_write_buffer_size() + _unconfirmed(writer.get_extra_info("socket"))


def _unconfirmed(socket: object) -> int:
    """Return the bytes that the system has sent or will, without a confirmation yet (tcp(7), SIOCOUTQ)."""
    if sys.platform != "linux":
        return 0
    answer = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))  # type: ignore[attr-defined]
    return int(struct.unpack("i", answer)[0])
