"""Reads what a WebAssembly module declares (imports, exports, types, limits) from its sections.

The host asks before it compiles: it must know what a module wants and offers, and asking Wasmtime's
library for a signature with v128 ends the process. Pure and total: any bytes give a
:class:`ModuleInfo` or :class:`ModuleRefused`; the caller owns the result. Function bodies, data and
element contents are skipped, not checked: compiling does that. Time and memory are bounded by
``MAX_DECLARATIONS`` for each section that is read. Format: WebAssembly core specification 3.0,
section 5.5 "Modules".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from actorhost.engine.sections_cursor import CONTINUES, UNSUPPORTED, Cursor
from actorhost.engine.sections_model import (
    CustomSection,
    Export,
    ExternKind,
    ExternType,
    FuncType,
    GlobalType,
    Import,
    MemoryType,
    ModuleInfo,
    Section,
    SectionId,
    TableType,
    TagType,
)
from actorhost.engine.sections_outline import outline, section_name
from actorhost.engine.sections_types import func_type, global_type, memory_type, skip_constant, table_type

MAX_DECLARATIONS: Final = 1024 * 1024
"""Bytes in one section that is read entry by entry; real modules stay far under it."""

_T = TypeVar("_T")
_KINDS: Final = tuple(ExternKind)
_COUNTED: Final = frozenset({SectionId.ELEMENT, SectionId.CODE, SectionId.DATA})
_INITIALISED_TABLE: Final = b"\x40\x00"
_MAX_SHIFT: Final = 28  # of the fifth and last byte of a 32-bit LEB128 integer


def read_module(data: bytes) -> ModuleInfo:
    """Return what the module in `data` declares.

    Raises :class:`ModuleRefused` (with offset, section, broken rule and a hint) for bytes that are
    not a well-formed core module, and for modules built on proposals this reader does not know.
    """
    sections = outline(data)
    reader = _Reader()
    for section in sections:
        reader.read(section, Cursor(data, section.body, section.end, section_name(section.id)))
    reader.check_whole(Cursor(data, len(data), len(data), "whole module"))
    return reader.info(sections, len(data))


class _Reader:
    """Collects the declarations of one module, section by section, in the order of the file."""

    def __init__(self) -> None:
        self.imports: list[Import] = []
        self.exports: list[Export] = []
        self.types: list[FuncType] = []
        self.functions: list[int] = []  # the type index of each function, imported ones first
        self.declared_functions = 0
        self.tables: list[TableType] = []
        self.memories: list[MemoryType] = []
        self.globals: list[GlobalType] = []
        self.tags: list[TagType] = []
        self.customs: list[CustomSection] = []
        self.start: int | None = None
        self.announced_data: int | None = None
        self.counts = dict.fromkeys(_COUNTED, 0)

    def read(self, section: Section, cursor: Cursor) -> None:
        if section.id in _COUNTED:
            self.counts[section.id] = cursor.count("entries", smallest=1)
            return
        size = cursor.end - cursor.offset
        if size > MAX_DECLARATIONS and section.id is not SectionId.CUSTOM:
            cursor.refuse(
                f"the section is {size} bytes long; the limit is {MAX_DECLARATIONS}",
                hint="import, export and declare fewer things, or split the module",
            )
        _READERS[section.id](self, cursor)
        cursor.finish()

    def read_custom(self, cursor: Cursor) -> None:
        name = cursor.name("name of a custom section")
        size = cursor.end - cursor.offset
        self.customs.append(CustomSection(name, cursor.skip(size, "content"), size))

    def read_types(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("types", smallest=3)):
            self.types.append(func_type(cursor))

    def read_imports(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("imports", smallest=4)):
            module, name = cursor.name("module name"), cursor.name("import name")
            kind = _kind(cursor)
            self.imports.append(Import(module, name, kind, self._imported(kind, cursor)))

    def _imported(self, kind: ExternKind, cursor: Cursor) -> ExternType:
        """Return the type of an import and give the import its place in its index space."""
        if kind is ExternKind.FUNC:
            self.functions.append(self._type_index(cursor))
            return self.types[self.functions[-1]]
        if kind is ExternKind.TABLE:
            return _append(self.tables, table_type(cursor))
        if kind is ExternKind.MEMORY:
            return _append(self.memories, memory_type(cursor))
        if kind is ExternKind.GLOBAL:
            return _append(self.globals, global_type(cursor))
        return _append(self.tags, self._tag_type(cursor))

    def _type_index(self, cursor: Cursor) -> int:
        start = cursor.offset
        index = cursor.unsigned("type index")
        if index >= len(self.types):
            cursor.refuse(f"type {index} is used; the module has {len(self.types)}", offset=start)
        return index

    def _tag_type(self, cursor: Cursor) -> TagType:
        if attribute := cursor.byte("attribute of a tag"):
            cursor.refuse(f"tag attribute {attribute} is unknown to this host", hint=UNSUPPORTED)
        return TagType(self.types[self._type_index(cursor)])

    def read_functions(self, cursor: Cursor) -> None:
        # A Go module has thousands of these and nearly all are one byte: no cursor call for each.
        start = cursor.offset
        self.declared_functions = cursor.count("functions", smallest=1)
        indices = _unsigned_run(cursor)
        if len(indices) != self.declared_functions:
            rule = f"{self.declared_functions} functions are announced, but {len(indices)} follow"
            cursor.refuse(rule, offset=start)
        if indices and (most := max(indices)) >= len(self.types):
            cursor.refuse(f"type {most} is used; the module has {len(self.types)}", offset=start)
        self.functions += indices

    def read_tables(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("tables", smallest=3)):
            initialised = cursor.data.startswith(_INITIALISED_TABLE, cursor.offset, cursor.end)
            if initialised:
                cursor.skip(len(_INITIALISED_TABLE), "table prefix")
            self.tables.append(table_type(cursor))
            if initialised:
                skip_constant(cursor)

    def read_memories(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("memories", smallest=2)):
            self.memories.append(memory_type(cursor))

    def read_tags(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("tags", smallest=2)):
            self.tags.append(self._tag_type(cursor))

    def read_globals(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("globals", smallest=3)):
            self.globals.append(global_type(cursor))
            skip_constant(cursor)

    def read_exports(self, cursor: Cursor) -> None:
        seen: set[str] = set()
        for _ in range(cursor.count("exports", smallest=3)):
            start = cursor.offset
            name = cursor.name("export name")
            if name in seen:
                cursor.refuse(f"a second export named {name!r}", offset=start)
            seen.add(name)
            kind = _kind(cursor)
            index = cursor.unsigned("export index")
            self.exports.append(Export(name, kind, index, self._exported(kind, index, cursor)))

    def _exported(self, kind: ExternKind, index: int, cursor: Cursor) -> ExternType:
        spaces: dict[ExternKind, Sequence[ExternType | int]] = {
            ExternKind.FUNC: self.functions,
            ExternKind.TABLE: self.tables,
            ExternKind.MEMORY: self.memories,
            ExternKind.GLOBAL: self.globals,
            ExternKind.TAG: self.tags,
        }
        space = spaces[kind]
        if index >= len(space):
            cursor.refuse(f"{kind} {index} is exported; the module has {len(space)}")
        found = space[index]
        return self.types[found] if isinstance(found, int) else found

    def read_start(self, cursor: Cursor) -> None:
        index = cursor.unsigned("start function index")
        if index >= len(self.functions):
            cursor.refuse(f"function {index} is the start; the module has {len(self.functions)}")
        signature = self.types[self.functions[index]]
        if signature.params or signature.results:
            cursor.refuse(f"the start function is {signature}; it must take and return nothing")
        self.start = index

    def read_data_count(self, cursor: Cursor) -> None:
        self.announced_data = cursor.unsigned("number of data segments")

    def check_whole(self, cursor: Cursor) -> None:
        """Refuse sections that contradict each other (specification, 5.5.17)."""
        bodies, segments = self.counts[SectionId.CODE], self.counts[SectionId.DATA]
        if self.declared_functions != bodies:
            cursor.refuse(f"{self.declared_functions} functions are declared, but {bodies} have bodies")
        if self.announced_data is not None and self.announced_data != segments:
            cursor.refuse(f"{self.announced_data} data segments are announced, but {segments} follow")

    def info(self, sections: tuple[Section, ...], size: int) -> ModuleInfo:
        return ModuleInfo(
            imports=tuple(self.imports),
            exports=tuple(self.exports),
            types=tuple(self.types),
            memories=tuple(self.memories),
            tables=tuple(self.tables),
            globals=tuple(self.globals),
            tags=tuple(self.tags),
            start=self.start,
            customs=tuple(self.customs),
            sections=sections,
            function_count=len(self.functions),
            code_count=self.counts[SectionId.CODE],
            data_count=self.counts[SectionId.DATA],
            element_count=self.counts[SectionId.ELEMENT],
            size=size,
        )


_READERS: Final[dict[SectionId, Callable[[_Reader, Cursor], None]]] = {
    SectionId.CUSTOM: _Reader.read_custom,
    SectionId.TYPE: _Reader.read_types,
    SectionId.IMPORT: _Reader.read_imports,
    SectionId.FUNCTION: _Reader.read_functions,
    SectionId.TABLE: _Reader.read_tables,
    SectionId.MEMORY: _Reader.read_memories,
    SectionId.TAG: _Reader.read_tags,
    SectionId.GLOBAL: _Reader.read_globals,
    SectionId.EXPORT: _Reader.read_exports,
    SectionId.START: _Reader.read_start,
    SectionId.DATA_COUNT: _Reader.read_data_count,
}


def _append(space: list[_T], item: _T) -> _T:
    space.append(item)
    return item


def _kind(cursor: Cursor) -> ExternKind:
    start = cursor.offset
    code = cursor.byte("kind")
    if code >= len(_KINDS):
        cursor.refuse(f"kind 0x{code:02x} is unknown to this host", hint=UNSUPPORTED, offset=start)
    return _KINDS[code]


def _unsigned_run(cursor: Cursor) -> list[int]:
    """Return all LEB128 integers from here to the end of the section, which must end one."""
    start = cursor.offset
    body = cursor.data[start : cursor.end]
    cursor.offset = cursor.end
    if body.isascii():
        return list(body)
    values: list[int] = []
    value = shift = 0
    for byte in body:
        if byte < CONTINUES:
            values.append(value | byte << shift)
            value = shift = 0
            continue
        value |= (byte - CONTINUES) << shift
        shift += 7
        if shift > _MAX_SHIFT:
            cursor.refuse("a LEB128 integer longer than 32 bits need", offset=start)
    if shift:
        cursor.refuse("the last integer of the section does not end")
    return values
