"""Guests run here are watched for what they leave behind, like all real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.leaks import nothing_left


@pytest_asyncio.fixture(autouse=True)
async def watch_for_leaks() -> AsyncIterator[None]:
    """Fail the test that leaves a task, thread, file or process behind."""
    async with nothing_left():
        yield
