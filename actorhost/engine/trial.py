"""A guest that parks, recurses and traps, run in a process of its own to see whether it survives.

``python -m actorhost.engine.trial`` exits with 0 when this interpreter runs guests safely; what
happens otherwise is up to the interpreter, which is why :mod:`selftest` starts it as a child.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from wasmtime import wat2wasm

from actorhost import clock
from actorhost.engine.engine import Engine
from actorhost.engine.selftest import OPENED_UNTRIED
from actorhost.errors import GuestTrapped

_TIMEOUT: Final = 10.0
_GUEST: Final = """(module
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $deep (param $left i32)
    (if (local.get $left)
      (then (call $deep (i32.sub (local.get $left) (i32.const 1))))
      (else (drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))))
  (func (export "__guest_call") (param i32 i32) (result i32)
    (call $deep (i32.const 5000))
    unreachable))"""


async def _answer(_binding: str, _namespace: str, _operation: str, payload: bytes) -> bytes:
    await asyncio.sleep(0)
    return payload


async def main() -> int:
    """Run the guest; return 0 when it parked deep in its stack, went on and trapped as it should."""
    async with Engine() as engine:
        module = await engine.compile(bytes(wat2wasm(_GUEST)))
        instance = await engine.instantiate(module, engine.options())
        deadline = clock.monotonic() + _TIMEOUT
        try:
            await instance.call("try", b"", deadline=deadline, host_call=_answer)
        except GuestTrapped:
            return 0
    return 1


if __name__ == "__main__":
    OPENED_UNTRIED.append(True)
    sys.exit(asyncio.run(main()))
