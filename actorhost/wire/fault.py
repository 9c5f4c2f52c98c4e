"""Faults: how an error travels, and which error it becomes again on the other side."""

from __future__ import annotations

from typing import Final

import msgspec

from actorhost import errors
from actorhost.errors import ActorhostError, FaultCode, InternalError

MAX_TEXT: Final = 4096
"""Characters of a message or hint that travel; a fault is a reason, not a document."""


class Fault(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One error on the wire; `code` may be one that this version does not know."""

    code: str
    message: str
    retryable: bool = False
    where: str = ""
    outcome_known: bool = True
    hint: str = ""


_CLASSES: Final[dict[str, type[ActorhostError]]] = {
    FaultCode.ACTOR_ERROR: errors.ActorFailed,
    FaultCode.BAD_REQUEST: errors.BadRequest,
    FaultCode.DEADLINE: errors.DeadlineExceeded,
    FaultCode.DENIED: errors.Denied,
    FaultCode.INTERNAL: errors.InternalError,
    FaultCode.MEMORY: errors.MemoryExceeded,
    FaultCode.MISBEHAVED: errors.GuestMisbehaved,
    FaultCode.NO_ROUTE: errors.NoRoute,
    FaultCode.OVERLOADED: errors.Overloaded,
    FaultCode.PROVIDER_ERROR: errors.ProviderFailed,
    FaultCode.TIMEOUT: errors.CallTimeout,
    FaultCode.TOO_LARGE: errors.TooLarge,
    FaultCode.TRAPPED: errors.GuestTrapped,
    FaultCode.UNAVAILABLE: errors.Unavailable,
    FaultCode.UNKNOWN_OUTCOME: errors.OutcomeUnknown,
}


def fault_of(error: BaseException, where: str = "") -> Fault:
    """Return what travels about `error`, which happened at `where` unless it says itself.

    An exception that is not ours is a bug: only its class travels, as its text may hold a secret.
    """
    if not isinstance(error, ActorhostError):
        return Fault(
            FaultCode.INTERNAL,
            f"unexpected {type(error).__name__}; see the host's log",
            where=where,
            outcome_known=False,
        )
    return Fault(
        code=error.code,
        message=error.message[:MAX_TEXT],
        retryable=error.retryable,
        where=(error.where or where)[:MAX_TEXT],
        outcome_known=error.outcome_known,
        hint=error.hint[:MAX_TEXT],
    )


def error_of(fault: Fault) -> ActorhostError:
    """Return the error `fault` describes; a code of a later version becomes :class:`InternalError`."""
    known = _CLASSES.get(fault.code)
    if known is None:
        error: ActorhostError = InternalError(
            f"fault of unknown kind {fault.code[:80]!r}: {fault.message}", hint=fault.hint, where=fault.where
        )
    else:
        error = known(fault.message, hint=fault.hint, where=fault.where)
    error.retryable = fault.retryable
    error.outcome_known = fault.outcome_known
    return error
