"""One operation of a provider, from the caller's bytes to the result's, within the deadline.

Called by the broker on the caller's task and ended by the deadline or the caller's cancellation.
A provider that answers without waiting costs no timer: its first step runs by hand, and only if
that step waits is a time-out set up around the rest.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from actorhost.capability.grants import BoundOperation, Caller, ProviderGrant
from actorhost.capability.redaction import blot, describe
from actorhost.clock import monotonic
from actorhost.contracts.base import Effect, Params
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    InvalidInput,
    OutcomeUnknown,
    ProviderFailed,
    TooLarge,
)


async def serve(caller: Caller, grant: ProviderGrant, bound: BoundOperation, payload: bytes) -> bytes:
    """Return the reply of one operation in its wire form.

    Raises what the provider raised when that is an :class:`ActorhostError`; :class:`BadRequest`
    and :class:`TooLarge` for parameters; :class:`CallTimeout` at the caller's deadline; and
    :class:`ProviderFailed` for everything else that goes wrong in the provider.
    """
    params = _decode(caller, grant, bound, payload)
    try:
        result = await _within(caller, bound.method(grant.link, params))
    except _TimeIsUp:
        raise _timed_out(caller, grant, bound) from None
    except ActorhostError as error:
        error.where = error.where or f"provider {grant.provider}"
        blot(error, grant.hidden)
        raise
    except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the seam for foreign exceptions; sys.exit() is no way out
        raise _failed(grant, bound, describe(error, grant.secrets)) from None
    return _encode(caller, grant, bound, result)


class _TimeIsUp(Exception):
    """The deadline passed while the provider waited."""


async def _within(caller: Caller, work: Awaitable[Any]) -> Any:
    """Run `work`, a coroutine, on the current task; raise :class:`_TimeIsUp` at the deadline."""
    coroutine: Coroutine[Any, Any, Any] = work  # type: ignore[assignment]
    try:
        waiting = coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    scope = asyncio.timeout(caller.deadline - monotonic())
    try:
        async with scope:
            return await _carry_on(coroutine, waiting)
    except Exception:
        # Also when the provider turned the cancellation at the deadline into an error of its own.
        if scope.expired():
            raise _TimeIsUp from None
        raise


@types.coroutine
def _carry_on(coroutine: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, Any]:
    """Run on a coroutine whose first step was taken by hand and waits for `waiting`."""
    while True:
        try:
            try:
                value = yield waiting
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the coroutine
                waiting = coroutine.throw(error)
            else:
                waiting = coroutine.send(value)
        except StopIteration as finished:
            return finished.value


def _decode(caller: Caller, grant: ProviderGrant, bound: BoundOperation, payload: bytes) -> Params:
    try:
        return bound.operation.decode_params(payload)
    except InvalidInput as error:
        raise BadRequest(f"{_what(caller, grant, bound)}: {error}", hint=error.hint) from None
    except TooLarge as error:
        raise TooLarge(f"{_what(caller, grant, bound)}: {error}", hint=error.hint) from None


def _encode(caller: Caller, grant: ProviderGrant, bound: BoundOperation, result: Any) -> bytes:
    operation = bound.operation
    if not isinstance(result, operation.result_types):
        expected = " or ".join(kind.__name__ for kind in operation.result_types)
        raise _failed(grant, bound, f"it returned {type(result).__name__} instead of {expected}")
    try:
        reply = operation.encode_result(result)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise _failed(
            grant, bound, f"its result has no wire form: {describe(error, grant.secrets)}"
        ) from None
    if len(reply) > caller.max_message:
        raise TooLarge(
            f"{_what(caller, grant, bound)}: the reply of {len(reply)} bytes is over"
            f" {caller.max_message}; the operation was carried out",
            hint=f"ask for less, or raise max-message of actor {caller.actor!r}",
            where=f"provider {grant.provider}",
        )
    return reply


def _what(caller: Caller, grant: ProviderGrant, bound: BoundOperation) -> str:
    link = grant.link
    return f"{bound.operation.name!r} of {link.contract} called by {caller.actor!r} over link {link.name!r}"


def _timed_out(caller: Caller, grant: ProviderGrant, bound: BoundOperation) -> CallTimeout | OutcomeUnknown:
    # Guests see the code: what may have been done must not look as if nothing was.
    reads = bound.operation.effect is Effect.READ
    error = (CallTimeout if reads else OutcomeUnknown)(
        f"{_what(caller, grant, bound)}: provider {grant.provider!r} did not answer before the deadline",
        hint=f"look at the provider, or raise the timeout of actor {caller.actor!r}",
        where=f"provider {grant.provider}",
    )
    error.outcome_known = reads
    return error


def _failed(grant: ProviderGrant, bound: BoundOperation, why: str) -> ProviderFailed:
    error = ProviderFailed(
        f"provider {grant.provider!r} failed in {bound.operation.name!r} of {grant.link.contract}: {why}",
        hint="this is a fault in the provider's code or configuration",
        where=f"provider {grant.provider}",
    )
    error.outcome_known = bound.operation.effect is Effect.READ
    return error
