"""Has a connection cut when this process stands still, so that its share of messages goes elsewhere.

A frozen process (SIGSTOP, a debugger, a provider that blocks the event loop) keeps its connection, and
its place in every queue group, until the server misses it: minutes, with a server's own defaults.
A small process beside this one shares the socket and shuts it down sooner, which works on any server.
Owned by a :class:`~actorhost.transport.nats.transport.NatsTransport`, from start to close.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Final

import anyio

from actorhost.telemetry.log import Log
from actorhost.transport.environment import bare_environment

_SCRIPT: Final = Path(__file__).with_name("guard_process.py")
_BEAT: Final = 0.25
_PATIENCE: Final = 2.0
"""Seconds without a beat after which the connection is cut."""
_END: Final = 2.0
"""Seconds that the guard may take to end; it has nothing to do then but to notice."""

_log: Final = Log("actorhost.transport")


class Guard:
    """Beats to a process that cuts the connection it was given when the beat stops."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._line: socket.socket | None = None
        self._held: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Start the process; without one the host runs, and a warning says what it lacks."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-S", _SCRIPT, str(theirs.fileno()), str(_PATIENCE),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=bare_environment(),
                    # What a terminal sends to the host must not reach its guard: Ctrl-Z would freeze both.
                    start_new_session=True,
                )  # fmt: skip
            except BaseException as error:
                ours.close()
                if not isinstance(error, OSError):
                    raise
                _warn(str(error))
                return
        ours.setblocking(False)
        self._line = ours
        self._beat()

    def hold(self, descriptor: int) -> None:
        """Guard the socket `descriptor` from now on, instead of any other."""
        self._drop()
        if self._line is None:
            return
        self._held = socket.socket(fileno=os.dup(descriptor))
        self._say(b"h", [self._held.fileno()])

    def release(self) -> None:
        """End the guarded connection, if there is one: closing it alone would not, as it is shared."""
        if self._held is not None:
            self._drop()
            self._say(b"r")

    async def close(self) -> None:
        """End the process."""
        self._drop()
        self._hang_up()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            with anyio.move_on_after(_END):
                await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                with anyio.CancelScope(shield=True):
                    await process.wait()

    def _beat(self) -> None:
        self._say(b".")
        if self._line is not None:
            self._timer = asyncio.get_running_loop().call_later(_BEAT, self._beat)

    def _say(self, word: bytes, descriptors: list[int] | None = None) -> None:
        if self._line is None:
            return
        try:
            socket.send_fds(self._line, [word], descriptors or [])
        except OSError as error:
            # It was ended, or is itself frozen and its line is full.
            self._hang_up()
            _warn(str(error))

    def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()

    def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._line is not None:
            self._line.close()
        self._line = self._timer = None


def _warn(reason: str) -> None:
    _log.warning(
        "nobody watches whether this process stands still",
        reason=reason,
        consequence="if it freezes, the NATS server goes on sending to it until its own pings fail",
    )
