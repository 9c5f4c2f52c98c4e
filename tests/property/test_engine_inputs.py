"""Any module and any pointers a guest makes up give a value or our own error, and the engine goes on."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost import clock
from actorhost.engine import Engine, Instance
from actorhost.errors import ActorhostError, ModuleRefused
from tests.wat import ECHO, guest

IMPORTS = {
    "$request": 2,
    "$respond": 2,
    "$fail": 2,
    "$log": 2,
    "$reply": 1,
    "$error": 1,
    "$call": 8,
}
_ARGUMENTS = 8
_MESSAGE = 1024


def _caller() -> bytes:
    """Return a guest that calls the import numbered by its message with the arguments that follow."""
    calls = []
    for number, (name, count) in enumerate(IMPORTS.items()):
        loads = " ".join(f"(i32.load (i32.const {_MESSAGE + 4 + 4 * n}))" for n in range(count))
        call = f"(call {name} {loads})"
        if name == "$call":
            call = f"(drop {call}) (call $reply (i32.const 30000))"
        calls.append(f"(if (i32.eq (i32.load (i32.const {_MESSAGE})) (i32.const {number})) (then {call}))")
    body = "\n".join([f"(call $request (i32.const 0) (i32.const {_MESSAGE}))", *calls])
    return guest(f"{body} (call $respond (i32.const 0) (i32.const 4)) (i32.const 1)")


class Running:
    """An engine on a loop of its own, with a healthy guest to ask after every example."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.engine = Engine()
        self.run(self.engine.__aenter__)
        self.caller = self.run(self.engine.compile, _caller())
        self._healthy = self.make(guest(ECHO))

    def run(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Run a coroutine function to its end."""

        async def work() -> Any:
            return await function(*arguments)

        return self._runner.run(work())

    def make(self, wasm: bytes) -> Instance:
        """Return an instance of a module."""
        module = self.run(self.engine.compile, wasm)
        made: Instance = self.run(self.engine.instantiate, module, self.engine.options())
        return made

    def still_serves(self) -> bool:
        """Tell whether the healthy guest answers."""
        return bool(self.run(deliver, self._healthy, b"still here") == b"still here")


async def deliver(instance: Instance, payload: bytes) -> bytes:
    """Deliver one message; capability calls are answered with their payload."""

    async def echo(_binding: str, _namespace: str, _operation: str, sent: bytes) -> bytes:
        return sent

    return await instance.call("Op", payload, deadline=clock.monotonic() + 5, host_call=echo)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with asyncio.Runner() as runner:
        opened = Running(runner)
        yield opened
        opened.run(opened.engine.__aexit__, None, None, None)


# Small numbers reach real memory; the rest is beyond it, at its edges or wraps around.
pointers = st.one_of(
    st.integers(0, 70_000),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1, 65_535, 65_536, 786_432, 2**31 - 1, 2**31, 2**32 - 1]),
)


@given(st.integers(0, len(IMPORTS) - 1), st.lists(pointers, min_size=_ARGUMENTS, max_size=_ARGUMENTS))
def test_any_pointers_end_in_a_reply_or_a_fault(running: Running, number: int, arguments: list[int]) -> None:
    instance = running.run(running.engine.instantiate, running.caller, running.engine.options())
    payload = struct.pack(f"<{1 + _ARGUMENTS}I", number, *arguments)
    try:
        assert isinstance(running.run(deliver, instance, payload), bytes)
    except ActorhostError as error:
        assert str(error)  # noqa: PT017 - which one depends on the numbers
    instance.close()
    assert running.still_serves()


@given(st.data())
def test_any_damaged_module_is_compiled_or_refused(running: Running, data: st.DataObject) -> None:
    module = bytearray(_source())
    for _ in range(data.draw(st.integers(1, 4))):
        module[data.draw(st.integers(0, len(module) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(module[: data.draw(st.integers(0, len(module)))] if data.draw(st.booleans()) else module)
    try:
        compiled = running.run(running.engine.compile, damaged)
    except ModuleRefused as error:
        assert error.message  # noqa: PT017
    else:
        running.engine.forget(compiled)
    assert running.still_serves()


def _source() -> bytes:
    """Return the module that is damaged."""
    return guest(ECHO, '(data (i32.const 8) "some data") (table 2 funcref)')
