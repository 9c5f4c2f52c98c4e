"""``bench engine``: one message through our engine against Wasmtime's public Python API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actorhost import clock
from actorhost.bench.figures import Rounds, in_turns
from actorhost.bench.public_api import PublicGuest
from actorhost.engine import Engine, Instance
from actorhost.examples import example

_MESSAGE = b"x" * 64
_FAR = 3600.0


async def run(*, rounds: int, messages: int) -> dict[str, Any]:
    """Return ``message_ratio`` and ``capability_ratio``, and microseconds for each side."""
    path = example("actors/echo/echo.wasm")
    baseline = PublicGuest(path)
    async with Engine() as engine:
        instance = await engine.instantiate(await engine.compile(path.read_bytes()), engine.options())
        plain = await _compare(instance, baseline, "Echo", rounds, messages)
        capability = await _compare(instance, baseline, "Call", rounds, messages)
    return {
        "message_ratio": round(plain.ratio, 3),
        "capability_ratio": round(capability.ratio, 3),
        "detail": {"message_us": plain.detail(), "capability_us": capability.detail(), "messages": messages},
    }


async def _compare(
    instance: Instance, baseline: PublicGuest, operation: str, rounds: int, messages: int
) -> Rounds:
    async def ours() -> float:
        deadline = clock.monotonic() + _FAR
        started = clock.monotonic_ns()
        for _ in range(messages):
            await instance.call(operation, _MESSAGE, deadline=deadline, host_call=_echo)
        return (clock.monotonic_ns() - started) / messages / 1e3

    async def theirs() -> float:
        return _time(baseline.call, operation.encode(), messages)

    return await in_turns(rounds, ours, theirs)


def _time(call: Callable[[bytes, bytes], bytes], operation: bytes, messages: int) -> float:
    started = clock.monotonic_ns()
    for _ in range(messages):
        call(operation, _MESSAGE)
    return (clock.monotonic_ns() - started) / messages / 1e3


async def _echo(_binding: str, _namespace: str, _operation: str, payload: bytes) -> bytes:
    return payload
