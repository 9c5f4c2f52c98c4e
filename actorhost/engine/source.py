"""Modules as people have them: Wasm, or WAT text that is compiled to it first."""

from __future__ import annotations

from wasmtime import WasmtimeError, wat2wasm

from actorhost.errors import ModuleRefused

_MAGIC = b"\0asm"


def to_wasm(content: bytes, name: str) -> bytes:
    """Return `content` as Wasm; a file whose `name` ends in ``.wat`` holds text.

    Raises :class:`ModuleRefused` with line and column when the text is wrong.
    """
    if content.startswith(_MAGIC) or not name.endswith(".wat"):
        return content
    try:
        return bytes(wat2wasm(content.decode("utf-8")))
    except (WasmtimeError, UnicodeDecodeError) as error:
        raise ModuleRefused(f"{name} is not WAT text: {error}", hint="correct it where it says") from None
