"""The functions trim(), ltrim() and rtrim() of two arguments, in a time that arguments cannot stretch.

SQLite's own compare each character of the text with each of those to be trimmed: with 1 MiB of each
that is an hour, and nothing ends a function. These look the characters up, and give the same results.
Owned by a connection, in whatever thread that is in.
"""

from __future__ import annotations

from functools import partial

from actorhost_providers.sql.sqlite_module import sqlite

_Field = float | str | bytes | None


class Trimming:
    """The functions of one connection."""

    def __init__(self, database: sqlite.Connection) -> None:
        """Put them in the place of SQLite's own."""
        # SQLite's word for what the text of a real is differs from Python's, and between its versions.
        self._plain = sqlite.connect(":memory:", check_same_thread=False)
        for name, left, right in (("trim", True, True), ("ltrim", True, False), ("rtrim", False, True)):
            trimmed = partial(self._trimmed, left=left, right=right)
            database.create_function(name, 2, trimmed, deterministic=True)

    def close(self) -> None:
        """Let go of what they need."""
        self._plain.close()

    def _trimmed(self, field: _Field, characters: _Field, *, left: bool, right: bool) -> str | None:
        if field is None or characters is None:
            return None
        # SQLite takes the characters up to a NUL, and the text with all of its own.
        text, unwanted = self._text(field), frozenset(self._text(characters).partition("\0")[0])
        begin, end = 0, len(text)
        while left and begin < end and text[begin] in unwanted:
            begin += 1
        while right and begin < end and text[end - 1] in unwanted:
            end -= 1
        return text[begin:end]

    def _text(self, field: float | str | bytes) -> str:
        if isinstance(field, str):
            return field
        (text,) = self._plain.execute("SELECT CAST(? AS TEXT)", (field,)).fetchone()
        return str(text)
