"""Ctrl-C while a command is not yet or no longer at work: it ends the process at once.

Nothing is there then that would need an orderly end, while an exception raised in the middle of an
import may get lost in it, or come out as something else.
"""

import os
import signal

CODE = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""


def end_at_once() -> None:
    """Let Ctrl-C end the process, unless somebody has decided otherwise."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_from_now_on() -> None:
    """Let Ctrl-C raise :class:`KeyboardInterrupt` again, as asyncio expects."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: object) -> None:
    os._exit(CODE)
