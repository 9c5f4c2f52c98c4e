"""The baseline of ``bench engine``: the same guest through Wasmtime's public Python API.

Written as someone who knows that API would: the memory is looked up once and used by all nine host
functions, a fifth faster than asking the caller for it on each. Raw pointers (``Memory.data_ptr``)
would be a fifth faster again, but then nobody checks what the guest points at.
"""

from __future__ import annotations

from pathlib import Path

from wasmtime import Engine, Func, FuncType, Instance, Linker, Memory, Module, Store, ValType


class PublicGuest:
    """One waPC guest; capability calls are answered with their payload."""

    def __init__(self, path: Path) -> None:
        engine = Engine()
        self._store = Store(engine)
        self._request = (b"", b"")
        self._reply = b""
        self._answer = b""
        linker = Linker(engine)
        self._define(linker)
        instance = linker.instantiate(self._store, Module.from_file(engine, str(path)))
        self._memory, self._guest_call = self._exports(instance)

    def call(self, operation: bytes, message: bytes) -> bytes:
        """Deliver one message and return the reply."""
        self._request = (operation, message)
        if self._guest_call(self._store, len(operation), len(message)) != 1:
            raise RuntimeError("the guest failed")
        return self._reply

    def _exports(self, instance: Instance) -> tuple[Memory, Func]:
        exports = instance.exports(self._store)
        memory, guest_call = exports["memory"], exports["__guest_call"]
        assert isinstance(memory, Memory) and isinstance(guest_call, Func)  # noqa: S101, PT018
        return memory, guest_call

    def _define(self, linker: Linker) -> None:
        i32 = ValType.i32()
        for name, function, parameters, results in (
            ("__guest_request", self._guest_request, 2, 0),
            ("__guest_response", self._guest_response, 2, 0),
            ("__guest_error", self._ignore, 2, 0),
            ("__console_log", self._ignore, 2, 0),
            ("__host_response", self._host_response, 1, 0),
            ("__host_response_len", lambda: len(self._answer), 0, 1),
            ("__host_error", self._ignore, 1, 0),
            ("__host_error_len", lambda: 0, 0, 1),
            ("__host_call", self._host_call, 8, 1),
        ):
            kind = FuncType([i32] * parameters, [i32] * results)
            linker.define(self._store, "wapc", name, Func(self._store, kind, function))

    def _read(self, start: int, length: int) -> bytes:
        return bytes(self._memory.read(self._store, start, start + length))

    def _guest_request(self, operation: int, message: int) -> None:
        self._memory.write(self._store, self._request[0], operation)
        self._memory.write(self._store, self._request[1], message)

    def _guest_response(self, start: int, length: int) -> None:
        self._reply = self._read(start, length)

    def _host_response(self, start: int) -> None:
        self._memory.write(self._store, self._answer, start)

    def _host_call(self, *strings: int) -> int:
        parts = [self._read(start, length) for start, length in zip(strings[::2], strings[1::2], strict=True)]
        self._answer = parts[3]
        return 1

    def _ignore(self, *_: int) -> None:
        """Take what this guest never sends in the benchmark."""
