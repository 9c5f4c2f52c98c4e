"""Decodes the types of a WebAssembly binary: values, functions, memories, tables, globals, constants.

Pure functions over a :class:`Cursor`, owned by the section reader. Types of the garbage-collection,
shared-everything and stack-switching proposals are refused by name, not guessed at. Encodings:
WebAssembly core specification 3.0, section 5.3 "Types".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from actorhost.engine.sections_cursor import UNSUPPORTED, Cursor
from actorhost.engine.sections_model import (
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    V128,
    FuncType,
    GlobalType,
    MemoryType,
    TableType,
    ValType,
)

# fmt: off
_HEAP_TYPES: Final = {
    0x74: "noexn", 0x73: "nofunc", 0x72: "noextern", 0x71: "none", 0x70: "func", 0x6F: "extern",
    0x6E: "any", 0x6D: "eq", 0x6C: "i31", 0x6B: "struct", 0x6A: "array", 0x69: "exn",
}
_REFERENCES: Final = {
    0x74: ValType("nullexnref"), 0x73: ValType("nullfuncref"), 0x72: ValType("nullexternref"),
    0x71: ValType("nullref"), 0x70: FUNCREF, 0x6F: EXTERNREF, 0x6E: ValType("anyref"),
    0x6D: ValType("eqref"), 0x6C: ValType("i31ref"), 0x6B: ValType("structref"),
    0x6A: ValType("arrayref"), 0x69: ValType("exnref"),
}
_VALUES: Final = {0x7F: I32, 0x7E: I64, 0x7D: F32, 0x7C: F64, 0x7B: V128, **_REFERENCES}
# fmt: on
_REF_NULL: Final = 0x63
_REF: Final = 0x64
_FUNC: Final = 0x60
_GC_FORMS: Final = {
    0x5F: "a struct type",
    0x5E: "an array type",
    0x5D: "a continuation type",
    0x50: "a subtype",
    0x4F: "a final subtype",
    0x4E: "a recursive type group",
}
_MAX_ARITY: Final = 1000
"""Parameters or results of one function; what Wasmtime and the browsers accept."""

_HAS_MAXIMUM: Final = 1
_SHARED: Final = 2
_IS_64: Final = 4
_HAS_PAGE_SIZE: Final = 8
PAGE_SIZE_LOG2: Final = 16


def func_type(cursor: Cursor) -> FuncType:
    """Return the next entry of a type section, which must be a plain function type."""
    form = cursor.byte("form of a type")
    if form != _FUNC:
        what = _GC_FORMS.get(form, f"unknown type form 0x{form:02x}")
        cursor.refuse(f"{what}, where only function types are supported", hint=UNSUPPORTED)
    return FuncType(_value_types(cursor, "parameters"), _value_types(cursor, "results"))


def _value_types(cursor: Cursor, what: str) -> tuple[ValType, ...]:
    count = cursor.count(what, smallest=1)
    if count > _MAX_ARITY:
        cursor.refuse(f"a function type has {count} {what}; the limit is {_MAX_ARITY}")
    return tuple([value_type(cursor) for _ in range(count)])


def value_type(cursor: Cursor) -> ValType:
    """Return the next value type."""
    start = cursor.offset
    code = cursor.byte("value type")
    known = _VALUES.get(code)
    return known if known is not None else _typed_reference(cursor, code, start)


def reference_type(cursor: Cursor) -> ValType:
    """Return the next value type, which must be a reference."""
    start = cursor.offset
    code = cursor.byte("reference type")
    known = _REFERENCES.get(code)
    return known if known is not None else _typed_reference(cursor, code, start)


def _typed_reference(cursor: Cursor, code: int, start: int) -> ValType:
    if code not in {_REF, _REF_NULL}:
        cursor.refuse(f"0x{code:02x} is no type this host knows here", hint=UNSUPPORTED, offset=start)
    null = "null " if code == _REF_NULL else ""
    return ValType(f"(ref {null}{_heap_type(cursor)})")


def _heap_type(cursor: Cursor) -> str:
    start = cursor.offset
    value = cursor.signed("heap type", 33)
    if value >= 0:
        return str(value)
    # Abstract heap types are negative and always one byte long, a type index never is negative.
    name = _HEAP_TYPES.get(value & 0x7F) if cursor.offset == start + 1 else None
    if name is None:
        cursor.refuse(f"heap type {value} is unknown to this host", hint=UNSUPPORTED, offset=start)
    return name


def global_type(cursor: Cursor) -> GlobalType:
    """Return the next global type."""
    value = value_type(cursor)
    mutability = cursor.byte("mutability of a global")
    if mutability > 1:
        cursor.refuse(f"mutability 0x{mutability:02x} of a global is neither 0 nor 1", hint=UNSUPPORTED)
    return GlobalType(value, mutable=mutability == 1)


def table_type(cursor: Cursor) -> TableType:
    """Return the next table type."""
    element = reference_type(cursor)
    flags = _flags(cursor, "table", _HAS_MAXIMUM | _IS_64)
    minimum, maximum = _limits(cursor, flags, "table")
    return TableType(element, minimum, maximum, is64=bool(flags & _IS_64))


def memory_type(cursor: Cursor) -> MemoryType:
    """Return the next memory type; sizes are in its own pages."""
    start = cursor.offset
    flags = _flags(cursor, "memory", _HAS_MAXIMUM | _SHARED | _IS_64 | _HAS_PAGE_SIZE)
    minimum, maximum = _limits(cursor, flags, "memory")
    page = cursor.unsigned("page size") if flags & _HAS_PAGE_SIZE else PAGE_SIZE_LOG2
    if page not in {0, PAGE_SIZE_LOG2}:
        cursor.refuse(f"memory pages of 2**{page} bytes: only 1 byte and 64 KiB exist", offset=start)
    most = 1 << ((64 if flags & _IS_64 else 32) - page)
    if max(minimum, maximum or 0) > most:
        cursor.refuse(f"a memory of over {most} pages of 2**{page} bytes has no addresses", offset=start)
    if flags & _SHARED and maximum is None:
        cursor.refuse("a shared memory must declare its maximum", offset=start)
    return MemoryType(minimum, maximum, bool(flags & _IS_64), bool(flags & _SHARED), page)


def _flags(cursor: Cursor, what: str, known: int) -> int:
    start = cursor.offset
    flags = cursor.byte(f"flags of a {what}")
    if flags & ~known:
        cursor.refuse(f"{what} flags 0x{flags:02x} are unknown to this host", hint=UNSUPPORTED, offset=start)
    return flags


def _limits(cursor: Cursor, flags: int, what: str) -> tuple[int, int | None]:
    start = cursor.offset
    bits = 64 if flags & _IS_64 else 32
    minimum = cursor.unsigned(f"minimum of a {what}", bits)
    maximum = cursor.unsigned(f"maximum of a {what}", bits) if flags & _HAS_MAXIMUM else None
    if maximum is not None and maximum < minimum:
        cursor.refuse(f"{what} maximum {maximum} is under its minimum {minimum}", offset=start)
    return minimum, maximum


def _nothing(_cursor: Cursor) -> None:
    """Skip the immediates of an instruction that has none."""


def _skip_vector(cursor: Cursor) -> None:
    opcode = cursor.unsigned("vector instruction")
    if opcode != _V128_CONST:
        cursor.refuse(f"vector instruction {opcode} in a constant expression", hint=UNSUPPORTED)
    cursor.skip(16, "v128 constant")


_END: Final = 0x0B
_V128_CONST: Final = 12
# The instructions that may stand in a constant expression, and how to get over their immediates.
_CONSTANTS: Final[dict[int, Callable[[Cursor], object]]] = {
    0x23: lambda cursor: cursor.unsigned("global index"),
    0x41: lambda cursor: cursor.signed("i32 constant", 32),
    0x42: lambda cursor: cursor.signed("i64 constant", 64),
    0x43: lambda cursor: cursor.skip(4, "f32 constant"),
    0x44: lambda cursor: cursor.skip(8, "f64 constant"),
    0xD0: _heap_type,
    0xD2: lambda cursor: cursor.unsigned("function index"),
    0xFD: _skip_vector,
    **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E), _nothing),  # i32/i64 add, sub, mul
}


def skip_constant(cursor: Cursor) -> None:
    """Move over the next constant expression (an initial value), its `end` included."""
    while True:
        start = cursor.offset
        opcode = cursor.byte("constant expression")
        if opcode == _END:
            return
        skip = _CONSTANTS.get(opcode)
        if skip is None:
            rule = f"instruction 0x{opcode:02x} in a constant expression is unknown to this host"
            cursor.refuse(rule, hint=UNSUPPORTED, offset=start)
        skip(cursor)
