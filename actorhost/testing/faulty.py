"""Providers that hang, fail or lie on purpose, made from any provider or contract class.

Each function returns a class; hand it to a host by the name a manifest uses:
``Host(providers={"store": failing_provider(MemoryKeyValue, every=3)})``. What is counted is counted by
each provider by itself, from the first call on, so a test that runs again sees the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
from collections.abc import Awaitable, Callable, Collection
from enum import StrEnum
from typing import Any, Final

import msgspec

from actorhost.contracts.base import Operation
from actorhost.contracts.provider import Provider
from actorhost.errors import InvalidInput, ProviderFailed
from actorhost.limits import MIB

_LIFE: Final = ("start", "stop")
_OVERSIZED: Final = 4 * MIB
"""Bytes of an answer that is too long for the limits as they are by default."""

_Method = Callable[..., Awaitable[Any]]


class Lie(StrEnum):
    """What an answer can be that should not."""

    WRONG_TYPE = "wrong-type"
    OVERSIZED = "oversized"
    LATE = "late"


class Nonsense:
    """What no operation returns."""


def hanging_provider(kind: type[Provider], *, only: Collection[str] = ()) -> type[Provider]:
    """Return a `kind` that never answers; it ends when it is cancelled, at the caller's deadline.

    `only` names the operations concerned, or ``start`` and ``stop``; all operations when it is empty.
    Raises :class:`InvalidInput` for a name that `kind` does not have.
    """

    def make(_operation: Operation | None, _honest: _Method) -> _Method:
        async def hang(_self: Provider, *_arguments: object) -> Any:
            await asyncio.Event().wait()

        return hang

    return _altered(kind, "Hanging", only, make)


def failing_provider(
    kind: type[Provider],
    *,
    every: int = 1,
    error: Callable[[], Exception] = lambda: ProviderFailed("it fails because the test says so"),
    only: Collection[str] = (),
) -> type[Provider]:
    """Return a `kind` whose every n-th call raises what `error` makes, with nothing done.

    `only` is as for :func:`hanging_provider`; calls of all operations concerned count together. Raises
    :class:`InvalidInput` also when calls between would need a `kind` that implements its operations.
    """
    if every < 1:
        raise InvalidInput(f"every {every}th call cannot fail", hint="use 1 for each, 2 for every other ...")
    if every > 1 and inspect.isabstract(kind):
        raise InvalidInput(f"{kind.__name__} implements nothing", hint="give a provider that works")

    def make(_operation: Operation | None, honest: _Method) -> _Method:
        async def fail(self: Provider, *arguments: object) -> Any:
            calls = vars(self).setdefault("_calls", itertools.count(1))
            if next(calls) % every == 0:
                raise error()
            return await honest(self, *arguments)

        return fail

    return _altered(kind, "Failing", only, make)


def lying_provider(kind: type[Provider], lie: Lie, *, only: Collection[str] = ()) -> type[Provider]:
    """Return a `kind` whose answers are of the wrong type, too long, or given after the deadline.

    `only` names the operations concerned, all when it is empty. A late answer is honest and comes when
    the provider is cancelled, which it does not heed; a result that cannot be long is of the wrong type.
    """

    def make(operation: Operation | None, honest: _Method) -> _Method:
        if operation is None:
            raise InvalidInput("start and stop have no answer to lie in", hint="name operations")
        answer = _oversized(operation) if lie is Lie.OVERSIZED else Nonsense()

        async def tell(self: Provider, *arguments: object) -> Any:
            if lie is not Lie.LATE:
                return answer
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return await honest(self, *arguments)

        return tell

    if lie is Lie.LATE and inspect.isabstract(kind):
        raise InvalidInput(f"{kind.__name__} implements nothing", hint="give a provider that works")
    return _altered(kind, "Lying", only, make)


def _altered(
    kind: type[Provider],
    how: str,
    only: Collection[str],
    make: Callable[[Operation | None, _Method], _Method],
) -> type[Provider]:
    """Return a subclass of `kind` with the methods that `make` makes of the operations named `only`."""
    operations = kind.contract.operations
    unknown = sorted(set(only) - operations.keys() - set(_LIFE))
    if unknown:
        raise InvalidInput(
            f"{kind.__name__} has no {', '.join(unknown)}",
            hint=f"its operations are {', '.join(operations)}; start and stop may be named, too",
        )
    made = {}
    for name in only or operations:
        operation = operations.get(name)
        method = name if operation is None else operation.method
        made[method] = make(operation, getattr(kind, method))
    return type(f"{how}{kind.__name__}", (kind,), {"__doc__": f"{how} on purpose.", **made})


def _oversized(operation: Operation) -> object:
    """Return a result of the right class and too many bytes, :class:`Nonsense` if there is none."""
    for kind in operation.result_types:
        if kind is bytes:
            return bytes(_OVERSIZED)
        if kind is str:
            return "x" * _OVERSIZED
        if kind is list:
            return [bytes(_OVERSIZED)]
        if issubclass(kind, msgspec.Struct) and kind.__struct_fields__:
            # Neither the class nor the encoder looks at the types of fields.
            return kind(*[bytes(_OVERSIZED // len(kind.__struct_fields__))] * len(kind.__struct_fields__))
    return Nonsense()
