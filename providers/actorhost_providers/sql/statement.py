"""Which statements no actor may send: those that end transactions or change a shared connection.

Pure; one list for every backend. It reads no further than the first word: a database takes one
statement a call, and that word says what it does. What PostgreSQL's comments and blanks are is
what counts, as SQLite asks an authorizer besides.
"""

from __future__ import annotations

import re
from typing import Final

from actorhost.errors import BadRequest

PLACEHOLDERS: Final = "placeholders are $1, $2, ... one for each parameter"
"""What an actor is told whose statement and parameters do not fit."""

_TRANSACTION: Final = frozenset(
    ["ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"]
)
_SESSION: Final = frozenset(
    [
        "ATTACH", "CHECKPOINT", "CLOSE", "COPY", "DEALLOCATE", "DECLARE", "DETACH", "DISCARD", "EXECUTE",
        "FETCH", "LISTEN", "LOAD", "MOVE", "PREPARE", "RESET", "SET", "UNLISTEN", "VACUUM",
    ]
)  # fmt: skip
_SKIPPED: Final = re.compile(r"[\s;]+|--[^\r\n]*")
_COMMENT_MARK: Final = re.compile(r"/\*|\*/")
_WORD: Final = re.compile(r"[A-Za-z_]*")


def first_word(text: str) -> str:
    """Return what a statement begins with: a word in capitals, a character, or nothing."""
    place = 0
    while place < len(text):
        if text.startswith("/*", place):
            place = _after_comment(text, place)
        elif skipped := _SKIPPED.match(text, place):
            place = skipped.end()
        else:
            break
    word = _WORD.match(text, place)
    return (word.group().upper() if word else "") or text[place : place + 1]


def check_statement(text: str) -> None:
    """Raise :class:`BadRequest` for a statement that is empty or not an actor's to send."""
    word = first_word(text)
    if not word:
        raise BadRequest("an empty statement", hint="send one statement")
    if word in _TRANSACTION:
        raise no_transaction(word)
    if word in _SESSION:
        raise not_shared(word)


def no_transaction(what: str) -> BadRequest:
    """Return the refusal of `what`, which would begin or end a transaction."""
    return BadRequest(
        f"{what} is not for actors: every call is a transaction of its own",
        hint="leave it out, and send the statements that belong together as one call of the operation batch",
    )


def not_shared(what: str) -> BadRequest:
    """Return the refusal of `what`, which would be felt by others on the connection."""
    return BadRequest(
        f"{what} is not for actors: the connection is shared with others",
        hint="leave it out; the operator configures the database and the link",
    )


def given(count: int) -> str:
    """Return how many parameters came, in words."""
    return f"{count or 'no'} parameter{'' if count == 1 else 's'} {'was' if count == 1 else 'were'} given"


def _after_comment(text: str, place: int) -> int:
    """Return where the comment that begins at `place` ends; comments nest."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, place):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)
