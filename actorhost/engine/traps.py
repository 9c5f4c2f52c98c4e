"""Turns the way a guest ended into our own error, with the rule it broke in words.

Wasmtime says only "unreachable" for most ends; what the shim left in the mailbox and how much
memory the guest had tell the rest.
"""

from __future__ import annotations

from typing import Final

from actorhost.engine import mailbox as box
from actorhost.errors import CallFailed, GuestMisbehaved, GuestTrapped, MemoryExceeded, TooLarge
from actorhost.limits import PAGE

_RULES: Final = {
    0: "it used up its stack (endless recursion?)",
    1: "it reached outside its memory",
    2: "it made an unaligned atomic access",
    3: "it reached outside a table",
    4: "it called a null function",
    5: "it called a function with the wrong signature",
    6: "an integer overflowed",
    7: "it divided by zero",
    8: "it converted a number that does not fit an integer",
    9: "it executed `unreachable` (a panic or abort)",
    13: "it used a null reference",
    15: "it asked for too large an allocation",
}
"""Wasmtime's trap codes in words (wasmtime/trap.h)."""

_OURS: Final = "actorhost"
"""The name that the host's own modules give themselves."""


def ended(code: int | None, text: str, header: tuple[int, ...], *, memory: int, limit: int) -> CallFailed:
    """Return the error for a guest that trapped with `code`.

    `header` is the mailbox's, `memory` the bytes the guest had, `limit` the most it may have.
    """
    status = header[box.STATUS]
    if status & box.OVER_LIMIT:
        # The shim notes the length of what did not fit last; the status has no bit for it yet.
        failed = header[box.ERROR_LENGTH] and not status & box.FAILED
        size, what = header[box.ERROR_LENGTH if failed else box.REPLY_LENGTH], "error" if failed else "reply"
        return TooLarge(
            f"the actor's {what} of {size} bytes is over its limit of {header[box.LIMIT]}",
            hint="raise max-message in the manifest, or reply in pages",
        )
    if status & box.ANSWERED_TWICE:
        return GuestMisbehaved("the guest answered one message twice", hint="answer each message once")
    if header[box.EXIT]:
        code = header[box.EXIT] - 1
        return GuestMisbehaved(f"the guest exited with code {code} instead of answering")
    if memory + PAGE > limit and code in {1, 9, 15, None}:
        return MemoryExceeded(
            f"the guest ended with {memory} bytes of memory in use, and its limit is {limit}",
            hint="raise memory in the manifest, or look for what it keeps",
        )
    rule = _RULES.get(code if code is not None else -1, text.splitlines()[0] if text else "it trapped")
    return GuestTrapped(f"the guest was ended: {rule}", hint=_backtrace(text))


def exited_cleanly(header: tuple[int, ...]) -> bool:
    """Tell whether the guest ended by ``proc_exit(0)``."""
    return header[box.EXIT] == 1


def _backtrace(text: str) -> str:
    """Return the guest's functions in Wasmtime's message, innermost first, at most eight."""
    frames = [line.split(" - ", 1)[1] for line in text.splitlines() if " - " in line]
    names = [
        name or module for module, _, name in (frame.partition("!") for frame in frames) if module != _OURS
    ]
    return "in " + " < ".join(names[:8]) if names else ""
