"""Builds and frees a sandbox: one store with a guest, its trampolines and its shims, linked.

Owned by one :class:`~actorhost.engine.instance.Instance`. No guest code runs while it is built:
a module's start function is deferred, and called by the instance like any other export.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Final

from actorhost.engine import admission, capi, trampoline, wasi
from actorhost.engine.capi import C
from actorhost.engine.mailbox import Mailbox
from actorhost.engine.modules import Module
from actorhost.engine.runtime import Runtime
from actorhost.errors import ActorhostError, GuestTrapped, Unavailable

_MEMORIES: Final = 2  # the guest's and the mailbox
_INSTANCES: Final = 5  # guest, two trampolines, two shims
_TABLES: Final = 16
_OLD_POLL: Final = ("wasi_unstable", "poll_oneoff")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """Bytes of linear memory, elements of a table, bytes of one message or reply."""

    memory: int
    table_elements: int
    max_message: int


class Sandbox:
    """The linked instances of one guest; addresses stay valid until :meth:`close`."""

    __slots__ = ("_guest", "_memory", "context", "guest_call", "limits", "mailbox", "starts", "store")

    def __init__(self, runtime: Runtime, module: Module, limits: SandboxLimits) -> None:
        self.limits = limits
        self.store = int(C.wasmtime_store_new(runtime.address, None, None))
        self.context = int(C.wasmtime_store_context(self.store))
        try:
            self._link(runtime, module)
        except ActorhostError:
            self.close()
            raise

    def close(self) -> None:
        """Free the store and all in it; may be called again."""
        if self.store:
            C.wasmtime_store_delete(self.store)
            self.store = 0

    def memory_size(self) -> int:
        """Return the bytes of linear memory the guest has now."""
        return int(C.wasmtime_memory_data_size(self.context, ctypes.addressof(self._memory)))

    def _link(self, runtime: Runtime, module: Module) -> None:
        limits = self.limits
        C.wasmtime_store_limiter(
            self.store, limits.memory, limits.table_elements, _INSTANCES, _TABLES, _MEMORIES
        )
        C.wasmtime_context_set_epoch_deadline(self.context, 1)
        C.wasmtime_context_epoch_deadline_async_yield_and_update(self.context, 1)
        linker = int(C.wasmtime_linker_clone(runtime.linker))
        try:
            self._instantiate(runtime, module, linker)
        finally:
            C.wasmtime_linker_delete(linker)

    def _instantiate(self, runtime: Runtime, module: Module, linker: int) -> None:
        wapc = self._prelinked(runtime.trampoline("wapc-trampoline"))
        uses_wasi = admission.needs_wasi(module.info)
        bridge = self._prelinked(runtime.trampoline("wasi-trampoline")) if uses_wasi else None
        # A module may import the same function more than once; a linker takes each name once.
        for space, name in dict.fromkeys((item.module, item.name) for item in module.info.imports):
            source = wapc if space in trampoline.WAPC_MODULE_NAMES else bridge
            exported = wasi.OLD_POLL if (space, name) == _OLD_POLL else name
            self._define(linker, space, name, self._export(source, exported))
        guest = self._linked(linker, module.address)
        self._guest = guest
        memory = self._export(guest, "memory")
        self._define(linker, "guest", "memory", memory)
        self._define(linker, "trampoline", "table", self._export(wapc, "table"))
        shim = self._linked(linker, runtime.module("wapc"))
        if bridge is not None:
            self._define(linker, "wasi-trampoline", "table", self._export(bridge, "table"))
            for name in ("mailbox", "ask", "reserve"):
                self._define(linker, "shim", name, self._export(shim, name))
            self._linked(linker, runtime.module("wasi"))
        self._memory = memory.of.memory
        self.mailbox = Mailbox(self.context, self._export(shim, "mailbox").of.memory, self.limits.max_message)
        self.guest_call = self._export(guest, admission.GUEST_CALL).of.func
        found = ((name, self._find(guest, name)) for name in admission.STARTS)
        self.starts = tuple((name, item.of.func) for name, item in found if item is not None)

    def _prelinked(self, address: int) -> Any:
        return self._finish(C.wasmtime_instance_pre_instantiate_async, address, self.context)

    def _linked(self, linker: int, module: int) -> Any:
        return self._finish(C.wasmtime_linker_instantiate_async, linker, self.context, module)

    def _finish(self, begin: Any, *arguments: int) -> Any:
        """Instantiate by `begin`; it never waits, as no guest code runs in it."""
        instance, trap, error = capi.Instance(), capi.pointer(), capi.pointer()
        future = begin(
            *arguments, ctypes.addressof(instance), ctypes.addressof(trap), ctypes.addressof(error)
        )
        while not capi.poll_briefly(future):
            pass
        C.wasmtime_call_future_delete(future)
        if trap.value:
            raise GuestTrapped(f"the guest cannot start: {capi.trap_and_free(trap.value)[1]}")
        if error.value:
            text = capi.message_and_free(error.value)
            hint = "see `actorhost bench density` for limits"
            raise Unavailable(f"cannot make a sandbox: {text}", hint=hint)
        return instance

    def _find(self, instance: Any, name: str) -> Any:
        item, encoded = capi.Extern(), name.encode()
        found = C.wasmtime_instance_export_get(
            self.context, ctypes.addressof(instance), encoded, len(encoded), ctypes.addressof(item)
        )
        return item if found else None

    def _export(self, instance: Any, name: str) -> Any:
        item = self._find(instance, name)
        if item is None:
            raise Unavailable(f"export {name} vanished between compilation and instantiation")
        return item

    def _define(self, linker: int, space: str, name: str, item: Any) -> None:
        first, second = space.encode(), name.encode()
        error = C.wasmtime_linker_define(
            linker, self.context, first, len(first), second, len(second), ctypes.addressof(item)
        )
        if error:
            raise Unavailable(f"cannot link {space}.{name}: {capi.message_and_free(error)}")
