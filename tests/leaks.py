"""What a test must not leave behind: tasks, threads, open files and child processes.

The watch starts before the test's own fixtures and ends after them. What is on its way out gets a
moment to go; what stays fails the test that made it, not a later one.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

PATIENCE: Final = 2.0
"""Seconds that something already told to end may take."""

Census = dict[str, frozenset[str]]


def _tasks() -> frozenset[str]:
    return frozenset(
        f"{task.get_name()} {task.get_coro()}"
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task()
    )


def _threads() -> frozenset[str]:
    # The event loop's own pool of workers ends with the loop, after every fixture.
    workers = ("asyncio_", "AnyIO worker")
    return frozenset(
        f"{thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if not thread.name.startswith(workers)
    )


def _files() -> frozenset[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} -> {entry.readlink()}")
        except FileNotFoundError:  # the descriptor that listed the directory
            continue
    return frozenset(found)


def _children() -> frozenset[str]:
    return frozenset(f"{child.pid} {child.name()}" for child in psutil.Process().children(recursive=True))


COUNTS: Final[dict[str, Callable[[], frozenset[str]]]] = {
    "tasks": _tasks,
    "threads": _threads,
    "files": _files,
    "child processes": _children,
}


def _census() -> Census:
    return {kind: count() for kind, count in COUNTS.items()}


def _left(before: Census) -> dict[str, list[str]]:
    now = _census()
    return {kind: sorted(now[kind] - before[kind]) for kind in now if now[kind] - before[kind]}


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Fail when the body leaves something running or open that was not there before."""
    before = _census()
    yield
    loop = asyncio.get_running_loop()
    patience = loop.time() + PATIENCE
    while _left(before) and loop.time() < patience:
        gc.collect()
        await asyncio.sleep(0.02)
    left = _left(before)
    assert not left, f"left behind after the test: {left}"
