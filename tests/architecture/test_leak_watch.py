"""The watch for leaks notices each kind of thing a test can leave behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading

import pytest

from tests import leaks
from tests.leaks import nothing_left


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 0.05)


async def test_a_tidy_body_passes() -> None:
    async with nothing_left():
        await asyncio.sleep(0)


async def test_a_task_is_noticed() -> None:
    async with asyncio.TaskGroup() as group:
        with pytest.raises(AssertionError, match="tasks"):
            async with nothing_left():
                task = group.create_task(asyncio.Event().wait())
        task.cancel()


async def test_a_thread_is_noticed() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    with pytest.raises(AssertionError, match="threads"):
        async with nothing_left():
            thread.start()
    done.set()
    thread.join()


async def test_an_open_file_is_noticed() -> None:
    ends: list[int] = []
    with pytest.raises(AssertionError, match="files"):
        async with nothing_left():
            ends.extend(os.pipe())
    for end in ends:
        os.close(end)


async def test_a_child_process_is_noticed() -> None:
    children: list[subprocess.Popen[bytes]] = []
    with pytest.raises(AssertionError, match="child processes"):
        async with nothing_left():
            children.append(subprocess.Popen(["sleep", "60"]))  # noqa: ASYNC220 - ended below
    for child in children:
        child.kill()
        child.wait()
