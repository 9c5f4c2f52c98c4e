"""Which modules this host will run: checked against the declared sections before compilation.

Deny by default: every import must be a function this host gives, with the right signature. All
findings of a module are collected, so that its author sees them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from actorhost.engine import trampoline, wasi
from actorhost.engine.sections_model import V128, Export, ExternKind, FuncType, Import, MemoryType, ModuleInfo
from actorhost.errors import ModuleRefused
from actorhost.limits import PAGE

GUEST_CALL: Final = "__guest_call"
DEFERRED_START: Final = "__actorhost_start"
"""Export under which a module's start function is deferred until its imports are linked."""

STARTS: Final = (DEFERRED_START, "_start", "_initialize", "wapc_init")
"""Functions called once, in this order, before the first message."""

_GUEST_CALL_TYPE: Final = "(i32, i32) -> (i32)"
_NOTHING_TYPE: Final = "() -> ()"


def admit(info: ModuleInfo, *, memory: int, table_elements: int) -> None:
    """Raise :class:`ModuleRefused` with every reason why `info` cannot run within the limits.

    `memory` is in bytes, `table_elements` in elements.
    """
    findings = [*_imports(info), *_exports(info), *_sizes(info, memory, table_elements)]
    if findings:
        listed = "; ".join(findings)
        raise ModuleRefused(f"the module cannot run here: {listed}", hint=_hint(findings))


def needs_wasi(info: ModuleInfo) -> bool:
    """Tell whether the module imports WASI."""
    return any(item.module in wasi.MODULE_NAMES for item in info.imports)


def _hint(findings: list[str]) -> str:
    if any("import" in finding for finding in findings):
        return "build it as a waPC guest; `actorhost inspect MODULE` shows all it imports and exports"
    return "`actorhost inspect MODULE` shows what it declares"


def _known(item: Import) -> trampoline.Signature | None:
    if item.module in trampoline.WAPC_MODULE_NAMES:
        return trampoline.WAPC.get(item.name)
    if item.module in wasi.MODULE_NAMES:
        return wasi.SIGNATURES.get(item.name)
    return None


def _imports(info: ModuleInfo) -> Iterator[str]:
    for item in info.imports:
        name = f"{item.module}.{item.name}"
        known = _known(item)
        if known is None:
            yield f"import {name} ({item.kind}) is not one this host gives"
        elif not isinstance(item.type, FuncType):
            yield f"import {name} must be a function, not a {item.kind}"
        elif (item.type.params, item.type.results) != known:
            params, results = known
            yield f"import {name} is {item.type}, and must be ({', '.join(params)}) -> ({', '.join(results)})"


def _exports(info: ModuleInfo) -> Iterator[str]:
    exports = {item.name: item for item in info.exports}
    yield from _function(exports.get(GUEST_CALL), GUEST_CALL, _GUEST_CALL_TYPE, required=True)
    for name in STARTS[1:]:
        yield from _function(exports.get(name), name, _NOTHING_TYPE, required=False)
    if DEFERRED_START in exports:
        yield f"export {DEFERRED_START} is a name this host keeps for itself"
    memory = exports.get("memory")
    if memory is None:
        yield "it exports no memory under the name 'memory'"
    elif memory.kind is not ExternKind.MEMORY:
        yield f"export memory is a {memory.kind}, and must be a memory"
    functions: list[Import | Export] = [*info.imports, *info.exports]
    for item in functions:
        if isinstance(item.type, FuncType) and V128 in (*item.type.params, *item.type.results):
            yield f"{item.name} has v128 in its signature, which only code inside a module may use"


def _function(item: Export | None, name: str, signature: str, *, required: bool) -> Iterator[str]:
    if item is None:
        if required:
            yield f"it exports no function {name}"
    elif item.kind is not ExternKind.FUNC or str(item.type) != signature:
        found = "" if item.kind is ExternKind.FUNC else f"a {item.kind} "
        yield f"export {name} is {found}{item.type}, and must be a function {signature}"


def _sizes(info: ModuleInfo, memory: int, table_elements: int) -> Iterator[str]:
    if len(info.memories) > 1:
        yield f"it has {len(info.memories)} memories, and may have one"
    for item in info.memories:
        yield from _memory(item, memory)
    for table in info.tables:
        if table.minimum > table_elements:
            yield f"a table of {table.minimum} elements is over the limit of {table_elements}"


def _memory(item: MemoryType, limit: int) -> Iterator[str]:
    if item.is64 or item.shared or item.page_size_log2 != PAGE.bit_length() - 1:
        yield "its memory must be 32-bit, not shared, with pages of 64 KiB"
    elif item.minimum * PAGE > limit:
        yield f"it starts with {item.minimum * PAGE} bytes of memory, and the limit is {limit}"
