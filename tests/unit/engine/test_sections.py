"""What the section reader says about modules made by hand, byte by byte, and by wat2wasm."""

from __future__ import annotations

import pytest

from actorhost import clock
from actorhost.engine import sections
from actorhost.engine.sections import read_module
from actorhost.engine.sections_model import (
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    V128,
    CustomSection,
    Export,
    ExternKind,
    FuncType,
    GlobalType,
    Import,
    MemoryType,
    SectionId,
    TableType,
    TagType,
    ValType,
)
from actorhost.engine.sections_outline import MAX_SECTIONS
from actorhost.errors import ModuleRefused
from tests.unit.engine.module_bytes import HEADER, VOID_TYPE, leb, module, section, text, wat


def refusal(data: bytes) -> str:
    with pytest.raises(ModuleRefused) as caught:
        read_module(data)
    assert caught.value.hint, "every refusal says what to do"
    return caught.value.message


class TestDeclarations:
    def test_an_empty_module_declares_nothing(self) -> None:
        info = read_module(HEADER)
        assert (info.imports, info.exports, info.types, info.start, info.size) == ((), (), (), None, 8)

    def test_imports_of_every_kind(self) -> None:
        info = read_module(
            wat("""(module
              (import "wapc" "__host_call" (func (param i32 i64 f32 f64) (result i32)))
              (import "env" "t" (table 1 2 externref))
              (import "env" "m" (memory 3))
              (import "env" "g" (global (mut i64)))
              (import "env" "e" (tag (param i32))))""")
        )
        assert info.imports == (
            Import("wapc", "__host_call", ExternKind.FUNC, FuncType((I32, I64, F32, F64), (I32,))),
            Import("env", "t", ExternKind.TABLE, TableType(EXTERNREF, 1, 2, is64=False)),
            Import("env", "m", ExternKind.MEMORY, MemoryType(3, None, False, False, 16)),
            Import("env", "g", ExternKind.GLOBAL, GlobalType(I64, mutable=True)),
            Import("env", "e", ExternKind.TAG, TagType(FuncType((I32,), ()))),
        )
        assert info.function_count == 1
        assert info.code_count == 0

    def test_exports_count_imported_things_first(self) -> None:
        info = read_module(
            wat("""(module
              (import "env" "f" (func (param f32)))
              (import "env" "g" (global f64))
              (func (export "own") (result i64) i64.const 1)
              (export "theirs" (func 0))
              (global (export "g0") (mut i32) (i32.const -5))
              (memory (export "memory") 1 4)
              (table (export "table") 7 funcref))""")
        )
        assert set(info.exports) == {
            Export("own", ExternKind.FUNC, 1, FuncType((), (I64,))),
            Export("theirs", ExternKind.FUNC, 0, FuncType((F32,), ())),
            Export("g0", ExternKind.GLOBAL, 1, GlobalType(I32, mutable=True)),
            Export("memory", ExternKind.MEMORY, 0, MemoryType(1, 4, False, False, 16)),
            Export("table", ExternKind.TABLE, 0, TableType(FUNCREF, 7, None, is64=False)),
        }

    def test_v128_in_a_signature_is_read(self) -> None:
        info = read_module(wat('(module (func (export "f") (param v128) (result v128) local.get 0))'))
        assert info.exports[0].type == FuncType((V128,), (V128,))

    def test_typed_references_are_read_in_their_wat_spelling(self) -> None:
        info = read_module(
            wat("""(module (type $t (func))
              (func (export "f") (param (ref null 0) (ref 0) (ref func) (ref null extern) anyref)))""")
        )
        signature = info.exports[0].type
        assert isinstance(signature, FuncType)
        names = ["(ref null 0)", "(ref 0)", "(ref func)", "externref", "anyref"]
        assert list(signature.params) == [ValType(name) for name in names]

    def test_several_and_64_bit_and_shared_memories(self) -> None:
        info = read_module(wat("(module (memory 1) (memory i64 2 5) (memory 1 2 shared))"))
        assert info.memories == (
            MemoryType(1, None, False, False, 16),
            MemoryType(2, 5, True, False, 16),
            MemoryType(1, 2, False, True, 16),
        )

    def test_a_memory_of_one_byte_pages(self) -> None:
        info = read_module(module(section(SectionId.MEMORY, b"\1\x08\xc0\x84\x3d\0")))
        assert info.memories == (MemoryType(1_000_000, None, False, False, 0),)

    def test_a_table_with_an_initial_value(self) -> None:
        info = read_module(module(section(SectionId.TABLE, b"\1\x40\0\x70\0\3\xd0\x70\x0b")))
        assert info.tables == (TableType(FUNCREF, 3, None, is64=False),)

    def test_initial_values_are_skipped_exactly(self) -> None:
        info = read_module(
            wat("""(module (import "e" "g" (global i32)) (func $f) (elem declare func $f)
              (global i32 (i32.const -1)) (global i64 (i64.const -9223372036854775808))
              (global f32 (f32.const 1.5)) (global f64 (f64.const 1e300))
              (global v128 (v128.const i64x2 1 2)) (global funcref (ref.null func))
              (global funcref (ref.func $f)) (global (mut externref) (ref.null extern))
              (global i32 (i32.mul (global.get 0) (i32.add (i32.const 2) (i32.const 3)))))""")
        )
        values = [kind.value for kind in info.globals]
        assert values == [I32, I32, I64, F32, F64, V128, FUNCREF, FUNCREF, EXTERNREF, I32]

    def test_start_counts_and_segments(self) -> None:
        info = read_module(
            wat("""(module (import "e" "f" (func)) (memory 1) (table 1 funcref)
              (func $s) (func) (start $s) (elem (i32.const 0) $s)
              (data (i32.const 0) "a") (data "b"))""")
        )
        assert info.start == 1
        assert (info.function_count, info.code_count) == (3, 2)
        assert (info.element_count, info.data_count) == (1, 2)

    def test_custom_sections_are_located(self) -> None:
        data = module(section(0, text("jwt") + b"token"), section(0, text("naïve")))
        info = read_module(data)
        jwt, empty = info.customs
        assert data[jwt.offset : jwt.offset + jwt.size] == b"token"
        assert empty == CustomSection("naïve", len(data), 0)
        assert [part.id for part in info.sections] == [SectionId.CUSTOM] * 2

    def test_two_byte_type_indices(self) -> None:
        types = section(SectionId.TYPE, leb(200) + b"\x60\0\0" * 200)
        functions = section(SectionId.FUNCTION, b"\3" + leb(199) + leb(5) + leb(130))
        code = section(SectionId.CODE, b"\3" + b"\2\0\x0b" * 3)
        info = read_module(module(types, functions, code))
        assert info.code_count == 3

    def test_signatures_read_like_types(self) -> None:
        assert str(FuncType((I32, I32), (I32,))) == "(i32, i32) -> (i32)"


class TestForeignBytes:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b"(module)", "WAT text"),
            (b"\xef\xbb\xbf\n  (module\n", "WAT text"),
            (b";; a comment\n(module)", "WAT text"),
            (b"(; block ;) ( module )", "WAT text"),
            (b"\x7fELF\2\1\1\0", "starts with b'\\x7fELF"),
            (b"\x1f\x8b\x08\0", "not a WebAssembly module"),
            (b"\0as", "not a WebAssembly module"),
            (b"\0asm", "missing"),
            (b"\0asm\1\0", "01 00, not 01 00 00 00"),
            (b"\0asm\2\0\0\0", "02 00 00 00"),
            (b"\0asm\x0d\0\1\0", "component"),
            (b"\0asm\1\0\0\0\0\5\4jwt", "truncated"),
        ],
    )
    def test_they_are_named(self, data: bytes, words: str) -> None:
        with pytest.raises(ModuleRefused) as caught:
            read_module(data)
        assert words in f"{caught.value.message} {caught.value.hint}"

    def test_a_real_component_is_recognised(self) -> None:
        assert "not supported yet" in refusal(wat("(component)"))


BAD_TYPES = [
    (b"", "number of types is missing"),
    (b"\1", "1 types are announced, but only 0 bytes follow"),
    (b"\xff\xff\xff\xff\x0f", "4294967295 types are announced"),
    (b"\xff\xff\xff\xff\x1f", "does not fit in 32 bits"),
    (b"\x80\x80\x80\x80\x80\0", "longer than 32 bits"),
    (b"\x80", "number of types is missing"),
    (b"\1\x60\1\x7f\2\x7f", "2 results are announced"),
    (b"\1\x60\1\x00\0", "0x00 is no type"),
    (b"\1\x60\1\x65\x70\0", "0x65 is no type"),
    (b"\1\x60\1\x63\x40\0", "heap type -64"),
    (b"\1\x60\1\x64\xf0\x7f\0", "heap type -16"),
    (b"\1\x60\0\0\0", "1 bytes are left over"),
    (b"\1\x5f\0\0", "struct type"),
    (b"\1\x4e\1\x60\0\0", "recursive type group"),
    (b"\1\x11\0\0", "unknown type form 0x11"),
    (b"\1\x60\xe9\x07" + b"\x7f" * 1001 + b"\0", "1001 parameters; the limit is 1000"),
]


class TestBrokenSections:
    @pytest.mark.parametrize(("body", "words"), BAD_TYPES)
    def test_types(self, body: bytes, words: str) -> None:
        message = refusal(module(section(SectionId.TYPE, body)))
        assert words in message
        assert "(type section)" in message

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"\1\1a\1b\0\1", "type 1 is used; the module has 1"),
            (b"\1\1a\1b\5\0", "kind 0x05"),
            (b"\1\1\xff\1b\0\0", "not UTF-8"),
            (b"\1\x7fa\1b\0\0", "module name is 127 bytes long"),
            (b"\1\1a\xa1\x8d\x06b\0\0", "the limit is 100000"),
            (b"\1\1a\1b\2\x10\0", "memory flags 0x10"),
            (b"\1\1a\1b\2\1\2\1", "memory maximum 1 is under its minimum 2"),
            (b"\1\1a\1b\2\0\x81\x80\4", "over 65536 pages"),
            (b"\1\1a\1b\2\2\1", "shared memory must declare"),
            (b"\1\1a\1b\2\x08\1\1", "pages of 2**1 bytes"),
            (b"\1\1a\1b\1\x7f\0\0", "0x7f is no type"),
            (b"\1\1a\1b\1\x70\2\0", "table flags 0x02"),
            (b"\1\1a\1b\3\x7f\2", "mutability 0x02"),
            (b"\1\1a\1b\4\1\0", "tag attribute 1"),
        ],
    )
    def test_imports(self, body: bytes, words: str) -> None:
        parts = section(SectionId.TYPE, VOID_TYPE), section(SectionId.IMPORT, body)
        assert words in refusal(module(*parts))

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"\2\0", "2 functions are announced, but only 1 bytes"),
            (b"\1\0\0", "1 functions are announced, but 2 follow"),
            (b"\1\1", "type 1 is used; the module has 1"),
            (b"\1\x80", "does not end"),
            (b"\1\x80\x80\x80\x80\x80\0", "longer than 32 bits"),
            (b"\1\xff\xff\xff\xff\x7f", "is used; the module has 1"),
            (b"\1\0", "1 functions are declared, but 0 have bodies"),
        ],
    )
    def test_functions(self, body: bytes, words: str) -> None:
        parts = section(SectionId.TYPE, VOID_TYPE), section(SectionId.FUNCTION, body)
        assert words in refusal(module(*parts))

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"\2\1a\2\0\1a\2\0", "a second export named 'a'"),
            (b"\1\1a\2\1", "memory 1 is exported; the module has 1"),
            (b"\1\1a\0\0", "func 0 is exported; the module has 0"),
        ],
    )
    def test_exports(self, body: bytes, words: str) -> None:
        parts = section(SectionId.MEMORY, b"\1\0\1"), section(SectionId.EXPORT, body)
        assert words in refusal(module(*parts))

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"\1\x7f\0\x41\0", "constant expression is missing"),
            (b"\1\x7f\0\x20\0\x0b", "instruction 0x20"),
            (b"\1\x7f\0\x41\xff\xff\xff\xff\x4f\x0b", "does not fit in 32 bits"),
            (b"\1\x7f\0\xfd\x0d\0\x0b", "vector instruction 13"),
            (b"\1\x7d\0\x43\0\0", "f32 constant is 4 bytes long"),
        ],
    )
    def test_globals(self, body: bytes, words: str) -> None:
        assert words in refusal(module(section(SectionId.GLOBAL, body)))

    def test_start(self) -> None:
        types = section(SectionId.TYPE, b"\1\x60\1\x7f\0")
        imports = section(SectionId.IMPORT, b"\1\1a\1b\0\0")
        start = section(SectionId.START, b"\0")
        assert "must take and return nothing" in refusal(module(types, imports, start))
        assert "function 0 is the start" in refusal(module(start))

    def test_data_count_and_data_agree(self) -> None:
        assert "2 data segments are announced, but 0 follow" in refusal(
            module(section(SectionId.DATA_COUNT, b"\2"))
        )

    def test_order_duplicates_and_unknown_sections(self) -> None:
        types, memory = section(SectionId.TYPE, b"\0"), section(SectionId.MEMORY, b"\0")
        assert "the type section comes after the memory section" in refusal(module(memory, types))
        assert "a second type section" in refusal(module(types, section(0, text("x")), types))
        tag, data_count = section(SectionId.TAG, b"\0"), section(SectionId.DATA_COUNT, b"\0")
        read_module(module(types, memory, tag, section(SectionId.GLOBAL, b"\0"), data_count))
        assert "section id 14" in refusal(module(section(14, b"")))

    def test_an_offset_points_at_the_fault(self) -> None:
        # 8 bytes of header, section id, size, count, form, number of parameters: the next is wrong.
        assert "at byte 13 (type section)" in refusal(module(section(SectionId.TYPE, b"\1\x60\1\x00\0")))


class TestBounds:
    def test_a_huge_section_of_declarations_is_refused_unread(self) -> None:
        body = leb(500_000) + b"\x60\0\0" * 500_000
        assert f"the limit is {sections.MAX_DECLARATIONS}" in refusal(module(section(SectionId.TYPE, body)))

    def test_a_great_many_sections_are_refused(self) -> None:
        custom = section(0, text(""))
        assert len(read_module(module(*[custom] * MAX_SECTIONS)).customs) == MAX_SECTIONS
        assert "over 1000 sections" in refusal(module(*[custom] * (MAX_SECTIONS + 1)))

    def test_a_module_the_size_of_a_go_guest_is_read_in_milliseconds(self) -> None:
        types = section(SectionId.TYPE, leb(200) + b"\x60\2\x7f\x7f\1\x7f" * 200)
        functions = section(SectionId.FUNCTION, leb(5000) + b"".join(leb(n % 200) for n in range(5000)))
        code = section(SectionId.CODE, leb(5000) + bytes(2_000_000))
        data = module(types, functions, code)
        spans = []
        for _ in range(5):
            started = clock.monotonic()
            read_module(data)
            spans.append(clock.monotonic() - started)
        # The aim is 5 ms; the rest is room for a machine that does other things meanwhile.
        assert min(spans) < 0.02
