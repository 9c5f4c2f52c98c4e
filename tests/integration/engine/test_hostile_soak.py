"""Hostile guests over and over beside a healthy one: nothing piles up, and the healthy one is served.

20 rounds of every guest in `make test`, 1,000 in `make soak`. Each round is one trial of each guest,
a few at a time; meanwhile a healthy actor is asked every few milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import os

import anyio
import psutil
import pytest

from actorhost import clock
from actorhost.engine import Engine, Instance, Module
from actorhost.errors import ModuleRefused
from actorhost.limits import MIB
from tests.integration.engine.conftest import Make, call
from tests.integration.engine.test_hostile import DEADLINE, GUESTS, Trial, expected, source
from tests.wat import ECHO, guest, wasm

pytestmark = pytest.mark.alone

ROUNDS = 1000 if os.environ.get("ACTORHOST_SOAK") else 20
AT_ONCE = 4
PAUSE = 0.005
LATEST = 0.05
PATIENCE = 30.0


class Healthy:
    """Asks one instance again and again; `latest` is the longest it took, in seconds."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.asked = 0
        self.latest = 0.0

    async def ask_until_cancelled(self) -> None:
        while True:
            started = clock.monotonic()
            assert await call(self._instance, "Echo", b"still here") == b"still here"
            self.latest = max(self.latest, clock.monotonic() - started)
            self.asked += 1
            await asyncio.sleep(PAUSE)


WASM = {name: wasm(source(name)) for name in GUESTS}
REFUSED = [name for name in GUESTS if expected(name) == "refused"]


async def _round(engine: Engine, modules: dict[str, Module], memory: int) -> None:
    for name in REFUSED:
        with pytest.raises(ModuleRefused):
            await engine.compile(WASM[name], memory=memory)
    turns = anyio.Semaphore(AT_ONCE)

    async def one(name: str, module: Module) -> None:
        async with turns:
            # Only those meant to reach their deadline get a short one: the machine is busy here.
            timeout = DEADLINE if expected(name).startswith("deadline") else PATIENCE
            trial = Trial(engine, module, memory, timeout)
            assert (name, await trial.end()) == (name, expected(name))

    async with anyio.create_task_group() as tasks:
        for name, module in modules.items():
            tasks.start_soon(one, name, module)


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize("memory", [4 * MIB, 16 * MIB], ids=["dense", "roomy"])
async def test_round_after_round(engine: Engine, make: Make, memory: int) -> None:
    rounds = ROUNDS // 2  # the two profiles share them
    modules = {
        name: await engine.compile(WASM[name], memory=memory) for name in GUESTS if name not in REFUSED
    }
    healthy = Healthy(await make(guest(ECHO)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(healthy.ask_until_cancelled)
        for _ in range(rounds // 3):
            await _round(engine, modules, memory)
        warm = _resident()
        for _ in range(rounds - rounds // 3):
            await _round(engine, modules, memory)
        tasks.cancel_scope.cancel()
    assert _resident() <= warm * 1.05
    assert engine.statistics().instances == 1
    assert healthy.asked > rounds
    assert healthy.latest <= LATEST
