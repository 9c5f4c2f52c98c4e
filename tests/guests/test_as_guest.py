"""A guest on the npm package @wapc/as-guest runs unmodified: whichever way its start code is called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from actorhost import clock
from actorhost.engine import Engine, Instance
from actorhost.errors import ActorFailed, Denied, GuestTrapped
from actors.build import assemblyscript, build

SOURCE = Path(__file__).with_name("as_guest")
VARIANTS = {
    "start section, collected": ("--runtime", "incremental"),
    "_start, collected on request": ("--runtime", "minimal", "--exportStart", "_start"),
    "_initialize, never collected": ("--runtime", "stub", "--exportStart", "_initialize"),
}


@pytest.fixture(scope="session", params=VARIANTS)
def module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The guest, built with the compiler @wapc/as-guest was made with."""
    recipe = assemblyscript("guest.ts", "--use", "abort=guest/abort", *VARIANTS[request.param])
    built = tmp_path_factory.mktemp("as-guest") / "guest.wasm"
    build(recipe, SOURCE, built)
    return built.read_bytes()


class Guest:
    """One instance, with everything it said to the host."""

    instance: Instance

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, bytes]] = []
        self.lines: list[str] = []

    async def ask(self, operation: str, payload: bytes = b"") -> bytes:
        """Deliver one message."""
        deadline = clock.monotonic() + 5
        return await self.instance.call(operation, payload, deadline=deadline, host_call=self.serve)

    async def serve(self, binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        """Note a capability call; answer the key-value store's and refuse others."""
        self.calls.append((binding, namespace, operation, payload))
        if namespace != "actorhost:keyvalue":
            raise Denied(f"no link to {namespace}")
        return b"value of " + payload


@pytest.fixture
async def guest(module: bytes) -> AsyncIterator[Guest]:
    """A started instance of the guest."""
    made = Guest()
    async with Engine() as engine:
        options = replace(engine.options(), log=lambda _source, text: made.lines.append(text))
        made.instance = await engine.instantiate(await engine.compile(module), options)
        yield made


async def test_it_answers_and_keeps_its_state(guest: Guest) -> None:
    for payload in (b"", b"hello", bytes(range(256)) * 512):
        assert await guest.ask("Echo", payload) == payload
    assert [await guest.ask("Count") for _ in range(3)] == [b"1", b"2", b"3"]


async def test_it_calls_capabilities_and_hears_refusals(guest: Guest) -> None:
    assert await guest.ask("Get", b"k") == b"value of k"
    assert await guest.ask("Try", b"x") == b"refused: denied: no link to nobody"
    assert guest.calls == [
        ("cache", "actorhost:keyvalue", "get", b"k"),
        ("", "nobody", "Anything", b"x"),
    ]


async def test_it_logs(guest: Guest) -> None:
    await guest.ask("Log", "grüße".encode())
    assert guest.lines == ["grüße"]


async def test_its_errors_are_the_callers_and_it_lives_on(guest: Guest) -> None:
    with pytest.raises(ActorFailed, match="in these words"):
        await guest.ask("Fail", b"in these words")
    with pytest.raises(ActorFailed, match='Could not find function "Nope"'):
        await guest.ask("Nope")
    assert await guest.ask("Echo", b"alive") == b"alive"


async def test_its_exceptions_end_it(guest: Guest) -> None:
    with pytest.raises(GuestTrapped):
        await guest.ask("Throw", b"oops")
    assert not guest.instance.alive
