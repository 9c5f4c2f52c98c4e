"""Whatever the bytes, the section reader declares or refuses; of real modules it says what Wasmtime says."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import example, given
from hypothesis import strategies as st

from actorhost.engine.sections import read_module
from actorhost.engine.sections_cursor import UNSUPPORTED
from actorhost.engine.sections_model import (
    V128,
    Export,
    ExternKind,
    ExternType,
    FuncType,
    GlobalType,
    Import,
    MemoryType,
    ModuleInfo,
    TableType,
    ValType,
)
from actorhost.engine.sections_rewrite import defer_start
from actorhost.errors import ModuleRefused

HEADER = b"\0asm\1\0\0\0"
WATS = {
    "empty": "(module)",
    "functions": """(module (import "wapc" "__host_call" (func (param i32 i32 i64) (result i32)))
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
        (func (export "pair") (result f32 f64) f32.const 1 f64.const 2) (export "again" (func 0)))""",
    "start": """(module (import "env" "note" (func (param i32))) (func $s i32.const 1 call 0)
        (func (export "f")) (start $s) (memory (export "memory") 1) (data (i32.const 8) "hello"))""",
    "start alone": "(module (func $s) (table 1 funcref) (start $s) (elem (i32.const 0) $s))",
    "memories": """(module (import "e" "m" (memory 1 3)) (memory (export "a") 0)
        (memory (export "b") i64 2 70000) (memory 1 2 shared))""",
    "tables": """(module (import "e" "t" (table 1 externref)) (table (export "a") 0 4 funcref)
        (table (export "b") i64 3 externref) (func $f) (elem (table 1) (i32.const 0) func)
        (elem declare func $f))""",
    "globals": """(module (import "e" "i" (global i32)) (import "e" "f" (global (mut f64)))
        (global (export "a") i64 (i64.const -1)) (global (export "b") (mut f32) (f32.const 0.5))
        (global (export "c") i32 (i32.add (global.get 0) (i32.const 300)))
        (global (export "d") externref (ref.null extern)) (global v128 (v128.const i64x2 7 9)))""",
    "vectors": """(module (import "e" "f" (func (param v128) (result v128)))
        (func (export "g") (param i32 v128)) (global (export "h") v128 (v128.const i32x4 1 2 3 4)))""",
    "references": """(module (type $t (func (param i32))) (func $f (param i32)) (elem declare func $f)
        (func (export "g") (param (ref null $t) (ref func)) (result funcref) ref.func $f)
        (table 2 (ref $t) (ref.func $f)))""",
    "tags": """(module (import "e" "t" (tag (param i64))) (tag (export "u") (param i32 f32))
        (func (export "f") i64.const 1 throw 0))""",
    "customs": """(module (@custom "jwt" "a.b.c") (func $named (export "f") (local $x i32))
        (memory 1) (data $d "bulk") (@custom "producers" (after data) "\\00")
        (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))""",
    "many": "(module "
    + "".join(f'(type (func (param {"i32 " * n})))(func (export "f{n}") (type {n}))' for n in range(150))
    + ")",
}
POOL = {name: bytes(wasmtime.wat2wasm(text)) for name, text in WATS.items()}
ENGINE = wasmtime.Engine()
AT = st.integers(0, 1 << 16)
"""A position in a module, taken modulo its length."""


def reading(data: bytes) -> ModuleInfo | ModuleRefused:
    """Return what the reader made of `data`; any other end is the test's failure."""
    try:
        return read_module(data)
    except ModuleRefused as error:
        refused = error
    assert refused.hint
    assert refused.message
    return refused


def validates(data: bytes) -> bool:
    try:
        wasmtime.Module.validate(ENGINE, data)
    except wasmtime.WasmtimeError:
        return False
    return True


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a module of the pool with some bytes replaced, removed or doubled, or its end cut off."""
    data = bytearray(draw(st.sampled_from(list(POOL.values()))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(AT) % len(data)
        size = draw(st.integers(0, 8))
        match draw(st.sampled_from(["replace", "bit", "remove", "double", "cut"])):
            case "replace":
                data[start : start + size] = draw(st.binary(max_size=8))
            case "bit":
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del data[start : start + size]
            case "double":
                data[start:start] = data[start : start + size]
            case _:
                del data[start + 1 :]
        if not data:
            break
    return bytes(data)


@given(st.binary(max_size=200))
@example(HEADER)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reading(data)


@given(st.lists(st.tuples(st.integers(0, 14), st.binary(max_size=40)), max_size=8))
def test_any_sections_are_read_or_refused(parts: list[tuple[int, bytes]]) -> None:
    reading(HEADER + b"".join(bytes([code, len(body)]) + body for code, body in parts))


@given(damaged())
def test_a_damaged_module_is_refused_or_what_wasmtime_also_accepts_is_read(data: bytes) -> None:
    found = reading(data)
    if isinstance(found, ModuleRefused):
        assert found.hint == UNSUPPORTED or not validates(data), found.message
    else:
        assert found.size == len(data)
        assert found.sections[-1].end == len(data) if found.sections else len(data) == len(HEADER)


@given(damaged(), st.text(max_size=200))
def test_deferring_the_start_of_a_valid_module_gives_a_valid_module(data: bytes, name: str) -> None:
    found = reading(data)
    if isinstance(found, ModuleRefused) or not validates(data):
        return
    if any(known.name == name for known in found.exports) and found.start is not None:
        with pytest.raises(ModuleRefused):
            defer_start(data, found, name)
        return
    changed = defer_start(data, found, name)
    assert validates(changed)
    again = read_module(changed)
    assert again.start is None
    assert [item.name for item in again.exports[: len(found.exports)]] == [x.name for x in found.exports]
    assert len(again.exports) == len(found.exports) + (found.start is not None)


def spelling(theirs: wasmtime.ValType) -> ValType:
    """Return the WAT spelling of a value type of the library, which says anyref for externref."""
    return ValType(str(theirs).replace("anyref", "externref"))


def wasmtimes_view(kind: ExternKind, ours: ExternType, theirs: object) -> object:
    """Return `theirs` as one of our types, as far as the library can tell.

    It ends the process on v128 and has no words for tags and typed references: there it is ours.
    """
    if "v128" in str(ours) or "(ref" in str(ours) or kind is ExternKind.TAG:
        return ours
    if isinstance(theirs, wasmtime.FuncType):
        return FuncType(tuple(map(spelling, theirs.params)), tuple(map(spelling, theirs.results)))
    if isinstance(theirs, wasmtime.MemoryType):
        limits = theirs.limits
        shared = isinstance(ours, MemoryType) and ours.shared
        return MemoryType(limits.min, limits.max, theirs.is_64, shared, 16)
    if isinstance(theirs, wasmtime.TableType):
        is64 = isinstance(ours, TableType) and ours.is64
        return TableType(spelling(theirs.element), theirs.limits.min, theirs.limits.max, is64)
    assert isinstance(theirs, wasmtime.GlobalType)
    return GlobalType(spelling(theirs.content), theirs.mutable)


@pytest.mark.parametrize("name", POOL)
def test_imports_and_exports_are_those_wasmtime_sees(name: str) -> None:
    config = wasmtime.Config()
    config.shared_memory = True
    module = wasmtime.Module(wasmtime.Engine(config), POOL[name])
    info = read_module(POOL[name])
    assert [(item.module, item.name) for item in info.imports] == [
        (item.module, item.name) for item in module.imports
    ]
    assert [item.name for item in info.exports] == [item.name for item in module.exports]
    assert any(V128 in str(item.type) for item in info.exports) == (name == "vectors")
    if name in {"tags", "vectors"}:
        return
    declared: list[Import | Export] = [*info.imports, *info.exports]
    types = [item.type for item in module.imports] + [item.type for item in module.exports]
    for ours, theirs in zip(declared, types, strict=True):
        assert wasmtimes_view(ours.kind, ours.type, theirs) == ours.type, ours.name
