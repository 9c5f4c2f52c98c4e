"""A module whose start function was deferred is the same module, started when the host says so."""

from __future__ import annotations

import pytest
import wasmtime

from actorhost.engine.sections import read_module
from actorhost.engine.sections_model import Export, ExternKind, SectionId
from actorhost.engine.sections_rewrite import defer_start
from actorhost.errors import ModuleRefused
from tests.unit.engine.module_bytes import NOTHING, VOID_TYPE, module, section, text, wat

STARTED = """(module (import "env" "note" (func $note (param i32)))
  (func $start i32.const 7 call $note)
  (func (export "other") i32.const 1 call $note)
  (start $start))"""


def instantiate(data: bytes) -> tuple[wasmtime.Store, wasmtime.Instance, list[int]]:
    """Return a running instance of `data` and the list its imported ``note`` appends to."""
    notes: list[int] = []
    store = wasmtime.Store()
    note = wasmtime.Func(store, wasmtime.FuncType([wasmtime.ValType.i32()], []), notes.append)
    built = wasmtime.Module(store.engine, data)
    wanted = [note] if built.imports else []
    return store, wasmtime.Instance(store, built, wanted), notes


def call(store: wasmtime.Store, instance: wasmtime.Instance, name: str) -> None:
    function = instance.exports(store)[name]
    assert isinstance(function, wasmtime.Func)
    function(store)


class TestDeferStart:
    def test_start_runs_when_the_export_is_called_and_not_before(self) -> None:
        data = wat(STARTED)
        assert instantiate(data)[2] == [7]
        store, instance, notes = instantiate(defer_start(data, read_module(data), "begin"))
        assert notes == []
        call(store, instance, "begin")
        call(store, instance, "other")
        assert notes == [7, 1]

    def test_only_the_start_and_export_sections_change(self) -> None:
        data = wat(STARTED)
        before = read_module(data)
        changed = defer_start(data, before, "begin")
        after = read_module(changed)
        assert after.start is None
        assert after.exports == (*before.exports, Export("begin", ExternKind.FUNC, 1, NOTHING))
        touched = {SectionId.START, SectionId.EXPORT}
        kept = [data[part.offset : part.end] for part in before.sections if part.id not in touched]
        assert kept == [changed[part.offset : part.end] for part in after.sections if part.id not in touched]

    def test_an_export_section_is_made_where_there_is_none(self) -> None:
        data = wat("""(module (func $s) (table 1 funcref) (global i32 (i32.const 0))
          (start $s) (elem (i32.const 0) $s) (memory 1) (data (i32.const 0) "x"))""")
        changed = defer_start(data, read_module(data), "begin")
        assert [item.name for item in read_module(changed).exports] == ["begin"]
        store, instance, _ = instantiate(changed)
        call(store, instance, "begin")

    def test_an_imported_start_function_is_exported(self) -> None:
        data = wat('(module (import "e" "f" (func $f)) (start $f))')
        changed = read_module(defer_start(data, read_module(data), "begin"))
        assert changed.exports == (Export("begin", ExternKind.FUNC, 0, NOTHING),)

    def test_many_exports_and_a_long_name(self) -> None:
        exports = "".join(f'(export "e{number}" (func $s))' for number in range(127))
        data = wat(f"(module (func $s) {exports} (start $s))")
        name = "ö" * 100
        info = read_module(defer_start(data, read_module(data), name))
        assert len(info.exports) == 128
        assert info.exports[-1].name == name

    def test_a_padded_export_count_is_read_right(self) -> None:
        exports = b"\x81\x80\x80\x80\0" + text("f") + b"\0\0"
        data = module(
            section(SectionId.TYPE, VOID_TYPE),
            section(SectionId.FUNCTION, b"\1\0"),
            section(SectionId.EXPORT, exports),
            section(SectionId.START, b"\0"),
            section(SectionId.CODE, b"\1\2\0\x0b"),
        )
        changed = defer_start(data, read_module(data), "begin")
        wasmtime.Module.validate(wasmtime.Engine(), changed)
        assert [item.name for item in read_module(changed).exports] == ["f", "begin"]

    def test_a_module_without_start_is_returned_as_it_is(self) -> None:
        data = wat('(module (func (export "f")))')
        assert defer_start(data, read_module(data), "begin") is data

    def test_a_name_already_exported_is_refused(self) -> None:
        data = wat(STARTED)
        with pytest.raises(ModuleRefused, match="'other'"):
            defer_start(data, read_module(data), "other")
