"""Messages leave nothing to the garbage collector, however they end: in a host it runs rarely."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import pytest

from actorhost import Client, Host
from actorhost.errors import ActorhostError
from tests.integration.host.conftest import actor, application
from tests.wat import ECHO, TRAP, guest


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["echo", "trap", "full", "nobody"])
async def test_calls_leave_no_cycles(nats_host: Host, client: Client, name: str) -> None:
    specs = [actor("echo"), actor("trap"), actor("full", mailbox_bytes=300)]
    modules = {"echo": guest(ECHO), "trap": guest(TRAP), "full": guest(ECHO)}
    await nats_host.deploy_modules(application(*specs), modules)
    for ask in (nats_host.ask, client.ask):
        found = 0
        # What is made once is not counted.
        for count in (1, 40):
            with no_collection():
                for _ in range(count):
                    with contextlib.suppress(ActorhostError):
                        await ask(name, "Op", b"x" * 100)
                found = gc.collect()
        assert found < 160, "a call that leaves a circle leaves eleven objects; others may leave some, too"
