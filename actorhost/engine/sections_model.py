"""What a WebAssembly module declares, as plain frozen values.

Made once by :func:`actorhost.engine.sections.read_module` and owned by whoever asked; nothing here
refers back to the module's bytes, so a :class:`ModuleInfo` may outlive them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NewType, TypeAlias

ValType = NewType("ValType", str)
"""A value type in its WAT spelling: ``i32``, ``v128``, ``funcref``, ``(ref null 3)`` ..."""

I32: Final = ValType("i32")
I64: Final = ValType("i64")
F32: Final = ValType("f32")
F64: Final = ValType("f64")
V128: Final = ValType("v128")
FUNCREF: Final = ValType("funcref")
EXTERNREF: Final = ValType("externref")


class ExternKind(StrEnum):
    """What an import or export is, in its WAT spelling."""

    FUNC = "func"
    TABLE = "table"
    MEMORY = "memory"
    GLOBAL = "global"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class FuncType:
    """The signature of a function."""

    params: tuple[ValType, ...]
    results: tuple[ValType, ...]

    def __str__(self) -> str:
        """Return the signature as ``(i32, i32) -> (i32)``."""
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


@dataclass(frozen=True, slots=True)
class TableType:
    """A table: its element type and its size in elements (`maximum` is None when unbounded)."""

    element: ValType
    minimum: int
    maximum: int | None
    is64: bool

    def __str__(self) -> str:
        """Return the type as in WAT: ``1 10 funcref``."""
        return f"{'i64 ' * self.is64}{_range(self.minimum, self.maximum)} {self.element}"


@dataclass(frozen=True, slots=True)
class MemoryType:
    """A linear memory: its size in pages of ``2 ** page_size_log2`` bytes (16 but for rare modules)."""

    minimum: int
    maximum: int | None
    is64: bool
    shared: bool
    page_size_log2: int

    def __str__(self) -> str:
        """Return the type as in WAT: ``1 10 shared``."""
        return f"{'i64 ' * self.is64}{_range(self.minimum, self.maximum)}{' shared' * self.shared}"


@dataclass(frozen=True, slots=True)
class GlobalType:
    """A global variable."""

    value: ValType
    mutable: bool

    def __str__(self) -> str:
        """Return the type as in WAT: ``i32`` or ``(mut i32)``."""
        return f"(mut {self.value})" if self.mutable else self.value


@dataclass(frozen=True, slots=True)
class TagType:
    """An exception tag: the signature of what is thrown."""

    signature: FuncType

    def __str__(self) -> str:
        """Return what is thrown: ``(i32)``."""
        return f"({', '.join(self.signature.params)})"


ExternType: TypeAlias = FuncType | TableType | MemoryType | GlobalType | TagType


@dataclass(frozen=True, slots=True)
class Import:
    """One thing the module wants from its host."""

    module: str
    name: str
    kind: ExternKind
    type: ExternType


@dataclass(frozen=True, slots=True)
class Export:
    """One thing the module offers; `index` counts in the index space of its kind, imports first."""

    name: str
    kind: ExternKind
    index: int
    type: ExternType


class SectionId(IntEnum):
    """The sections of a module, by the byte they start with."""

    CUSTOM = 0
    TYPE = 1
    IMPORT = 2
    FUNCTION = 3
    TABLE = 4
    MEMORY = 5
    GLOBAL = 6
    EXPORT = 7
    START = 8
    ELEMENT = 9
    CODE = 10
    DATA = 11
    DATA_COUNT = 12
    TAG = 13


@dataclass(frozen=True, slots=True)
class Section:
    """Where a section lies: `offset` of its id byte, `body` of its content, `end` just after it."""

    id: SectionId
    offset: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class CustomSection:
    """A custom section's name and where its content (after the name) lies in the file, in bytes."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleInfo:
    """All that a module declares; `memories`, `tables`, `globals` and `tags` list imported ones first.

    `function_count` includes imported functions, `code_count` does not. `start` is the index of
    the start function, or None. `size` is the length of the whole module in bytes.
    """

    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    types: tuple[FuncType, ...]
    memories: tuple[MemoryType, ...]
    tables: tuple[TableType, ...]
    globals: tuple[GlobalType, ...]
    tags: tuple[TagType, ...]
    start: int | None
    customs: tuple[CustomSection, ...]
    sections: tuple[Section, ...]
    function_count: int
    code_count: int
    data_count: int
    element_count: int
    size: int


def _range(minimum: int, maximum: int | None) -> str:
    return str(minimum) if maximum is None else f"{minimum} {maximum}"
