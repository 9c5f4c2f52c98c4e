"""Finds where each section of a WebAssembly binary lies, and says what bytes are when they are none.

Pure; owned by the section reader. Checks the header, the sections' order and their bounds; looks
at no content. Format: WebAssembly core specification 3.0, sections 5.5.2 and 5.5.17.
"""

from __future__ import annotations

from typing import Final, NoReturn

from actorhost.engine.sections_cursor import UNSUPPORTED, Cursor
from actorhost.engine.sections_model import Section, SectionId
from actorhost.errors import ModuleRefused

MAX_SECTIONS: Final = 1000
"""Sections in one module, custom ones included; compilers write about twenty."""

_MAGIC: Final = b"\0asm"
_CORE: Final = b"\1\0\0\0"
_COMPONENT_LAYER: Final = b"\1\0"
_HEADER: Final = len(_MAGIC) + len(_CORE)
_KNOWN: Final = {int(section): section for section in SectionId}
_ORDER: Final = (
    SectionId.TYPE,
    SectionId.IMPORT,
    SectionId.FUNCTION,
    SectionId.TABLE,
    SectionId.MEMORY,
    SectionId.TAG,
    SectionId.GLOBAL,
    SectionId.EXPORT,
    SectionId.START,
    SectionId.ELEMENT,
    SectionId.DATA_COUNT,
    SectionId.CODE,
    SectionId.DATA,
)
_RANK: Final = {section: rank for rank, section in enumerate(_ORDER)}


def section_name(section: SectionId) -> str:
    """Return the name of `section` for a message."""
    return f"{section.name.lower().replace('_', ' ')} section"


def outline(data: bytes) -> tuple[Section, ...]:
    """Return the sections of the module in `data`, in file order, custom ones included.

    Raises :class:`ModuleRefused` when `data` is not a core module or its sections do not add up.
    """
    _check_header(data)
    cursor = Cursor(data, _HEADER, len(data), "section header")
    sections: list[Section] = []
    previous: SectionId | None = None
    while cursor.offset < cursor.end:
        section = _next(cursor)
        if section.id is not SectionId.CUSTOM:
            _check_order(cursor, section, previous)
            previous = section.id
        sections.append(section)
        if len(sections) > MAX_SECTIONS:
            cursor.refuse(f"over {MAX_SECTIONS} sections", hint="strip the module's custom sections")
    return tuple(sections)


def _next(cursor: Cursor) -> Section:
    offset = cursor.offset
    code = cursor.byte("section id")
    known = _KNOWN.get(code)
    if known is None:
        cursor.refuse(f"section id {code} is unknown to this host", hint=UNSUPPORTED, offset=offset)
    size = cursor.unsigned("size of a section")
    body = cursor.offset
    if size > cursor.end - body:
        cursor.refuse(
            f"the {section_name(known)} is {size} bytes long, but {cursor.end - body} remain",
            hint="the file looks truncated; build or download it again",
            offset=offset,
        )
    cursor.offset = body + size
    return Section(known, offset, body, cursor.offset)


def _check_order(cursor: Cursor, section: Section, previous: SectionId | None) -> None:
    if previous is None or _RANK[section.id] > _RANK[previous]:
        return
    if section.id is previous:
        cursor.refuse(f"a second {section_name(section.id)}", offset=section.offset)
    rule = f"the {section_name(section.id)} comes after the {section_name(previous)}"
    cursor.refuse(f"{rule}; the format orders them the other way round", offset=section.offset)


def _check_header(data: bytes) -> None:
    if data[: len(_MAGIC)] != _MAGIC:
        _refuse_foreign(data)
    version = data[len(_MAGIC) : _HEADER]
    if version == _CORE:
        return
    if version[2:] == _COMPONENT_LAYER:
        raise ModuleRefused(
            "module refused: it is a WebAssembly component (layer 1), which is not supported yet",
            hint="build a core module that speaks waPC, not a component",
        )
    raise ModuleRefused(
        f"module refused at byte 4: its version is {version.hex(' ') or 'missing'}, not 01 00 00 00",
        hint="build a WebAssembly 1 binary; if the file is shorter than 8 bytes it is truncated",
    )


def _refuse_foreign(data: bytes) -> NoReturn:
    if not data:
        raise ModuleRefused("module refused: it is empty", hint="check the path and the build that wrote it")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"(", b";;")):
        raise ModuleRefused(
            "module refused: it looks like WAT text", hint="compile it first, with wat2wasm for instance"
        )
    raise ModuleRefused(
        f"not a WebAssembly module: starts with {data[:8]!r} where b'\\x00asm' belongs",
        hint="give the .wasm file that your compiler wrote, neither compressed nor precompiled",
    )
