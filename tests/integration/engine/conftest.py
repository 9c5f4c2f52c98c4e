"""An open engine, and a way to call a guest in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from actorhost import clock
from actorhost.engine import Engine, HostCall, Instance
from actorhost.engine.instance import refuse_calls

Make = Callable[..., Awaitable[Instance]]
Call = Callable[..., Awaitable[bytes]]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine without a cache."""
    async with Engine() as opened:
        yield opened


@pytest.fixture
def make(engine: Engine) -> Make:
    """Make started instances of a module, with options such as ``memory`` or ``log``."""

    async def started(wasm: bytes, **options: Any) -> Instance:
        chosen = replace(engine.options(), **options)
        return await engine.instantiate(await engine.compile(wasm, memory=chosen.memory), chosen)

    return started


async def call(
    instance: Instance,
    operation: str = "Op",
    payload: bytes = b"",
    *,
    timeout: float = 5,
    host: HostCall = refuse_calls,
) -> bytes:
    """Deliver one message."""
    return await instance.call(operation, payload, deadline=clock.monotonic() + timeout, host_call=host)
