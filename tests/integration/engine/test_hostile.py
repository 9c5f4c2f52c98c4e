"""Every hostile guest of actors/hostile ends as its first line says, and a healthy one beside it goes on.

Each has its say once in both memory profiles; what a thousand of them leave behind is the soak's job.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from actorhost import clock
from actorhost.engine import Engine, HostCall, Module
from actorhost.errors import ActorhostError, Denied, ModuleRefused
from actorhost.limits import MIB
from tests.integration.engine.conftest import Make, call
from tests.wat import ECHO, guest, wasm

HOSTILE = Path(__file__).resolve().parents[3] / "actors" / "hostile"
GUESTS = sorted(path.stem for path in HOSTILE.glob("*.wat"))
DEADLINE = 0.1
DEPTH = 5


def source(name: str) -> str:
    """Return a guest's WAT."""
    return (HOSTILE / f"{name}.wat").read_text()


def expected(name: str) -> str:
    """Return what the first line of a guest says: `reply`, `refused`, or a fault code."""
    first = source(name).splitlines()[0]
    assert first.startswith(";; expect: "), first
    return first.removeprefix(";; expect: ")


@dataclass(frozen=True)
class Trial:
    """One hostile module, and a host that gives it an echo and a way to call itself."""

    engine: Engine
    module: Module
    memory: int
    timeout: float = DEADLINE

    async def end(self, depth: int = 0) -> str:
        """Deliver two messages to a new instance; return the first fault, or `reply`."""
        options = replace(
            self.engine.options(), memory=self.memory, start_timeout=self.timeout, host_call=self._host(depth)
        )
        try:
            instance = await self.engine.instantiate(self.module, options)
        except ActorhostError as error:
            return f"{error.code} at start"
        ended = "reply"
        try:
            for _ in range(2):
                await call(instance, "Go", b"payload", timeout=self.timeout, host=self._host(depth))
        except ActorhostError as error:
            ended = error.code
        assert instance.alive == (ended in {"reply", "actor_error"})
        instance.close()
        return ended

    def _host(self, depth: int) -> HostCall:
        async def serve(_binding: str, namespace: str, _operation: str, payload: bytes) -> bytes:
            if namespace == "echo":
                return payload
            if namespace != "self" or depth == DEPTH:
                raise Denied(f"no link to {namespace}, {depth} calls deep")
            return (await self.end(depth + 1)).encode()

        return serve


@pytest.mark.alone
@pytest.mark.parametrize("memory", [4 * MIB, 16 * MIB], ids=["dense", "roomy"])
@pytest.mark.parametrize("name", GUESTS)
async def test_a_hostile_guest_ends_as_its_source_says(
    engine: Engine, make: Make, name: str, memory: int
) -> None:
    healthy = await make(guest(ECHO))
    try:
        module = await engine.compile(wasm(source(name)), memory=memory)
    except ModuleRefused:
        assert expected(name) == "refused"
        return
    started = clock.monotonic()
    ended, served = await asyncio.gather(
        Trial(engine, module, memory).end(), call(healthy, "Echo", b"still here", timeout=DEADLINE)
    )
    assert ended == expected(name)
    assert clock.monotonic() - started < 1
    assert served == await call(healthy, "Echo", b"still here") == b"still here"


def test_the_readme_lists_every_guest_with_what_it_ends_as() -> None:
    rows = [line.split(" | ") for line in (HOSTILE / "README.md").read_text().splitlines() if "(" in line]
    listed = {row[0]: row[-1].removesuffix(" |") for row in rows if row[0].startswith("| [")}
    assert listed == {f"| [{name}]({name}.wat)": expected(name) for name in GUESTS}


@pytest.mark.parametrize("size", range(0, 200, 7))
async def test_the_beginning_of_a_module_is_refused(engine: Engine, size: int) -> None:
    whole = guest(ECHO)
    with pytest.raises(ModuleRefused):
        await engine.compile(whole[:size])


async def test_text_is_refused_as_a_module(engine: Engine) -> None:
    with pytest.raises(ModuleRefused):
        await engine.compile(source("loop").encode())
