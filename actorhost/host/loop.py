"""Runs a program's main coroutine, on uvloop where that is installed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; Ctrl-C cancels it."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(work)


async def for_ever() -> None:
    """Wait until cancelled."""
    await asyncio.get_running_loop().create_future()


def settle() -> None:
    """Tell the garbage collector that what exists now stays: for a program that has just started.

    A full collection walks every module that was imported and holds the loop for tens of
    milliseconds; afterwards it walks only what came since.
    """
    gc.collect()
    gc.freeze()


def _factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
