"""The rules of subjects that both transports share: what is one, and which pattern matches which.

Pure functions. What the tokens mean is not known here: see :mod:`actorhost.wire.subject`.
"""

from __future__ import annotations

from actorhost.errors import InvalidName


def require_subject(subject: str) -> None:
    """Refuse what a message cannot be sent to: a blank or a line end would start another command."""
    if not subject or " " in subject or not subject.isprintable():
        raise _refusal(subject)


def require_pattern(pattern: str) -> None:
    """Refuse what cannot be subscribed to."""
    require_subject(pattern)
    *inner, last = pattern.split(".")
    if not all(_token_is_valid(token) for token in inner) or not (last == ">" or _token_is_valid(last)):
        raise _refusal(pattern)


def require_queue(queue: str) -> None:
    """Refuse what cannot name a queue group; empty means none."""
    if queue:
        require_subject(queue)


def matches(pattern: str, subject: str) -> bool:
    """Return whether a subscription to `pattern` receives what is published to `subject`."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want in ("*", token) for want, token in zip(wanted, given, strict=True)
    )


def _token_is_valid(token: str) -> bool:
    return token == "*" or (bool(token) and "*" not in token and ">" not in token)  # noqa: S105


def _refusal(subject: str) -> InvalidName:
    return InvalidName(
        f"{subject[:80]!r} is not a subject",
        hint="use printable tokens without blanks, joined by dots; '*' and '>' only as whole tokens",
    )
