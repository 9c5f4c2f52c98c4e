"""Wasmtime's C API: the only file that touches the library inside the ``wasmtime`` wheel.

Every function is declared here once, with plain addresses (``c_void_p``) where the wheel's
generated bindings build typed pointers: passing an ``int`` is several times faster. A test compares
this table with the wheel's own declarations, so an upgrade that changes one is noticed.

GIL discipline: ``POLL`` and ``COMPILE`` functions release it (guest code and compilation run, and
the ticker thread must get in); all others are short and keep it (``PyDLL``), because dropping and
retaking it around each would hand the interpreter to any busy thread on every message.

Owned by the process; the library is never unloaded.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint64,
    c_void_p,
)
from typing import Any, Final

from wasmtime import _bindings as wheel

_path: Final[str] = vars(wheel)["dll"]._name  # noqa: SLF001 - the wheel says it nowhere else
_short: Final = ctypes.PyDLL(_path)
_long: Final = ctypes.CDLL(_path)

# Structures whose layout matters are the wheel's own: it is generated from the same headers.
Val: Final = wheel.wasmtime_val_t
Extern: Final = wheel.wasmtime_extern_t
Instance: Final = wheel.wasmtime_instance_t
ByteVec: Final = wheel.wasm_byte_vec_t
ValTypeVec: Final = wheel.wasm_valtype_vec_t
FUNC, MEMORY, TABLE = 0, 3, 2
I32: Final = 0

AsyncCallback: Final = CFUNCTYPE(
    None, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p
)
"""env, caller, arguments, their count, results, their count, trap out, continuation out."""


class Continuation(Structure):
    """What an async host function leaves behind: asked at each poll whether it is ready."""

    _fields_ = (("callback", c_void_p), ("env", c_void_p), ("finalizer", c_void_p))  # type: ignore[mutable-override]


_P, _N = c_void_p, c_size_t
_SHORT: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "wasm_config_new": (_P, ()),
    "wasmtime_config_epoch_interruption_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_multi_memory_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_memory64_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_threads_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_gc_set": (None, (_P, c_bool)),
    "wasmtime_config_gc_support_set": (None, (_P, c_bool)),
    "wasmtime_config_max_wasm_stack_set": (None, (_P, c_size_t)),
    "wasmtime_config_async_stack_size_set": (None, (_P, c_uint64)),
    "wasmtime_config_memory_reservation_set": (None, (_P, c_uint64)),
    "wasmtime_config_memory_guard_size_set": (None, (_P, c_uint64)),
    "wasmtime_config_memory_reservation_for_growth_set": (None, (_P, c_uint64)),
    "wasmtime_config_memory_init_cow_set": (None, (_P, c_bool)),
    "wasm_engine_new_with_config": (_P, (_P,)),
    "wasm_engine_delete": (None, (_P,)),
    "wasmtime_engine_increment_epoch": (None, (_P,)),
    "wasmtime_module_delete": (None, (_P,)),
    "wasm_byte_vec_delete": (None, (_P,)),
    "wasmtime_store_new": (_P, (_P, _P, _P)),
    "wasmtime_store_delete": (None, (_P,)),
    "wasmtime_store_context": (_P, (_P,)),
    "wasmtime_store_limiter": (None, (_P, c_int64, c_int64, c_int64, c_int64, c_int64)),
    "wasmtime_context_set_epoch_deadline": (None, (_P, c_uint64)),
    "wasmtime_context_epoch_deadline_async_yield_and_update": (_P, (_P, c_uint64)),
    "wasmtime_linker_new": (_P, (_P,)),
    "wasmtime_linker_clone": (_P, (_P,)),
    "wasmtime_linker_delete": (None, (_P,)),
    "wasmtime_linker_define": (_P, (_P, _P, c_char_p, _N, c_char_p, _N, _P)),
    "wasmtime_linker_define_async_func": (_P, (_P, c_char_p, _N, c_char_p, _N, _P, AsyncCallback, _P, _P)),
    "wasmtime_linker_instantiate_pre": (_P, (_P, _P, _P)),
    "wasmtime_linker_instantiate_async": (_P, (_P, _P, _P, _P, _P, _P)),
    "wasmtime_instance_pre_instantiate_async": (_P, (_P, _P, _P, _P, _P)),
    "wasmtime_instance_pre_delete": (None, (_P,)),
    "wasmtime_instance_export_get": (c_bool, (_P, _P, c_char_p, _N, _P)),
    "wasmtime_func_call_async": (_P, (_P, _P, _P, _N, _P, _N, _P, _P)),
    "wasmtime_call_future_delete": (None, (_P,)),
    "wasmtime_memory_data": (_P, (_P, _P)),
    "wasmtime_memory_data_size": (c_size_t, (_P, _P)),
    "wasmtime_memory_grow": (_P, (_P, _P, c_uint64, _P)),
    "wasmtime_error_message": (None, (_P, _P)),
    "wasmtime_error_delete": (None, (_P,)),
    "wasm_trap_message": (None, (_P, _P)),
    "wasm_trap_delete": (None, (_P,)),
    "wasmtime_trap_code": (c_bool, (_P, _P)),
    "wasm_functype_new": (_P, (_P, _P)),
    "wasm_functype_delete": (None, (_P,)),
}
_LONG: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "wasmtime_call_future_poll": (c_bool, (_P,)),
    "wasmtime_module_new": (_P, (_P, _P, _N, _P)),
    "wasmtime_module_validate": (_P, (_P, _P, _N)),
    "wasmtime_module_serialize": (_P, (_P, _P)),
    "wasmtime_module_deserialize": (_P, (_P, _P, _N, _P)),
}
DECLARED: Final = _SHORT | _LONG
"""Every function used, with its result and parameter types; compared with the wheel by a test."""


def _bind(library: ctypes.CDLL, name: str, result: Any, parameters: tuple[Any, ...]) -> Any:
    function = library[name]  # indexing makes a fresh object: the wheel's own keeps its types
    function.restype = result
    function.argtypes = parameters
    return function


class _Functions:
    """The declared functions as attributes; an attribute that is not declared does not exist."""

    def __init__(self) -> None:
        for name, (result, parameters) in _SHORT.items():
            setattr(self, name, _bind(_short, name, result, parameters))
        for name, (result, parameters) in _LONG.items():
            setattr(self, name, _bind(_long, name, result, parameters))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} is not declared in the table of C functions")


C: Final = _Functions()

poll_briefly: Final = _bind(_short, "wasmtime_call_future_poll", *_LONG["wasmtime_call_future_poll"])
"""The same poll, keeping the GIL: for instantiation, which runs no guest code. Releasing it there
would give it to a busy thread several times for each sandbox."""


def pointer() -> Any:
    """Return an out parameter for one address."""
    return c_void_p()


def message_and_free(error: int) -> str:
    """Return the text of a ``wasmtime_error_t`` at address `error` and delete it."""
    text = ByteVec()
    C.wasmtime_error_message(error, ctypes.addressof(text))
    C.wasmtime_error_delete(error)
    return _take_text(text)


def trap_and_free(trap: int) -> tuple[int | None, str]:
    """Return code (None when it has none) and text of a ``wasm_trap_t``, and delete it."""
    text, code = ByteVec(), c_uint8()
    has_code = C.wasmtime_trap_code(trap, ctypes.addressof(code))
    C.wasm_trap_message(trap, ctypes.addressof(text))
    C.wasm_trap_delete(trap)
    return (code.value if has_code else None), _take_text(text)


def take_bytes(vector: Any) -> bytes:
    """Copy a byte vector out and delete it."""
    data = ctypes.string_at(vector.data, vector.size) if vector.size else b""
    C.wasm_byte_vec_delete(ctypes.addressof(vector))
    return data


def _take_text(vector: Any) -> str:
    return take_bytes(vector).rstrip(b"\0").decode("utf-8", "replace")


def no_parameters_type() -> int:
    """Return a new function type without parameters or results; the caller deletes it."""
    empty, also_empty = ValTypeVec(), ValTypeVec()
    return int(C.wasm_functype_new(ctypes.addressof(empty), ctypes.addressof(also_empty)))


__all__ = [
    "DECLARED",
    "FUNC",
    "I32",
    "MEMORY",
    "POINTER",
    "TABLE",
    "AsyncCallback",
    "ByteVec",
    "C",
    "Continuation",
    "Extern",
    "Instance",
    "Val",
    "c_int",
    "message_and_free",
    "no_parameters_type",
    "pointer",
    "poll_briefly",
    "take_bytes",
    "trap_and_free",
]
