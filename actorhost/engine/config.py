"""The one constructor of Wasmtime engines: every setting, its value and its reason.

Two profiles. ``dense`` reserves no address space: many small instances fit in one process, but
``memory.grow`` copies everything each time and cannot be preempted, so its cap is small. ``roomy``
reserves: growing is cheap and loads and stores are 1.65x faster.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from actorhost.engine.capi import C
from actorhost.errors import EngineUnavailable
from actorhost.limits import KIB, MIB

DENSE_MAX_MEMORY: Final = 4 * MIB
"""Largest memory limit, in bytes, of an instance in the dense profile."""

GUEST_STACK: Final = 512 * KIB
"""Bytes of stack a guest may use before its recursion traps."""

FIBER_STACK: Final = GUEST_STACK + 512 * KIB
"""Bytes of a fiber's stack: the guest's part, then room for the one Python callback on it."""

TICK: Final = 0.001
"""Seconds between epoch ticks while guests wait for their turns: a busy one yields this often."""

CALM_TICK: Final = 0.005
"""Seconds between epoch ticks otherwise: the longest a guest runs before it yields for the first time.

Each tick wakes a thread that takes the GIL from the loop's; at 1 ms that costs a sixth of the
throughput of short messages, and nobody is waiting."""


class Profile(StrEnum):
    """How linear memory is laid out."""

    DENSE = "dense"
    ROOMY = "roomy"

    @classmethod
    def for_memory(cls, limit: int) -> Profile:
        """Return the profile for instances of at most `limit` bytes."""
        return cls.DENSE if limit <= DENSE_MAX_MEMORY else cls.ROOMY


def new_engine(profile: Profile) -> int:
    """Return the address of a new ``wasm_engine_t``; raises :class:`EngineUnavailable`."""
    config = C.wasm_config_new()
    C.wasmtime_config_epoch_interruption_set(config, True)
    C.wasmtime_config_wasm_multi_memory_set(config, True)  # the shim has two memories
    C.wasmtime_config_wasm_memory64_set(config, False)
    C.wasmtime_config_wasm_threads_set(config, False)  # one thread runs all guests
    C.wasmtime_config_wasm_gc_set(config, False)
    C.wasmtime_config_gc_support_set(config, False)
    C.wasmtime_config_max_wasm_stack_set(config, GUEST_STACK)
    C.wasmtime_config_async_stack_size_set(config, FIBER_STACK)
    if profile is Profile.DENSE:
        C.wasmtime_config_memory_reservation_set(config, 0)
        C.wasmtime_config_memory_reservation_for_growth_set(config, 0)
        C.wasmtime_config_memory_guard_size_set(config, 0)
        # A copy-on-write image is one more mapping for each instance, and mappings run out first.
        C.wasmtime_config_memory_init_cow_set(config, False)
    engine = C.wasm_engine_new_with_config(config)
    if not engine:
        raise EngineUnavailable("wasmtime refused the engine configuration", hint="check the installed wheel")
    return int(engine)
