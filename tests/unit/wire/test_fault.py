"""Faults: every error of the tree travels and comes back as itself."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from actorhost import errors
from actorhost.errors import ActorhostError, FaultCode, InternalError
from actorhost.wire import fault


def _classes(root: type[ActorhostError] = ActorhostError) -> Iterator[type[ActorhostError]]:
    yield root
    for child in root.__subclasses__():
        yield from _classes(child)


def _made(kind: type[ActorhostError]) -> ActorhostError:
    if kind is errors.ManifestInvalid:
        return errors.ManifestInvalid("it broke", hint="mend it", where="host/actor")
    return kind("it broke", hint="mend it", where="host/actor")


@pytest.mark.parametrize("kind", sorted(set(_classes()), key=str))
def test_every_error_becomes_a_fault_and_an_error_of_its_code(kind: type[ActorhostError]) -> None:
    error = _made(kind)
    back = fault.error_of(fault.fault_of(error))
    assert back.code == error.code
    assert (back.message, back.hint, back.where) == (error.message, error.hint, error.where)
    assert (back.retryable, back.outcome_known) == (error.retryable, error.outcome_known)


@pytest.mark.parametrize("code", list(FaultCode))
def test_every_code_has_a_class(code: FaultCode) -> None:
    assert fault.error_of(fault.Fault(code, "x")).code == code


def test_a_code_of_a_later_version_is_an_internal_error_that_names_it() -> None:
    error = fault.error_of(fault.Fault("melted", "too hot"))
    assert isinstance(error, InternalError)
    assert "melted" in str(error)
    assert "too hot" in str(error)


def test_a_bug_travels_without_its_text() -> None:
    text = str(fault.fault_of(ValueError("password=hunter2")))
    assert "hunter2" not in text
    assert "ValueError" in text


def test_long_texts_are_cut() -> None:
    assert len(fault.fault_of(errors.BadRequest("x" * 10_000)).message) == fault.MAX_TEXT


def test_a_fault_is_an_array_that_may_grow() -> None:
    data = msgspec.msgpack.encode(["timeout", "late", True, "h", False, "wait", "new in a later version"])
    assert msgspec.msgpack.decode(data, type=fault.Fault).hint == "wait"
