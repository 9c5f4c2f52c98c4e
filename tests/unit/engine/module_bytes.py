"""Modules made by hand, byte by byte: what the tests of the section reader and rewriter are fed."""

from __future__ import annotations

import wasmtime

from actorhost.engine.sections_model import FuncType

HEADER = b"\0asm\1\0\0\0"
NOTHING = FuncType((), ())
VOID_TYPE = b"\1\x60\0\0"
"""A type section's content: one type, [] -> []."""


def leb(value: int) -> bytes:
    """Return `value` as the shortest unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def section(code: int, body: bytes) -> bytes:
    """Return section `code` with its length and `body`."""
    return bytes([code]) + leb(len(body)) + body


def text(value: str) -> bytes:
    """Return `value` as a Wasm name: length, then UTF-8."""
    return leb(len(value.encode())) + value.encode()


def module(*parts: bytes) -> bytes:
    """Return a module of the sections `parts`."""
    return HEADER + b"".join(parts)


def wat(source: str) -> bytes:
    """Return the module that WAT `source` describes."""
    return bytes(wasmtime.wat2wasm(source))
