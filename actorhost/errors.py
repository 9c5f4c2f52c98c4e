"""The whole exception tree: every error a caller of actorhost can meet, with its fault code.

Errors are data: each class carries the code that travels on the wire, whether trying again can
help, and whether the outcome of the call is known. The tree, outermost first::

    ActorhostError
    |-- InvalidInput              you sent nonsense; nothing was done
    |   |-- InvalidName             a name, digest or subject token breaks its rule
    |   |-- InvalidLimit            a limit or timeout is out of range
    |   |-- ProtocolError           bytes that are not an envelope, subject or contract value
    |   |-- ManifestInvalid         a manifest with one or more located findings
    |   |-- ModuleRefused           bytes that are not a module this host may run
    |   `-- ProviderRefused         a provider that is not installed, not fit or wrongly configured
    |       `-- ConfigRefused       its configuration, or that of a link, with keys that are wrong
    |-- CallFailed                a message was addressed and did not end in a reply
    |   |-- BadRequest              the receiver could not make sense of the message
    |   |-- TooLarge                a message, reply or value over its size limit
    |   |-- NoRoute                 nobody answers at that address
    |   |-- Overloaded              a mailbox or queue is full; nothing was done
    |   |-- Denied                  a contract, link or operation that was not granted
    |   |-- CallTimeout             no answer in time; the work may have been done
    |   |-- DeadlineExceeded        the guest was ended at its deadline
    |   |-- MemoryExceeded          the guest was ended at its memory limit
    |   |-- GuestTrapped            the guest broke a rule of Wasm and was ended
    |   |-- GuestMisbehaved         the guest broke a rule of the guest ABI and was ended
    |   |-- ActorFailed             the actor answered with an error of its own
    |   |-- ProviderFailed          a capability provider failed or refused
    |   `-- OutcomeUnknown          the connection broke after the message left
    |-- Unavailable               this machine or process cannot do it now
    |   |-- EngineUnavailable       the Wasm engine cannot run on this interpreter
    |   |-- ServerUnavailable       no NATS server, or it went away
    |   `-- Closed                  the object was closed; it takes no more work
    `-- InternalError             we have a bug; please report it

Owned by nobody and imported by everybody: this module imports nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class FaultCode(StrEnum):
    """What kind of end a call came to, as it travels on the wire."""

    ACTOR_ERROR = "actor_error"
    BAD_REQUEST = "bad_request"
    DEADLINE = "deadline"
    DENIED = "denied"
    INTERNAL = "internal"
    MEMORY = "memory"
    MISBEHAVED = "misbehaved"
    NO_ROUTE = "no_route"
    OVERLOADED = "overloaded"
    PROVIDER_ERROR = "provider_error"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    TRAPPED = "trapped"
    UNAVAILABLE = "unavailable"
    UNKNOWN_OUTCOME = "unknown_outcome"


class ActorhostError(Exception):
    """Root of every error this package raises on purpose.

    ``code`` is the wire fault code; ``retryable`` says whether the same call may succeed later
    without harm; ``outcome_known`` is false when the work may or may not have been done.
    ``hint`` says what to do about it; ``where`` names the place (``host/actor``) it happened.
    """

    code: ClassVar[FaultCode] = FaultCode.INTERNAL
    retryable: bool = False
    outcome_known: bool = True

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return self.message


class InvalidInput(ActorhostError):
    """The caller sent something that cannot be right; nothing was done."""

    code = FaultCode.BAD_REQUEST


class InvalidName(InvalidInput):
    """A name, digest or subject token that breaks its rule."""


class InvalidLimit(InvalidInput):
    """A limit or timeout out of its range."""


class ProtocolError(InvalidInput):
    """Bytes that are not an envelope, a subject or a contract value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong in a manifest: where (`line` and `column` count from 1), what, and what to do.

    `path` is the key path (``spec.components[0].name``); `excerpt` is the source line, made
    printable; `source` is the file's name as it was given.
    """

    source: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    excerpt: str = ""


class ManifestInvalid(InvalidInput):
    """A manifest with `findings`, in the order of the file; the message is the whole report.

    `more` counts the findings beyond those, which are not kept.
    """

    def __init__(
        self,
        message: str,
        *,
        findings: tuple[Finding, ...] = (),
        more: int = 0,
        hint: str = "",
        where: str = "",
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.findings = findings
        self.more = more


class ModuleRefused(InvalidInput):
    """Bytes that are not a module this host may run."""


class ProviderRefused(InvalidInput):
    """A provider that is not installed, does not fit its contract or is wrongly configured."""


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing wrong in a configuration: at which key path, what, and what to do."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


class ConfigRefused(ProviderRefused):
    """A configuration of a provider or link with `faults`; the message names each by its key."""

    def __init__(
        self, message: str, *, faults: tuple[ConfigFault, ...] = (), hint: str = "", where: str = ""
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.faults = faults


class CallFailed(ActorhostError):
    """A message was addressed and did not end in a reply."""


class BadRequest(CallFailed):
    """The receiver could not make sense of the message."""

    code = FaultCode.BAD_REQUEST


class TooLarge(CallFailed):
    """A message, reply or value over its size limit."""

    code = FaultCode.TOO_LARGE


class NoRoute(CallFailed):
    """Nobody answers at that address."""

    code = FaultCode.NO_ROUTE
    retryable = True


class Overloaded(CallFailed):
    """A mailbox or queue is full; the message was refused before anything was done."""

    code = FaultCode.OVERLOADED
    retryable = True


class Denied(CallFailed):
    """A contract, link or operation that the manifest did not grant."""

    code = FaultCode.DENIED


class CallTimeout(CallFailed):
    """No answer in time; the work may have been done."""

    code = FaultCode.TIMEOUT
    retryable = True
    outcome_known = False


class DeadlineExceeded(CallFailed):
    """The guest was ended at its deadline; what it did through capabilities stays done.

    ``waiting`` is whether it was a capability that took the time.
    """

    code = FaultCode.DEADLINE
    outcome_known = False
    waiting = False


class MemoryExceeded(CallFailed):
    """The guest was ended at its memory limit."""

    code = FaultCode.MEMORY
    outcome_known = False


class GuestTrapped(CallFailed):
    """The guest broke a rule of Wasm and was ended."""

    code = FaultCode.TRAPPED
    outcome_known = False


class GuestMisbehaved(CallFailed):
    """The guest broke a rule of the guest ABI and was ended."""

    code = FaultCode.MISBEHAVED
    outcome_known = False


class ActorFailed(CallFailed):
    """The actor handled the message and answered with an error of its own."""

    code = FaultCode.ACTOR_ERROR


class ProviderFailed(CallFailed):
    """A capability provider failed or refused; the message says which and why."""

    code = FaultCode.PROVIDER_ERROR


class OutcomeUnknown(CallFailed):
    """Nobody can say whether it was done: the answer did not come, or the connection broke before it."""

    code = FaultCode.UNKNOWN_OUTCOME
    outcome_known = False


class Unavailable(ActorhostError):
    """This machine or process cannot do it now."""

    code = FaultCode.UNAVAILABLE
    retryable = True


class EngineUnavailable(Unavailable):
    """The Wasm engine cannot run on this interpreter or machine."""

    retryable = False


class ServerUnavailable(Unavailable):
    """No NATS server could be reached or started, or it went away."""


class Closed(Unavailable):
    """The object was closed and takes no more work."""


class InternalError(ActorhostError):
    """An invariant of this package does not hold: a bug of ours."""
