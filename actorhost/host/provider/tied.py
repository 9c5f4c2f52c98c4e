"""A provider's process that belongs to a host: started by it, told what to do by it, ending with it.

Owned by ``actorhost provider run --channel``. The socket to the host is its only master: the first word
on it says which provider to run, and its end, orderly or not, is the end of the process. Where the
kernel can do that (Linux), the process is also killed with the host, even one that stands still.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from typing import Final

from actorhost.errors import BadRequest, Unavailable
from actorhost.host.provider.channel import Channel
from actorhost.host.provider.messages import ActorCall, Begin, Introduction, ProviderOperation, decode, encode
from actorhost.host.provider.process import ProviderProcess

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>
_GRACE: Final = 0.25
"""Seconds that the host gives a call beyond its time-out, so that its own word on it arrives."""


def tie(parent: int) -> None:
    """Have the kernel kill this process with process `parent`, its host; raises :class:`Unavailable`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # It may have died before the kernel knew what to do about it.
    if os.getppid() != parent:
        raise Unavailable("the host that wanted this provider is gone")


async def serve_host(descriptor: int) -> None:
    """Run a provider for the host at the other end of the socket `descriptor`, until that ends."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    async with AsyncExitStack() as stack:
        tied = _Tied(stack)
        channel = tied.channel = Channel(reader, writer, tied.serve)
        await channel.run()
        channel.close()


class _Tied:
    """Answers the host; what begins is entered in `stack`."""

    channel: Channel

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._process: ProviderProcess | None = None

    async def serve(self, operation: str, payload: bytes) -> bytes:
        """Answer one ask of the host."""
        if operation == ProviderOperation.BEGIN:
            begin = decode(Begin, payload)
            process = ProviderProcess(begin, self._call_host)
            self._process = await self._stack.enter_async_context(process)
            return b""
        if self._process is None:
            raise BadRequest(f"{operation[:80]!r} before {ProviderOperation.BEGIN!r}")
        if operation == ProviderOperation.STOP:
            await self._process.stop()
            return b""
        return await self._process.serve(operation, payload)

    async def _call_host(self, call: ActorCall, _introduction: Introduction) -> bytes:
        return await self.channel.ask(ProviderOperation.CALL, encode(call), call.timeout + _GRACE)
