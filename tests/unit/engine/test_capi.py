"""The table of C functions says what the wheel's own bindings say."""

from __future__ import annotations

import ctypes
from _ctypes import CFuncPtr

import pytest
from wasmtime import _bindings as wheel

from actorhost.engine import capi


def _same(ours: object, theirs: object) -> bool:
    """Tell whether two ctypes parameter types are passed alike: an address may be typed or plain."""
    if ours is theirs:
        return True
    if ours is None or theirs is None:
        return False
    addresses = (ctypes.c_void_p, ctypes.c_char_p)
    if ours in addresses or issubclass(ours, CFuncPtr):  # type: ignore[arg-type]
        return theirs in addresses or issubclass(theirs, ctypes._Pointer | CFuncPtr)  # type: ignore[arg-type]
    return ours._type_ == theirs._type_ and ctypes.sizeof(ours) == ctypes.sizeof(theirs)  # type: ignore[attr-defined,arg-type]


@pytest.mark.parametrize("name", sorted(capi.DECLARED))
def test_every_function_exists_with_the_declared_signature(name: str) -> None:
    result, parameters = capi.DECLARED[name]
    theirs = getattr(wheel, f"_{name}")
    assert _same(result, theirs.restype), f"result {theirs.restype}"
    assert len(parameters) == len(theirs.argtypes)
    for position, (ours, other) in enumerate(zip(parameters, theirs.argtypes, strict=True)):
        assert _same(ours, other), f"parameter {position}: {ours} against {other}"


def test_the_async_callback_and_its_continuation_have_the_wheels_shape() -> None:
    ours, theirs = capi.AsyncCallback, wheel.wasmtime_func_async_callback_t
    assert _same(ours._restype_, theirs._restype_)
    assert all(map(_same, ours._argtypes_, theirs._argtypes_))
    assert len(ours._argtypes_) == len(theirs._argtypes_)
    assert ctypes.sizeof(capi.Continuation) == ctypes.sizeof(wheel.wasmtime_async_continuation_t)
    for name in ("callback", "env", "finalizer"):
        assert (
            getattr(capi.Continuation, name).offset
            == getattr(wheel.wasmtime_async_continuation_t, name).offset
        )


def test_the_wheels_own_declarations_are_left_alone() -> None:
    assert capi.C.wasmtime_call_future_poll is not wheel._wasmtime_call_future_poll
    assert wheel._wasmtime_call_future_poll.argtypes != (ctypes.c_void_p,)


def test_an_undeclared_function_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="not declared"):
        capi.C.wasmtime_context_gc  # noqa: B018
