"""A slot: the place of one instance of an actor, which it fills, refills and empties by policy.

``reuse`` keeps one sandbox for many messages and replaces it after a trap, a deadline or a broken
rule. ``per-call`` makes a fresh sandbox for every message. Owned by a runner; closed with it.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from actorhost.engine import Engine, HostCall, Instance, InstanceOptions, Module
from actorhost.manifest import InstancePolicy


class Slot:
    """Delivers messages to an instance of `module`, one at a time."""

    __slots__ = ("_engine", "_instance", "_keeps", "_module", "_options", "made")

    def __init__(
        self, engine: Engine, module: Module, options: InstanceOptions, policy: InstancePolicy
    ) -> None:
        self._engine = engine
        self._module = module
        self._options = options
        self._keeps = policy is InstancePolicy.REUSE
        self._instance: Instance | None = None
        self.made = 0

    @property
    def memory(self) -> int:
        """Bytes of linear memory that the instance has now, 0 without one."""
        instance = self._instance
        return instance.memory if instance is not None and instance.alive else 0

    @property
    def lost(self) -> bool:
        """Whether the instance that should be alive is not: it ended, or could not be made."""
        return self._keeps and (self._instance is None or not self._instance.alive)

    async def fill(self) -> Instance:
        """Return the live instance, making one when there is none; raises what its start ends with."""
        instance = self._instance
        if instance is None or not instance.alive:
            instance = self._instance = await self._engine.instantiate(self._module, self._options)
            self.made += 1
        return instance

    def call(
        self, operation: str, payload: bytes, deadline: float, host_call: HostCall, *, fresh: bool
    ) -> Coroutine[Any, Any, bytes]:
        """Deliver one message, a `fresh` one to a sandbox of its own.

        Returns and raises as :meth:`Instance.call` does.
        """
        if fresh:
            return self._call_once(operation, payload, deadline, host_call)
        instance = self._instance
        if instance is not None and instance.alive and self._keeps:
            return instance.call(operation, payload, deadline=deadline, host_call=host_call)
        return self._call_fresh(operation, payload, deadline, host_call)

    async def _call_once(self, operation: str, payload: bytes, deadline: float, host_call: HostCall) -> bytes:
        instance = await self._engine.instantiate(self._module, self._options)
        self.made += 1
        try:
            return await instance.call(operation, payload, deadline=deadline, host_call=host_call)
        finally:
            instance.close()

    async def _call_fresh(
        self, operation: str, payload: bytes, deadline: float, host_call: HostCall
    ) -> bytes:
        instance = await self.fill()
        try:
            return await instance.call(operation, payload, deadline=deadline, host_call=host_call)
        finally:
            if not self._keeps:
                self.close()

    def close(self) -> None:
        """End the instance, if there is one."""
        if self._instance is not None:
            self._instance.close()
            self._instance = None
