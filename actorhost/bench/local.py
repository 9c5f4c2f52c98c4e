"""``bench local``: asking an actor in the same host, against NATS and against a Pykka actor.

The engine lowers the interpreter's switch interval, which can make Pykka's threads four times slower:
while Pykka is measured the interval is what it was before.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pykka

from actorhost import Client, Host, clock
from actorhost.bench import process
from actorhost.bench.figures import in_turns
from actorhost.examples import example
from actorhost.ids import ActorName
from actorhost.manifest import ActorSpec, Application

_PAYLOAD = b"x" * 64
Ask = Callable[[], Awaitable[object]]


class _Echo(pykka.ThreadingActor):
    """A Pykka actor that answers with what it was sent."""

    def on_receive(self, message: Any) -> Any:
        return message


def echo_application() -> tuple[Application, dict[str, bytes]]:
    """Return an application with one echo actor, and its module."""
    path: Path = example("actors/echo/echo.wasm")
    spec = ActorSpec(name=ActorName("echo"), module=path.name)
    return Application(name=ActorName("bench"), actors=(spec,)), {path.name: path.read_bytes()}


async def run(*, rounds: int, asks: int) -> dict[str, Any]:
    """Return ``vs_nats_speedup`` (NATS / local) and ``vs_pykka_ratio`` (local / Pykka)."""
    interval = sys.getswitchinterval()
    pykka_echo = _Echo.start()
    try:
        async with Host() as host, process.host() as remote, Client(remote.url) as client:
            await host.deploy_modules(*echo_application())

            async def local() -> float:
                return await _median_us(lambda: host.ask("echo", "Echo", _PAYLOAD), asks)

            async def over_nats() -> float:
                return await _median_us(lambda: client.ask("echo", "Echo", _PAYLOAD), asks)

            async def over_pykka() -> float:
                await asyncio.sleep(0)
                with _switch_interval(interval):
                    return _median_pykka_us(pykka_echo, asks)

            nats = await in_turns(rounds, local, over_nats)
            against_pykka = await in_turns(rounds, local, over_pykka)
    finally:
        pykka_echo.stop()
    return {
        "vs_nats_speedup": round(1 / nats.ratio, 2),
        "vs_pykka_ratio": round(against_pykka.ratio, 3),
        "detail": {"local_and_nats_us": nats.detail(), "local_and_pykka_us": against_pykka.detail()},
    }


@contextmanager
def _switch_interval(seconds: float) -> Iterator[None]:
    """Use this switch interval of the interpreter in the block."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


async def _median_us(ask: Ask, asks: int) -> float:
    found = []
    for _ in range(asks):
        started = clock.monotonic_ns()
        await ask()
        found.append((clock.monotonic_ns() - started) / 1e3)
    return statistics.median(found)


def _median_pykka_us(actor: pykka.ActorRef[_Echo], asks: int) -> float:
    found = []
    for _ in range(asks):
        started = clock.monotonic_ns()
        actor.ask(_PAYLOAD)
        found.append((clock.monotonic_ns() - started) / 1e3)
    return statistics.median(found)
