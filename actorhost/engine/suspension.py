"""The one host function guests can reach: it parks the fiber, and does nothing else.

It runs on the guest's stack, where no decoding, logging or waiting may happen and where an
exception has nowhere to go. So it fills the continuation Wasmtime asks at each poll, and returns.
"""

from __future__ import annotations

import ctypes
from typing import Final

from actorhost.engine.capi import AsyncCallback, C, Continuation, message_and_free, no_parameters_type
from actorhost.errors import EngineUnavailable

_memmove: Final = ctypes.memmove
_SIZE: Final = ctypes.sizeof(Continuation)

# Wasmtime asks a continuation's callback whether the fiber may go on: bool(*)(void *env). C's
# strlen has that shape when `env` points at one byte and a terminator: it answers 0 for b"\0\0"
# and 1 for b"\1\0". Being C it needs neither the GIL nor the guest's stack for Python frames.
_STRLEN: Final = ctypes.cast(ctypes.PyDLL(None).strlen, ctypes.c_void_p).value


class Suspension:
    """Tells whether the fiber being polled parked itself; one object serves all fibers.

    Only one fiber is polled at a time, and a parked fiber is polled again only when its answer is
    there. So one flag is enough: it says "not ready" from the moment a fiber parks until that poll
    returns, and "ready" at every other time.
    """

    __slots__ = ("_callback", "_flag", "_template", "parked")

    def __init__(self) -> None:
        self.parked = False
        self._flag = (ctypes.c_uint8 * 2)(1, 0)
        self._template = Continuation(_STRLEN, ctypes.addressof(self._flag), None)
        self._callback = self._make_callback()

    def define(self, linker: int) -> None:
        """Give modules linked by `linker` the import ``host.suspend``."""
        signature = no_parameters_type()
        error = C.wasmtime_linker_define_async_func(
            linker, b"host", 4, b"suspend", 7, signature, self._callback, None, None
        )
        C.wasm_functype_delete(signature)
        if error:
            raise EngineUnavailable(f"cannot define the suspend function: {message_and_free(error)}")

    def take(self) -> None:
        """Note that the poll in which a fiber parked has returned."""
        self._flag[0] = 1

    def _make_callback(self) -> ctypes._FuncPointer:
        flag, template = self._flag, ctypes.addressof(self._template)

        def suspend(
            _env: int,
            _caller: int,
            _arguments: int,
            _argument_count: int,
            _results: int,
            _result_count: int,
            _trap: int,
            continuation: int,
        ) -> None:
            self.parked = True
            flag[0] = 0
            _memmove(continuation, template, _SIZE)

        return AsyncCallback(suspend)
