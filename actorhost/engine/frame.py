"""Arguments and results of calls into Wasm, kept alive and reused.

Wasmtime reads and writes them until a call's future is deleted, so each call under way has a frame
of its own; a frame goes back to the pool when its call has ended. Owned by the engine.
"""

from __future__ import annotations

import ctypes
from typing import Final

from actorhost.engine import capi

_VAL: Final = ctypes.sizeof(capi.Val)
_PAYLOAD: Final = capi.Val.of.offset
_WORD: Final = 4


class Frame:
    """Two i32 arguments, one i32 result, and where a trap or error will be put.

    ``words[FIRST]`` and ``words[SECOND]`` are the arguments, ``words[RESULT]`` the result;
    ``arguments``, ``results``, ``trap`` and ``error`` are their addresses.
    """

    __slots__ = ("_out", "_values", "arguments", "error", "results", "trap", "words")

    FIRST: Final = _PAYLOAD // _WORD
    SECOND: Final = (_VAL + _PAYLOAD) // _WORD
    RESULT: Final = (2 * _VAL + _PAYLOAD) // _WORD

    def __init__(self) -> None:
        self._values = (capi.Val * 3)()
        # A fresh value is all zeros, and zero is the kind of an i32.
        self.words = (ctypes.c_int32 * (3 * _VAL // _WORD)).from_buffer(self._values)
        self._out = (ctypes.c_uint64 * 2)()
        self.arguments = ctypes.addressof(self._values)
        self.results = self.arguments + 2 * _VAL
        self.trap = ctypes.addressof(self._out)
        self.error = self.trap + ctypes.sizeof(ctypes.c_uint64)

    def failure(self) -> tuple[int | None, str] | None:
        """Return code and text of the trap or error the call ended with, freeing it; None if it did not."""
        trap, error = self._out
        if not (trap or error):
            return None
        self._out[0] = self._out[1] = 0
        return capi.trap_and_free(trap) if trap else (None, capi.message_and_free(error))


class Frames:
    """A pool of frames, as many as calls were ever under way at once."""

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free: list[Frame] = []

    def take(self) -> Frame:
        """Return a frame for one call."""
        return self._free.pop() if self._free else Frame()

    def give_back(self, frame: Frame) -> None:
        """Take `frame` back once its call's future is deleted."""
        self._free.append(frame)
