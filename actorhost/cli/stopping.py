"""How a command that runs until it is told to stop is told: by a signal, once, with an orderly end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


async def until_told(work: Coroutine[Any, Any, None]) -> int:
    """Do `work` until a signal; cancelling happens once, so that the way down is not disturbed.

    Returns the number of the signal that ended it, 0 when it ended by itself.
    """
    with _cancelled_by_signal() as told:
        try:
            await work
        except asyncio.CancelledError:
            if not told:
                raise
            return told[0]
        return 0


@contextmanager
def _cancelled_by_signal() -> Iterator[list[int]]:
    """Cancel the current task at the first signal to stop; yields the list of those that came.

    That a terminal closed (SIGHUP) is one, unless the program was started to outlive it, as by nohup.
    """
    task, told = asyncio.current_task(), list[int]()
    event_loop = asyncio.get_running_loop()

    def tell(number: int) -> None:
        told.append(number)
        if len(told) == 1 and task is not None:
            task.cancel()

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    for number in signals:
        event_loop.add_signal_handler(number, tell, number)
    try:
        yield told
    finally:
        for number in signals:
            event_loop.remove_signal_handler(number)
