"""The engine port: compile modules, make instances of them, account for all of it.

One engine belongs to one event loop and its thread: ``async with Engine(...)``. Leaving the block
closes every instance and module that is left. While it is open the interpreter's switch interval is
lowered, so that a busy Python thread beside the loop delays a guest by little.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from actorhost import clock
from actorhost.engine import admission, selftest
from actorhost.engine.cache import ModuleCache
from actorhost.engine.config import Profile
from actorhost.engine.frame import Frames
from actorhost.engine.headroom import Headroom
from actorhost.engine.instance import Instance, InstanceOptions
from actorhost.engine.modules import Module, compile_module, examine
from actorhost.engine.runqueue import RunQueue
from actorhost.engine.runtime import Runtime
from actorhost.engine.sandbox import Sandbox, SandboxLimits
from actorhost.engine.suspension import Suspension
from actorhost.engine.ticker import EpochTicker
from actorhost.errors import ActorhostError, Closed
from actorhost.limits import Limits

_SWITCH_INTERVAL: Final = 0.0002


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """Counts since the engine opened, and what is alive now; ``guest_ns`` is time spent in guests."""

    instances: int
    instances_made: int
    modules: int
    waiting: int
    guest_ns: int
    ticks: int


class Engine:
    """Runs guests on fibers in the event loop's thread.

    `cache` is a directory for compiled modules, None for none.
    """

    def __init__(self, limits: Limits | None = None, *, cache: Path | None = None) -> None:
        self._limits = limits or Limits()
        self._cache = ModuleCache(cache)
        self._suspension = Suspension()
        self._ticker = EpochTicker()
        self._frames = Frames()
        self._runtimes: dict[Profile, Runtime] = {}
        self._instances: dict[Instance, Profile] = {}
        self._headroom = Headroom()
        self._modules: list[Module] = []
        self._made = 0
        self._opened = False
        self._queue: RunQueue | None = None
        self._compiler = ThreadPoolExecutor(1, "actorhost-compile")
        self._switch_interval = 0.0

    async def __aenter__(self) -> Self:
        """Open the engine; raises :class:`EngineUnavailable` where guests cannot run safely."""
        if self._opened:
            raise Closed("an engine opens once", hint="make a new one")
        self._opened = True
        selftest.prepare()
        self._queue = RunQueue(self._ticker, self._suspension, asyncio.get_running_loop())
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(min(_SWITCH_INTERVAL, self._switch_interval))
        self._ticker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all instances and modules."""
        for instance in tuple(self._instances):
            instance.close()
        for module in self._modules:
            module.close()
        self._compiler.shutdown()
        self._ticker.stop()
        for runtime in self._runtimes.values():
            runtime.close()
        sys.setswitchinterval(self._switch_interval)
        self._queue = None

    async def compile(
        self, wasm: bytes, *, memory: int | None = None, profile: Profile | None = None
    ) -> Module:
        """Return `wasm` compiled for instances of at most `memory` bytes, in the profile that fits it.

        Raises :class:`ModuleRefused` with every reason why it cannot run here.
        """
        memory = self._limits.memory if memory is None else memory
        profile = profile or Profile.for_memory(memory)
        loop = asyncio.get_running_loop()
        module = await loop.run_in_executor(self._compiler, self._compile, wasm, memory, profile)
        self._modules.append(module)
        return module

    async def instantiate(self, module: Module, options: InstanceOptions) -> Instance:
        """Return a started instance of `module`.

        Raises what a start function ends with (see :meth:`Instance.call`), or
        :class:`Unavailable` when this process cannot hold another sandbox.
        """
        if self._queue is None:
            raise Closed("the engine is not open", hint="use it in `async with Engine() as engine:`")
        await self._queue.room()
        started = clock.monotonic_ns()
        limits = SandboxLimits(
            memory=options.memory, table_elements=options.table_elements, max_message=options.max_message
        )
        self._headroom.take(module.profile)
        try:
            sandbox = Sandbox(self._runtimes[module.profile], module, limits)
        except ActorhostError:
            self._headroom.give_back(module.profile)
            raise
        instance = Instance(sandbox, options, self._queue, self._frames, self._closed)
        self._instances[instance] = module.profile
        self._made += 1
        self._queue.spent_ns += clock.monotonic_ns() - started
        if sandbox.starts:
            try:
                await instance.start(options)
            except BaseException:
                instance.close()
                raise
        return instance

    def _closed(self, instance: Instance) -> None:
        self._headroom.give_back(self._instances.pop(instance))

    def forget(self, module: Module) -> None:
        """Free a module that is needed no more; its instances live on."""
        module.close()
        self._modules.remove(module)

    def options(self) -> InstanceOptions:
        """Return instance options with this engine's limits."""
        limits = self._limits
        return InstanceOptions(
            memory=limits.memory,
            max_message=limits.max_message,
            table_elements=limits.table_elements,
            start_timeout=limits.start_timeout,
        )

    def statistics(self) -> EngineStatistics:
        """Return the counts now."""
        queue = self._queue
        return EngineStatistics(
            instances=len(self._instances),
            instances_made=self._made,
            modules=len(self._modules),
            waiting=len(queue) if queue is not None else 0,
            guest_ns=queue.total_ns + queue.spent_ns if queue is not None else 0,
            ticks=self._ticker.ticks,
        )

    def _compile(self, wasm: bytes, memory: int, profile: Profile) -> Module:
        """Examine and compile; takes up to seconds, in the one compiling thread."""
        info = examine(wasm, max_module=self._limits.max_module)
        admission.admit(info, memory=memory, table_elements=self._limits.table_elements)
        runtime = self._runtimes.get(profile) or self._open_runtime(profile)
        return compile_module(runtime.address, wasm, info, profile, self._cache)

    def _open_runtime(self, profile: Profile) -> Runtime:
        runtime = Runtime(profile, self._suspension)
        runtime.compile_shims(self._cache)
        self._ticker.watch(runtime.address)
        self._runtimes[profile] = runtime
        return runtime
