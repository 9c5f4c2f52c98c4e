"""Every test here starts real parts, so each is watched for what it leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.leaks import nothing_left


@pytest_asyncio.fixture(autouse=True)
async def watch_for_leaks() -> AsyncIterator[None]:
    """Fail the test that leaves a task, thread, file or process behind."""
    async with nothing_left():
        yield
