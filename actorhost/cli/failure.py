"""How a command that failed ends: its exit code, and its error for people and for programs.

Exit codes: 0 done; 1 a call, deployment or write failed (the error says how); 2 wrong input or usage;
3 no server, host or engine to do it with; 70 a bug of ours; 130 interrupted; 141 nobody reads the
output any more. With ``--json`` an error is also one JSON object on stdout.
"""

from __future__ import annotations

import os
import traceback
from typing import Any, Final

from actorhost.cli import output
from actorhost.errors import (
    ActorhostError,
    Finding,
    InternalError,
    InvalidInput,
    ManifestInvalid,
    Unavailable,
)

OK, FAILED, WRONG_INPUT, UNAVAILABLE, BUG = 0, 1, 2, 3, 70
READER_GONE: Final = 141
"""128 and the number of SIGPIPE: how a program ends whose reader has gone."""

_DEBUG: Final = "ACTORHOST_DEBUG"


class WrongUsage(InvalidInput):
    """Arguments a command does not take; `shown` is what people read about it."""

    def __init__(self, message: str, *, shown: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint, where=where)
        self.shown = shown


def report(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong and return the exit code; raises :class:`CannotWrite` if it was that."""
    error = _first(error)
    if isinstance(error, output.CannotWrite):
        raise error
    if os.environ.get(_DEBUG):
        output.note("".join(traceback.format_exception(error)).rstrip())
    ours = error if isinstance(error, ActorhostError) else _bug(error)
    if isinstance(ours, WrongUsage):
        output.note(ours.shown)
    else:
        output.error(ours)
    if as_json:
        output.json_error(facts(ours))
    return _exit_code(ours)


def not_delivered(error: output.CannotWrite) -> int:
    """Say that stdout took no output, if there is anybody to tell, and return the exit code."""
    if error.reader_gone:
        return READER_GONE
    output.note(f"error: cannot write output: {error}")
    return FAILED


def facts(error: ActorhostError) -> dict[str, Any]:
    """Return `error` as JSON can hold it."""
    found = {
        "code": str(error.code),
        "message": _unicode(error.message),
        "hint": _unicode(error.hint),
        "where": _unicode(error.where),
        "retryable": error.retryable,
        "outcome_known": error.outcome_known,
    }
    if isinstance(error, ManifestInvalid):
        found["findings"] = [finding_facts(finding) for finding in error.findings]
        found["more"] = error.more
    return found


def finding_facts(finding: Finding) -> dict[str, str | int]:
    """Return `finding` as JSON can hold it."""
    return {
        "file": _unicode(finding.source),
        "line": finding.line,
        "column": finding.column,
        "path": finding.path,
        "message": _unicode(finding.message),
        "hint": _unicode(finding.hint),
        "excerpt": finding.excerpt,
    }


def _first(error: Exception) -> Exception:
    """Return the first error of a group of tasks: the others ended because of it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _bug(error: Exception) -> InternalError:
    """Return what is said of an error nobody foresaw: its text may hold what only its user may see."""
    return InternalError(
        f"this is a bug of actorhost: {type(error).__name__}", hint=f"{_DEBUG}=1 shows the traceback"
    )


def _unicode(text: str) -> str:
    """Return `text` without the halves of characters that a file name may hold and JSON may not."""
    return text.encode("utf-8", "backslashreplace").decode()


def _exit_code(error: ActorhostError) -> int:
    if isinstance(error, InvalidInput):
        return WRONG_INPUT
    # One that a host sent says where it happened: there was a host, and what failed is the call.
    if isinstance(error, Unavailable) and not error.where:
        return UNAVAILABLE
    return BUG if isinstance(error, InternalError) else FAILED
