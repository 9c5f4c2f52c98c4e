"""Answers a parked guest: capability calls, log lines, and the little that WASI asks of a host.

A request is read from the mailbox, answered there, and the fiber goes on. A capability that fails
is the guest's to handle: it gets the error's text and a status of 0.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from actorhost import clock
from actorhost.engine import mailbox as box
from actorhost.engine.mailbox import Mailbox
from actorhost.errors import ActorhostError, DeadlineExceeded, InternalError

HostCall = Callable[[str, str, str, bytes], Awaitable[bytes]]
"""binding, namespace, operation, payload -> reply; raises :class:`ActorhostError` to refuse."""

Log = Callable[[str, str], None]
"""source (``console``, ``stdout`` or ``stderr``), text."""

HOST_CALL, CONSOLE_LOG, ROOM, TOO_LARGE = 1, 2, 3, 4
CLOCK, RANDOM, WRITE, SLEEP, ENVIRONMENT = 16, 17, 18, 19, 20

_PAGE_OF_RANDOM: Final = 4096
_LONGEST_LINE: Final = 8192
_MAX_SLEEP: Final = 1 << 62


class Requests:
    """Serves one sandbox; `environment` is what ``environ_get`` shows it."""

    __slots__ = ("_environment", "_environment_count", "_lines", "_log", "_mailbox", "_unplaced")

    def __init__(self, mailbox: Mailbox, log: Log, environment: Mapping[str, str]) -> None:
        self._mailbox = mailbox
        self._log = log
        self._environment = b"".join(f"{name}={value}\0".encode() for name, value in environment.items())
        self._environment_count = len(environment)
        self._unplaced: tuple[bytes, bool] = (b"", False)
        self._lines: dict[str, str] = {}

    async def answer(self, host_call: HostCall, deadline: float) -> None:
        """Answer what the guest is parked for; raises :class:`DeadlineExceeded` if it sleeps at `deadline`.

        `host_call` keeps its own deadline: it knows whom it waits for and can say so.
        """
        mailbox = self._mailbox
        mailbox.refresh()
        header = mailbox.header()
        reason = header[box.REASON]
        if reason == HOST_CALL:
            await self._host_call(header, host_call)
        elif reason == SLEEP:
            await _sleep(min(header[box.WIDE], _MAX_SLEEP) / 1e9, deadline)
        else:
            self._at_once(reason, header)

    def _at_once(self, reason: int, header: tuple[int, ...]) -> None:
        first, second, top = header[box.ARGUMENT_0], header[box.ARGUMENT_1], header[box.TOP]
        if reason == CONSOLE_LOG:
            self._log("console", self._text(top, first))
        elif reason == WRITE:
            self._write("stdout" if first == 1 else "stderr", self._text(top, second))
        elif reason == ROOM:
            data, failed = self._unplaced
            self._unplaced = b"", False
            self._place(top, data, failed=failed)
        elif reason == TOO_LARGE:
            self._place(top, self._too_large(header), failed=True)
        elif reason == CLOCK:
            self._mailbox.put_wide(clock.wall_ns() if first == 0 else clock.monotonic_ns())
        elif reason == RANDOM:
            self._place(top, os.urandom(min(first, _PAGE_OF_RANDOM)), failed=False)
        elif reason == ENVIRONMENT:
            self._mailbox.put_word(box.ARGUMENT_0, self._environment_count)
            self._place(top, self._environment, failed=False)
        else:
            raise InternalError(f"a shim asked for unknown reason {reason}")

    async def _host_call(self, header: tuple[int, ...], host_call: HostCall) -> None:
        failed = False
        try:
            binding, namespace, operation, payload = self._arguments(header)
            reply = await host_call(binding, namespace, operation, payload)
            if len(reply) > header[box.LIMIT]:
                failed, reply = True, b"too_large: the capability's reply is over the actor's message limit"
        except ActorhostError as error:
            failed, reply = True, _error_text(error)
        except UnicodeDecodeError:
            failed, reply = True, b"bad_request: binding, namespace and operation must be UTF-8"
        self._place(header[box.TOP], reply, failed=failed)

    def _arguments(self, header: tuple[int, ...]) -> tuple[str, str, str, bytes]:
        first, second, third, fourth = header[box.ARGUMENT_0 : box.ARGUMENT_3 + 1]
        second += first
        third += second
        fourth += third
        data = self._mailbox.read(header[box.TOP], fourth)
        return data[:first].decode(), data[first:second].decode(), data[second:third].decode(), data[third:]

    def _place(self, top: int, data: bytes, *, failed: bool) -> None:
        if not self._mailbox.put_answer(top, data, failed=failed):
            self._unplaced = data, failed

    def flush(self) -> None:
        """Log what was written without an end of line; called when the instance ends."""
        for source, text in self._lines.items():
            self._log(source, text)
        self._lines.clear()

    def _write(self, source: str, text: str) -> None:
        """Log the lines that `text` completes; runtimes write a line in many small pieces."""
        *lines, rest = (self._lines.pop(source, "") + text).split("\n")
        for line in lines:
            self._log(source, line)
        if len(rest) > _LONGEST_LINE:
            self._log(source, rest)
        elif rest:
            self._lines[source] = rest

    def _text(self, offset: int, length: int) -> str:
        return self._mailbox.read(offset, length).decode("utf-8", "replace")

    def _too_large(self, header: tuple[int, ...]) -> bytes:
        size = sum(header[box.ARGUMENT_0 : box.ARGUMENT_3 + 1])
        return f"too_large: a call of {size} bytes is over the actor's limit of {header[box.LIMIT]}".encode()


async def _sleep(seconds: float, deadline: float) -> None:
    left = deadline - clock.monotonic()
    await asyncio.sleep(max(0.0, min(seconds, left)))
    if seconds > left:
        # Not left to the clock: a timer may fire a moment early, and the guest would wake up in time.
        raise DeadlineExceeded("the guest was sleeping at its deadline")


def _error_text(error: ActorhostError) -> bytes:
    """Return what a guest reads about `error`: code, message, hint."""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error.code}: {error.message}{hint}".encode()
