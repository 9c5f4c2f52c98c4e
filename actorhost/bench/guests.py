"""Guests made for benchmarks: one that computes as long as it is told, one that traps, one that calls."""

from __future__ import annotations

import statistics
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from actorhost import clock
from actorhost.engine.source import to_wasm

Ask = Callable[[bytes], Awaitable[object]]
"""Sends one payload to the working actor and waits for its answer."""

_WORK: Final = """(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (local $left i32) (local $value i64)
    (call $request (i32.const 0) (i32.const 256))
    (local.set $left (i32.load (i32.const 256)))
    (loop $again
      (local.set $value (i64.add (i64.const 1442695040888963407)
        (i64.mul (local.get $value) (i64.const 6364136223846793005))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $left) (i32.const 0))))
    (i64.store (i32.const 256) (local.get $value))
    (call $respond (i32.const 256) (i32.const 8))
    (i32.const 1)))"""

_TRAP: Final = """(module (memory (export "memory") 1)
  (func (export "__guest_call") (param i32 i32) (result i32) unreachable))"""

_GETS: Final = """(module
  (import "wapc" "__host_call"
    (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $length (result i32)))
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__host_response" (func $reply (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "default")
  (data (i32.const 16) "actorhost:keyvalue")
  (data (i32.const 48) "get")
  (data (i32.const 64) "\\81\\a3key\\a1k")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (local $left i32)
    (local.set $left (i32.const COUNT))
    (loop $again
      (if (i32.ne (i32.const 1) (call $call (i32.const 0) (i32.const 7) (i32.const 16) (i32.const 18)
          (i32.const 48) (i32.const 3) (i32.const 64) (i32.const 7)))
        (then unreachable))
      (if (i32.gt_u (call $length) (i32.const 1024)) (then unreachable))
      (call $reply (i32.const 1024))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $left) (i32.const 0))))
    (call $respond (i32.const 1024) (i32.const 0))
    (i32.const 1)))"""

_FEW: Final = 1
_MANY: Final = 500_000
"""Turns of the loop: the difference between the two is the loop alone, some half a millisecond."""
_ASKS: Final = 25


def working() -> bytes:
    """Return a module whose every operation goes round a loop as often as :func:`work` says."""
    return to_wasm(_WORK.encode(), "work.wat")


def trapping() -> bytes:
    """Return a module that traps on every message."""
    return to_wasm(_TRAP.encode(), "trap.wat")


def getting(count: int) -> bytes:
    """Return a module that gets key ``k`` of its key-value link `count` times on every message."""
    return to_wasm(_GETS.replace("COUNT", str(count)).encode(), "gets.wat")


def work(turns: int) -> bytes:
    """Return the payload that makes the working guest go round its loop `turns` times."""
    return struct.pack("<i", turns)


async def turns_for(microseconds: float, ask: Ask) -> int:
    """Return the turns of the loop that take that long where `ask` leads to, now."""
    few, many = [], []
    for _ in range(_ASKS):
        few.append(await _took(ask, _FEW))
        many.append(await _took(ask, _MANY))
    each = (statistics.median(many) - statistics.median(few)) / (_MANY - _FEW)
    return max(1, round(microseconds / each))


async def _took(ask: Ask, turns: int) -> float:
    started = clock.monotonic_ns()
    await ask(work(turns))
    return (clock.monotonic_ns() - started) / 1e3
