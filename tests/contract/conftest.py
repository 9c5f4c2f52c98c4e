"""Every test here starts real parts, so each is watched for what it leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.http_origin import Origin
from actorhost_providers.http.client import AiohttpClient
from tests.leaks import nothing_left


@pytest_asyncio.fixture(autouse=True)
async def watch_for_leaks() -> AsyncIterator[None]:
    """Fail the test that leaves a task, thread, file or process behind."""
    async with nothing_left():
        yield


@pytest_asyncio.fixture(name="case")
async def http_client() -> AsyncIterator[HttpClientCase]:
    """An HTTP client between two servers that say what they are told to."""
    async with Origin() as origin, Origin() as other:
        client = AiohttpClient({})
        await client.start()
        try:
            yield HttpClientCase(client, origin, other)
        finally:
            await client.stop()
