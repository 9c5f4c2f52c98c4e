"""Changes single sections of a WebAssembly module and copies every other byte for byte.

The start function is taken out of instantiation and exported instead: there the host could neither
bound nor suspend it, while an exported function runs like any other call. And a custom section is put
in, for what a module declares. Pure; owned by the loader and by `actorhost embed`.
"""

from __future__ import annotations

from actorhost.engine.sections_cursor import CONTINUES, Cursor
from actorhost.engine.sections_model import ModuleInfo, Section, SectionId
from actorhost.errors import ModuleRefused


def defer_start(data: bytes, info: ModuleInfo, export: str) -> bytes:
    """Return the module in `data` with its start function exported as `export` and not started.

    `info` is what ``read_module(data)`` returned. A module without a start function is returned
    as it is. Raises :class:`ModuleRefused` when the module already exports that name.
    """
    if info.start is None:
        return data
    if any(known.name == export for known in info.exports):
        raise ModuleRefused(
            f"module refused: it exports {export!r}, a name the host needs for its start function",
            hint="rename that export in the module's source",
        )
    name = export.encode()
    entry = b"".join((_leb(len(name)), name, b"\0", _leb(info.start)))
    # Without an export section the start section's place is the right one: 7 comes before 8.
    ids = {section.id for section in info.sections}
    place = SectionId.EXPORT if SectionId.EXPORT in ids else SectionId.START
    pieces = [data[:8]]
    for section in info.sections:
        if section.id is place:
            pieces.append(_with_entry(data, section, entry))
        elif section.id is not SectionId.START:
            pieces.append(data[section.offset : section.end])
    return b"".join(pieces)


def with_custom_section(data: bytes, info: ModuleInfo, name: str, content: bytes) -> bytes:
    """Return the module in `data` with the custom section `name` at its end, instead of any it had.

    `info` is what ``read_module(data)`` returned.
    """
    # Custom sections are listed in the order of the file, as all sections are.
    customs = iter(info.customs)
    kept = [
        data[section.offset : section.end]
        for section in info.sections
        if section.id is not SectionId.CUSTOM or next(customs).name != name
    ]
    label = name.encode()
    body = _leb(len(label)) + label + content
    return b"".join((data[:8], *kept, bytes([SectionId.CUSTOM]), _leb(len(body)), body))


def _with_entry(data: bytes, section: Section, entry: bytes) -> bytes:
    """Return the export section `section` with one more entry, or a new one in a start section's place."""
    count, entries = 0, b""
    if section.id is SectionId.EXPORT:
        cursor = Cursor(data, section.body, section.end, "export section")
        count = cursor.unsigned("number of exports")
        entries = data[cursor.offset : section.end]
    body = _leb(count + 1) + entries + entry
    return bytes([SectionId.EXPORT]) + _leb(len(body)) + body


def _leb(value: int) -> bytes:
    encoded = bytearray()
    while value >= CONTINUES:
        encoded.append(value % CONTINUES | CONTINUES)
        value //= CONTINUES
    encoded.append(value)
    return bytes(encoded)
