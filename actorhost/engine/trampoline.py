"""Trampolines: modules that stand in for the host's functions until the guest's memory exists.

A guest imports functions, but the shim that implements them needs the guest's memory, which exists
only once the guest is instantiated. So a trampoline exports the functions first and calls through
a table, which the shim fills afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Signature = tuple[tuple[str, ...], tuple[str, ...]]
"""Parameters and results, as the names of core value types."""


def _i32(parameters: int, results: int = 0) -> Signature:
    return ("i32",) * parameters, ("i32",) * results


WAPC: Final[dict[str, Signature]] = {
    "__guest_request": _i32(2),
    "__guest_response": _i32(2),
    "__guest_error": _i32(2),
    "__console_log": _i32(2),
    "__host_response": _i32(1),
    "__host_response_len": _i32(0, 1),
    "__host_error": _i32(1),
    "__host_error_len": _i32(0, 1),
    "__host_call": _i32(8, 1),
}
"""The nine imports of waPC, in the order of the table of wat/wapc.wat."""

WAPC_MODULE_NAMES: Final = frozenset({"wapc", "wasmbus"})


def wat_signature(signature: Signature) -> str:
    """Return `signature` in WAT."""
    params, results = signature
    return " ".join([*(f"(param {kind})" for kind in params), *(f"(result {kind})" for kind in results)])


def source(functions: Mapping[str, Signature]) -> str:
    """Return the WAT of a trampoline for `functions`, whose table slots are in their order."""
    lines = [f'(module $actorhost (table (export "table") {len(functions)} funcref)']
    for slot, (name, signature) in enumerate(functions.items()):
        gets = " ".join(f"(local.get {n})" for n in range(len(signature[0])))
        kind = wat_signature(signature)
        lines.append(f'(func (export "{name}") {kind} (call_indirect {kind} {gets} (i32.const {slot})))')
    return "\n".join([*lines, ")"])
