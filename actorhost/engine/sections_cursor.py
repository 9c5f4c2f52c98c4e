"""A bounded cursor over one stretch of a WebAssembly binary: bytes, LEB128 integers, names, counts.

Owned by the reader of one section and dropped with it. Nothing is read past `end`, no count is
believed before the bytes it needs are seen to exist, and every broken rule ends in
:class:`ModuleRefused` with offset, section, rule and what to do.
"""

from __future__ import annotations

from typing import Final, NoReturn

from actorhost.errors import ModuleRefused

MAX_NAME: Final = 100_000
"""Bytes in one name; what Wasmtime and the browsers accept."""
REBUILD: Final = "the file is damaged or was written by a broken tool; build or download it again"
UNSUPPORTED: Final = "build the module without this WebAssembly proposal"
CONTINUES: Final = 0x80
"""Set in every byte of a LEB128 integer but the last; the other seven bits are payload."""


class Cursor:
    """A position in `data` that moves from `offset` to at most `end`; `section` names it in errors."""

    __slots__ = ("data", "end", "offset", "section")

    def __init__(self, data: bytes, offset: int, end: int, section: str) -> None:
        self.data = data
        self.offset = offset
        self.end = end
        self.section = section

    def refuse(self, rule: str, *, hint: str = REBUILD, offset: int | None = None) -> NoReturn:
        """Raise :class:`ModuleRefused` for `rule` broken at `offset` (here, when not given)."""
        at = self.offset if offset is None else offset
        raise ModuleRefused(f"module refused at byte {at} ({self.section}): {rule}", hint=hint)

    def byte(self, what: str) -> int:
        """Return the next byte."""
        if self.offset >= self.end:
            self.refuse(f"{what} is missing: the bytes end here")
        value = self.data[self.offset]
        self.offset += 1
        return value

    def skip(self, size: int, what: str) -> int:
        """Move over `size` bytes and return the offset of the first."""
        start = self.offset
        if size > self.end - start:
            self.refuse(f"{what} is {size} bytes long, but {self.end - start} remain")
        self.offset = start + size
        return start

    def unsigned(self, what: str, bits: int = 32) -> int:
        """Return the next unsigned LEB128 integer of at most `bits` bits."""
        start = self.offset
        value = self._leb(what, bits)
        if value >> bits:
            self.refuse(f"{what} does not fit in {bits} bits", offset=start)
        return value

    def signed(self, what: str, bits: int) -> int:
        """Return the next signed LEB128 integer of at most `bits` bits."""
        start = self.offset
        value = self._leb(what, bits)
        width = 7 * (self.offset - start)
        if value >> (width - 1):
            value -= 1 << width
        if not -1 << (bits - 1) <= value < 1 << (bits - 1):
            self.refuse(f"{what} does not fit in {bits} bits", offset=start)
        return value

    def _leb(self, what: str, bits: int) -> int:
        start = self.offset
        value = shift = 0
        while (byte := self.byte(what)) >= CONTINUES:
            value |= (byte - CONTINUES) << shift
            shift += 7
            if shift >= bits:
                self.refuse(f"{what} is a LEB128 integer longer than {bits} bits need", offset=start)
        return value | byte << shift

    def name(self, what: str) -> str:
        """Return the next length-prefixed UTF-8 name."""
        size = self.unsigned(f"length of the {what}")
        if size > MAX_NAME:
            self.refuse(f"{what} is {size} bytes long; the limit is {MAX_NAME}")
        start = self.skip(size, what)
        try:
            return self.data[start : self.offset].decode()
        except UnicodeDecodeError as error:
            self.refuse(f"{what} is not UTF-8: {error.reason}", offset=start + error.start)

    def count(self, what: str, smallest: int) -> int:
        """Return the next count of entries that take at least `smallest` bytes each."""
        start = self.offset
        value = self.unsigned(f"number of {what}")
        if value * smallest > self.end - self.offset:
            left = self.end - self.offset
            self.refuse(f"{value} {what} are announced, but only {left} bytes follow", offset=start)
        return value

    def finish(self) -> None:
        """Refuse bytes left between here and `end`."""
        if self.offset != self.end:
            self.refuse(f"{self.end - self.offset} bytes are left over at the end of the section")
