"""Compiles modules: admitted by their sections, compiled in a worker thread, cached on disk.

A :class:`Module` is owned by the engine that made it and lives until :meth:`Module.close`; its
instances keep working after that, as Wasmtime counts references.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final

from actorhost.contracts.declaration import SECTION, Declaration
from actorhost.engine import admission, capi, selftest
from actorhost.engine.cache import ModuleCache
from actorhost.engine.capi import C
from actorhost.engine.config import Profile, new_engine
from actorhost.engine.sections import read_module
from actorhost.engine.sections_model import ModuleInfo
from actorhost.engine.sections_rewrite import defer_start
from actorhost.errors import ModuleRefused
from actorhost.ids import Digest

_HINT: Final = "rebuild the module, or see `actorhost inspect MODULE`"


@dataclass(slots=True)
class Module:
    """A compiled module: `address` of the ``wasmtime_module_t``, and what its sections declare."""

    address: int
    digest: Digest
    profile: Profile
    info: ModuleInfo

    def close(self) -> None:
        """Free the compiled code once no instance uses it; may be called again."""
        if self.address:
            C.wasmtime_module_delete(self.address)
            self.address = 0


def examine(wasm: bytes, *, max_module: int) -> ModuleInfo:
    """Return what the module `wasm` declares, or raise :class:`ModuleRefused`."""
    check_size(len(wasm), max_module=max_module)
    return read_module(wasm)


def declaration_of(wasm: bytes, info: ModuleInfo) -> Declaration | None:
    """Return what the module `wasm` says it needs, serves and calls, None if it says nothing.

    `info` is what :func:`examine` returned. Raises :class:`ModuleRefused` when it cannot be read.
    """
    found = [custom for custom in info.customs if custom.name == SECTION]
    if len(found) > 1:
        raise ModuleRefused(
            f"it has {len(found)} sections {SECTION!r}", hint="write one anew with `actorhost embed`"
        )
    return Declaration.decode(wasm[found[0].offset : found[0].offset + found[0].size]) if found else None


def check_size(size: int, *, max_module: int) -> None:
    """Raise :class:`ModuleRefused` for a module of `size` bytes that is over the limit."""
    if size > max_module:
        raise ModuleRefused(
            f"a module of {size} bytes is over the limit of {max_module}",
            hint="strip debug information, or raise ACTORHOST_MAX_MODULE",
        )


def validate(wasm: bytes) -> None:
    """Raise :class:`ModuleRefused` when the engine finds the code of `wasm` invalid, without compiling it."""
    selftest.enable_faulthandler()
    engine = new_engine(Profile.DENSE)
    try:
        error = C.wasmtime_module_validate(engine, wasm, len(wasm))
    finally:
        C.wasm_engine_delete(engine)
    if error:
        raise ModuleRefused(f"not a valid module: {capi.message_and_free(error)}", hint=_HINT)


def compile_module(
    engine: int, wasm: bytes, info: ModuleInfo, profile: Profile, cache: ModuleCache
) -> Module:
    """Return `wasm` compiled, from the cache if it is there; runs for up to seconds: use a thread.

    Raises :class:`ModuleRefused` when the engine finds the module invalid.
    """
    digest = Digest.of(wasm)
    compiled = cache.load(digest, profile)
    address = _deserialize(engine, compiled) if compiled is not None else None
    if address is None:
        source = wasm if info.start is None else defer_start(wasm, info, admission.DEFERRED_START)
        address = compile_bytes(engine, source)
        cache.store(digest, profile, _serialize(address))
    return Module(address, digest, profile, info)


def compile_bytes(engine: int, wasm: bytes) -> int:
    """Compile `wasm` and return the address of the module."""
    out = capi.pointer()
    error = C.wasmtime_module_new(engine, wasm, len(wasm), ctypes.addressof(out))
    if error:
        raise ModuleRefused(f"not a valid module: {capi.message_and_free(error)}", hint=_HINT)
    return int(out.value)


def _serialize(address: int) -> bytes:
    out = capi.ByteVec()
    error = C.wasmtime_module_serialize(address, ctypes.addressof(out))
    if error:
        raise ModuleRefused(f"cannot keep the module: {capi.message_and_free(error)}", hint=_HINT)
    return capi.take_bytes(out)


def _deserialize(engine: int, compiled: bytes) -> int | None:
    """Return the address of the module, or None when the engine does not take the bytes."""
    out = capi.pointer()
    error = C.wasmtime_module_deserialize(engine, compiled, len(compiled), ctypes.addressof(out))
    if error:
        capi.message_and_free(error)
        return None
    return int(out.value)
