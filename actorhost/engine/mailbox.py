"""The host's view of a sandbox's mailbox memory: write the request, read what the shim left.

Layout and rules are in wat/wapc.wat. Only the shims write here besides this class, so lengths and
offsets read from the header are trusted. The address may move whenever Wasm grows the memory;
:meth:`Mailbox.refresh` looks it up after each poll. After a large message the pages beyond the
first few are given back to the system, so a sandbox's footprint does not stay at its largest message.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Final

from actorhost.engine.capi import C, message_and_free
from actorhost.errors import TooLarge
from actorhost.limits import KIB, PAGE

HEADER: Final = struct.Struct("<20IQII")
"""The header of wat/wapc.wat: twenty words, the wide result, two words of padding."""

OP_LENGTH, MESSAGE_LENGTH, TOP, LIMIT, STATUS = range(5)
REPLY_AT, REPLY_LENGTH, ERROR_AT, ERROR_LENGTH, REASON = range(5, 10)
ARGUMENT_0, ARGUMENT_1, ARGUMENT_2, ARGUMENT_3 = range(10, 14)
HOST_STATUS, HOST_AT, HOST_REPLY_LENGTH, HOST_ERROR_LENGTH, NEED, EXIT, WIDE = range(14, 21)

DATA: Final = HEADER.size
REPLIED, FAILED, ANSWERED_TWICE, OVER_LIMIT = 1, 2, 4, 8

KEEP: Final = 256 * KIB
"""Bytes of the mailbox that stay resident between messages."""

_MADV_DONTNEED: Final = 4
_libc: Final = ctypes.PyDLL(None)
_madvise: Final = _libc.madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_memmove: Final = ctypes.memmove
_string_at: Final = ctypes.string_at
_unpack: Final = HEADER.unpack_from
_BEGIN: Final = struct.Struct("<4I")
_pack_begin: Final = _BEGIN.pack
_CLEARED: Final = bytes(HEADER.size - _BEGIN.size)
_pack_answer: Final = struct.Struct("<4I").pack_into
_unpack_end: Final = struct.Struct("<3I").unpack_from
_Word: Final = ctypes.c_uint32


class Mailbox:
    """The mailbox memory of one sandbox; `limit` bytes at most in any one payload or reply."""

    __slots__ = ("_base", "_capacity", "_context", "_limit", "_memory", "_memory_address", "_window", "used")

    def __init__(self, context: int, memory: Any, limit: int) -> None:
        self._context = context
        self._memory = memory
        self._memory_address = ctypes.addressof(memory)
        self._limit = limit
        self._base = 0
        self.used = 0
        self.refresh()
        self._capacity = PAGE

    def refresh(self) -> None:
        """Look up where the memory is now."""
        base = C.wasmtime_memory_data(self._context, self._memory_address)
        if base != self._base:
            self._base = base
            self._capacity = self.size()
            # A window is several times faster to read than an address. It covers what is there now:
            # what lies beyond, after the memory grew in place, is read by address.
            self._window = memoryview((ctypes.c_char * self._capacity).from_address(base)).cast("B")

    def put_request(self, operation: bytes, payload: bytes) -> None:
        """Make the request ready for ``__guest_request``; nothing of the last message stays.

        Raises :class:`TooLarge` when the payload is over the limit or the memory cannot hold it.
        """
        operation_length, payload_length = len(operation), len(payload)
        top = DATA + operation_length + payload_length
        if payload_length > self._limit:
            raise TooLarge(
                f"a message of {payload_length} bytes is over the actor's limit of {self._limit}",
                hint="raise max-message in the manifest, or send less",
            )
        if top > self._capacity:
            self._grow(top)
        self.used = top = (top + 7) & ~7
        head = _pack_begin(operation_length, payload_length, top, self._limit) + _CLEARED + operation
        size = DATA + operation_length + payload_length
        if size <= PAGE:  # the window covers it, and joining copies little
            self._window[:size] = head + payload
        else:
            _memmove(self._base, head, DATA + operation_length)
            _memmove(self._base + DATA + operation_length, payload, payload_length)

    def outcome(self) -> tuple[int, int, int]:
        """Return status, and offset and length of the reply: all that a plain message needs."""
        return _unpack_end(self._window, 4 * STATUS)

    def header(self) -> tuple[int, ...]:
        """Return the header's fields, indexed by the constants of this module."""
        return _unpack(self._window)

    def read(self, offset: int, length: int) -> bytes:
        """Return a copy of `length` bytes at `offset`."""
        end = offset + length
        if end > len(self._window):
            return _string_at(self._base + offset, length)
        return self._window[offset:end].tobytes()

    def put_word(self, index: int, value: int) -> None:
        """Set one word of the header."""
        _Word.from_address(self._base + 4 * index).value = value

    def put_wide(self, value: int) -> None:
        """Set the wide result."""
        ctypes.c_uint64.from_address(self._base + 4 * WIDE).value = value

    def put_answer(self, top: int, data: bytes, *, failed: bool) -> bool:
        """Place the host's answer at `top`; false when the shim must make room first."""
        size = len(data)
        if top + size > self._capacity:
            self._capacity = self.size()
            if top + size > self._capacity:
                self.put_word(NEED, size)
                return False
        self.used = max(self.used, top + size)
        _memmove(self._base + top, data, size)
        answer = (0, top, 0, size) if failed else (1, top, size, 0)
        _pack_answer(self._window, 4 * HOST_STATUS, *answer)
        return True

    def size(self) -> int:
        """Return the bytes the memory has now, resident or not."""
        return int(C.wasmtime_memory_data_size(self._context, self._memory_address))

    def shrink(self) -> None:
        """Give the pages beyond the kept ones back to the system."""
        size = self.size()
        if size > KEEP:
            _madvise(self._base + KEEP, size - KEEP, _MADV_DONTNEED)

    def _grow(self, needed: int) -> None:
        self._capacity = self.size()
        if needed <= self._capacity:
            return
        pages = -(-(needed - self._capacity) // PAGE)
        before = ctypes.c_uint64()
        error = C.wasmtime_memory_grow(self._context, self._memory_address, pages, ctypes.addressof(before))
        if error:
            message_and_free(error)
            raise TooLarge(
                f"a message of {needed} bytes does not fit the sandbox's mailbox",
                hint="raise the actor's memory limit, or send less",
            )
        self._base = 0
        self.refresh()
