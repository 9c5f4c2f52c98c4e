"""A profile's Wasmtime engine with the compiled shims and the linker every sandbox starts from.

Made by the engine on first use of a profile and closed with it.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.resources import files
from typing import Final

from wasmtime import wat2wasm

from actorhost.engine import capi, trampoline, wasi
from actorhost.engine.cache import ModuleCache
from actorhost.engine.capi import C
from actorhost.engine.config import Profile, new_engine
from actorhost.engine.modules import compile_module
from actorhost.engine.sections import read_module
from actorhost.engine.suspension import Suspension
from actorhost.errors import EngineUnavailable

_WAT: Final = files("actorhost.engine") / "wat"


@cache
def _sources() -> dict[str, bytes]:
    """Return the host's own modules, by name, as Wasm."""
    texts = {
        "wapc-trampoline": trampoline.source(trampoline.WAPC),
        "wapc": (_WAT / "wapc.wat").read_text(encoding="utf-8"),
        "wasi-trampoline": trampoline.source(wasi.SIGNATURES),
        "wasi": wasi.shim_source((_WAT / "wasi.wat").read_text(encoding="utf-8")),
    }
    return {name: bytes(wat2wasm(text)) for name, text in texts.items()}


class Runtime:
    """One engine: `address`, the compiled shims, and pre-linked trampolines."""

    def __init__(self, profile: Profile, suspension: Suspension) -> None:
        self.profile = profile
        self.address = new_engine(profile)
        self.linker = int(C.wasmtime_linker_new(self.address))
        suspension.define(self.linker)
        self._modules: dict[str, int] = {}
        self._trampolines: dict[str, int] = {}

    def compile_shims(self, cache: ModuleCache) -> None:
        """Compile the host's own modules; takes milliseconds, so call it in a worker thread."""
        for name, wasm in _sources().items():
            self._modules[name] = self._compile(wasm, cache)
        for name in ("wapc-trampoline", "wasi-trampoline"):
            self._trampolines[name] = self._prelink(self._modules[name])

    def module(self, name: str) -> int:
        """Return the address of shim `name`."""
        return self._modules[name]

    def trampoline(self, name: str) -> int:
        """Return the address of the pre-linked trampoline `name`."""
        return self._trampolines[name]

    def close(self) -> None:
        """Free everything; no sandbox of this runtime may be alive."""
        for address in self._trampolines.values():
            C.wasmtime_instance_pre_delete(address)
        for address in self._modules.values():
            C.wasmtime_module_delete(address)
        self._trampolines.clear()
        self._modules.clear()
        C.wasmtime_linker_delete(self.linker)
        C.wasm_engine_delete(self.address)

    def _compile(self, wasm: bytes, cache: ModuleCache) -> int:
        return compile_module(self.address, wasm, read_module(wasm), self.profile, cache).address

    def _prelink(self, module: int) -> int:
        out = capi.pointer()
        error = C.wasmtime_linker_instantiate_pre(self.linker, module, ctypes.addressof(out))
        if error:
            raise EngineUnavailable(f"cannot link a trampoline: {capi.message_and_free(error)}")
        return int(out.value)
