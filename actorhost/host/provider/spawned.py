"""A process for a provider, started by this one, with a socket that only the two have.

Owned by the block that :func:`spawned` is used for, which ends it, and what it has started and left in its
group. It ends with this process, too, however that ends (:func:`~actorhost.host.provider.tied.tie`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from actorhost.host.provider.channel import Channel, Serve
from actorhost.manifest import ProviderSpec


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that runs, and the channel to it."""

    channel: Channel
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def exited(self) -> str:
        """Wait for its end, and return how it ended: ``exit code 3``, ``SIGKILL``."""
        code = await self.process.wait()
        if code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"


@asynccontextmanager
async def spawned(
    spec: ProviderSpec, hidden: tuple[str, ...], serve: Serve, grace: Callable[[], float]
) -> AsyncIterator[Spawned]:
    """Start a process for the provider `spec`; at the end it may go by itself for `grace()` seconds.

    `serve` answers what it asks. Variables that hold one of the texts `hidden` are kept from it. Raises
    :class:`OSError` when there can be no process.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(*await asyncio.open_connection(sock=ours), serve)
        try:
            process = await _start(spec, hidden, theirs.fileno())
        except BaseException:
            channel.close()
            raise
    try:
        yield Spawned(channel, process)
    finally:
        with anyio.CancelScope(shield=True):
            channel.close()
            await _end(process, grace())


async def _start(spec: ProviderSpec, hidden: tuple[str, ...], descriptor: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "actorhost", "provider", "run", str(spec.name),
        "--provider", spec.provider, "--channel", str(descriptor), "--parent", str(os.getpid()),
        stdin=asyncio.subprocess.DEVNULL,
        # Standard output belongs to whoever runs the host, who may read it as data.
        stdout=sys.stderr.fileno() if _has_file(sys.stderr) else asyncio.subprocess.DEVNULL,
        pass_fds=(descriptor,),
        # Its secrets come with its configuration; those of others are no business of its.
        env={name: value for name, value in os.environ.items() if value not in hidden},
        # What a terminal sends to the host must not reach it: the host stops it.
        start_new_session=True,
    )  # fmt: skip


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    with anyio.move_on_after(grace):
        await process.wait()
    # Also what it has started: it leads a group of its own, which is still there if anybody is in it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _has_file(stream: Any) -> bool:
    try:
        return stream.fileno() >= 0  # type: ignore[no-any-return]
    except (AttributeError, OSError, ValueError):
        return False
