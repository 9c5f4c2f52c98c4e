"""Providers under test in each place they can run in: here, or in a process of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from actorhost.contracts.provider import Provider
from actorhost.limits import Limits
from actorhost.manifest import Place
from actorhost.testing import own_process
from actorhost.transport import NatsServer

PLACES: Final = (Place.HOST, Place.PROCESS)
"""Where the rules of a contract are put to its backends."""

P = TypeVar("P", bound=Provider)


@asynccontextmanager
async def started(provider: P) -> AsyncIterator[P]:
    """Start and stop `provider` as a host does."""
    try:
        await provider.start()
        yield provider
    finally:
        await provider.stop()


@asynccontextmanager
async def placed(provider: P, place: Place, folder: Path) -> AsyncIterator[P]:
    """Start and stop `provider` in `place`, or what calls one like it there; a server keeps to `folder`."""
    async with AsyncExitStack() as stack:
        if place is Place.HOST:
            yield await stack.enter_async_context(started(provider))
            return
        server = await stack.enter_async_context(NatsServer(folder / "calls", limits=Limits()))
        yield await stack.enter_async_context(own_process(provider, server.url))
