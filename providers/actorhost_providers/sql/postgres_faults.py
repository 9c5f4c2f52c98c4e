"""What asyncpg and PostgreSQL raise, in our words, with what is known of the outcome.

Pure. A statement that the server refused is the actor's affair (``bad_request``, with the
SQLSTATE); a server that is away, full or in the way is not (``provider_error``). What PostgreSQL
quotes of values is left out.
"""

from __future__ import annotations

import re
from typing import Final

import asyncpg

from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    Denied,
    OutcomeUnknown,
    ProviderFailed,
)
from actorhost_providers.sql.statement import PLACEHOLDERS

FOREIGN: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    EOFError,
    UnicodeError,
)
"""What asyncpg raises; the last of these for text in another encoding, which a statement may ask for."""

RAISE_POOL: Final = "raise pool in the provider's configuration, or retry later"
"""What to do about calls that wait for a connection."""

_READ_ONLY: Final = "25006"
_CANCELED: Final = "57014"
_AWAY: Final = ("08", "57P")
_UNMET: Final = (*_AWAY, "28", "3D")
"""Nothing came about with the server."""
_PASSING: Final = (*_AWAY, "53")
"""What may prevent a connection for a while."""
_AGAIN: Final = ("40", "53", "55P03", "0A000")
_THEIRS: Final = (*_AWAY, "40", "53", "55P03", "58000", "58030", "F0", "XX")
"""What is wrong with the server, or in the way there, rather than with the statement."""
_HARMLESS: Final = (*_AWAY, "40", "55P03", _CANCELED)
"""Of these the server's text names nothing that is configured."""
_HINTS: Final = {
    "42601": f"look at the statement: it is one, and {PLACEHOLDERS}",
    "42P18": "give each parameter a placeholder, or a cast where its type is open: $1::bigint",
}
"""What to do about states for which the schema is not to blame."""
_NUMBER: Final = re.compile(r"query argument (\$\d+)")


def lost(error: BaseException) -> bool:
    """Return whether after `error` the connection is of no use any more."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_AWAY) and error.sqlstate != _CANCELED
    return not isinstance(error, ActorhostError)


def cancelled(error: BaseException) -> bool:
    """Return whether the server ended a statement for its time or because somebody told it to."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate == _CANCELED


def translated(error: Exception, *, seconds: float, waited: float, committing: bool) -> ActorhostError:
    """Return the fault of a call that ended with `error`; it had a connection after `waited` seconds."""
    if isinstance(error, ActorhostError):
        return error
    if committing and lost(error):
        return OutcomeUnknown(
            "the connection to the PostgreSQL server was lost while it committed",
            hint="it may have been done; look before writing again",
        )
    if isinstance(error, asyncpg.PostgresError):
        return _answered(error, error.sqlstate or "XX000", seconds, waited)
    if isinstance(error, asyncpg.UnsupportedClientFeatureError | UnicodeError):
        number = _NUMBER.search(str(error))
        return _unfit(number[1]) if number else _unreadable()
    return failed(error)


def failed(error: Exception, *, retryable: bool = True) -> ProviderFailed:
    """Return the fault of a server that did nothing, for an actor: without what is configured."""
    fault = ProviderFailed(
        f"the PostgreSQL server did not do it: {_told(error)}",
        hint="the server's log may say more; retry where that may help",
    )
    fault.retryable = retryable
    return fault


def unreachable(error: Exception) -> ProviderFailed:
    """Return the fault of a call for which no connection could be made, for an actor; the log says why."""
    fault = ProviderFailed(
        "no connection to the PostgreSQL server could be made; nothing was done",
        hint="the log of the provider says why; retry where that may help",
    )
    fault.retryable = _passes(error)
    return fault


def not_started(error: Exception, shown: str) -> ProviderFailed:
    """Return the fault of a start without the server `shown`, for the operator."""
    fault = ProviderFailed(
        f"the PostgreSQL server at {shown} did not do it: {reason(error)}",
        hint="the server's log may say more; retry where that may help"
        if isinstance(error, asyncpg.PostgresError) and not str(error.sqlstate).startswith(_UNMET)
        else "is it running, is the address right, and do the credentials fit?",
    )
    fault.retryable = _passes(error)
    return fault


def timed_out(seconds: float, waited: float) -> CallTimeout:
    """Return the fault of a statement that took too long and was rolled back."""
    slow = waited < seconds / 2
    error = CallTimeout(
        f"the statement took longer than {seconds:g} s; nothing was done"
        if slow
        else f"{seconds:g} s were over, of which {waited:.2g} s went by until a connection was free;"
        " nothing was done",
        hint="make it cheaper (an index?), or raise statement-timeout of the link" if slow else RAISE_POOL,
    )
    error.outcome_known = True
    return error


def reason(error: BaseException) -> str:
    """Return the first line of what `error` says."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _passes(error: Exception) -> bool:
    """Return whether what prevented a connection may pass without an operator."""
    return not isinstance(error, asyncpg.PostgresError) or str(error.sqlstate).startswith(_PASSING)


def _told(error: Exception) -> str:
    """Return what an actor is told of an error that is the server's own: its text may hold paths."""
    if not isinstance(error, asyncpg.PostgresError):
        return "the connection was lost"
    state = error.sqlstate or "XX000"
    return reason(error) if state.startswith(_HARMLESS) else f"[{state}] {type(error).__name__}"


def _answered(error: asyncpg.PostgresError, state: str, seconds: float, waited: float) -> ActorhostError:
    if state == _CANCELED:
        return timed_out(seconds, waited)
    if state == _READ_ONLY:
        return Denied("a query may not write", hint="use execute or batch, over a link that is not read-only")
    if state.startswith(_THEIRS):
        return failed(error, retryable=state.startswith((*_AWAY, *_AGAIN)))
    if isinstance(error, asyncpg.DataError) and (number := _NUMBER.search(str(error))):
        return _unfit(number[1])
    # Messages of this class quote the value that did not fit.
    what = type(error).__name__ if state.startswith("22") else reason(error)
    return BadRequest(f"[{state}] {what}", hint=_HINTS.get(state, "look at the statement and the schema"))


def _unreadable() -> BadRequest:
    return BadRequest(
        "the statement returns what has no form in actorhost:sql, of a type or in an encoding of its own",
        hint="cast it to text in the statement, and leave client_encoding alone",
    )


def _unfit(parameter: str) -> BadRequest:
    return BadRequest(
        f"parameter {parameter} does not fit the type that PostgreSQL expects there",
        hint="send the kind of that type (text for numeric, uuid, json, date), or cast it: $1::bigint",
    )
