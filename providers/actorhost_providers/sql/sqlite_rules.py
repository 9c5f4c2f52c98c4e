"""What an actor's statement may do to a SQLite database, as SQLite's authorizer asks about it.

Owned by a connection and used in whatever thread that is in. It judges each step as SQLite compiles
it, whatever the text looks like; nothing is compiled under one right and carried out under another,
as connections keep no compiled statements.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import partial
from typing import Final

from actorhost.errors import ActorhostError, Denied
from actorhost_providers.sql.sqlite_module import sqlite
from actorhost_providers.sql.statement import no_transaction, not_shared


class Right(Enum):
    """Whose statement is being compiled and carried out."""

    OURS = auto()
    READ = auto()
    WRITE = auto()


_READING: Final = frozenset([sqlite.SQLITE_SELECT, sqlite.SQLITE_READ, sqlite.SQLITE_RECURSIVE])
_transaction: Final = partial(no_transaction, "BEGIN, COMMIT, ROLLBACK or SAVEPOINT")
_NEVER: Final = {
    sqlite.SQLITE_TRANSACTION: _transaction,
    sqlite.SQLITE_SAVEPOINT: _transaction,
    sqlite.SQLITE_ATTACH: partial(not_shared, "ATTACH, or a VACUUM INTO,"),
    sqlite.SQLITE_DETACH: partial(not_shared, "DETACH"),
    sqlite.SQLITE_CREATE_TEMP_INDEX: partial(not_shared, "a temporary index"),
    sqlite.SQLITE_CREATE_TEMP_TABLE: partial(not_shared, "a temporary table"),
    sqlite.SQLITE_CREATE_TEMP_TRIGGER: partial(not_shared, "a temporary trigger"),
    sqlite.SQLITE_CREATE_TEMP_VIEW: partial(not_shared, "a temporary view"),
}
_FUNCTIONS: Final = frozenset(["load_extension", "fts3_tokenizer"])
_PRAGMAS: Final = frozenset(
    [
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info",
        "table_list", "table_xinfo",
    ]
)  # fmt: skip
"""They only read, whatever follows them."""
_READ_PRAGMAS: Final = frozenset(
    ["application_id", "compile_options", "data_version", "encoding", "page_size", "user_version"]
)  # an R-tree asks for the size of a page when it is made
"""They only read when nothing follows them."""


class Rules:
    """The authorizer of one connection; `right` says whose turn it is."""

    __slots__ = ("refusal", "right")

    def __init__(self) -> None:
        """Begin with statements of our own."""
        self.right = Right.OURS
        self.refusal: ActorhostError | None = None
        """Why the last statement was not allowed."""

    def __call__(
        self, action: int, first: str | None, second: str | None, _database: str | None, _inner: str | None
    ) -> int:
        """Return whether SQLite may do `action`."""
        if self.right is Right.OURS or action in _READING:
            return sqlite.SQLITE_OK
        if action == sqlite.SQLITE_FUNCTION:
            return self._unless(second in _FUNCTIONS, f"the function {second}")
        if action == sqlite.SQLITE_PRAGMA:
            harmless = first in _PRAGMAS or (first in _READ_PRAGMAS and second is None)
            return self._unless(not harmless, f"PRAGMA {first}")
        if action in _NEVER:
            return self._refuse(_NEVER[action]())
        # The schema is "updated" also when a table-valued function or a virtual table is first read; a
        # statement that tries the same finds that SQLite itself does not let it.
        if self.right is Right.WRITE or (action == sqlite.SQLITE_UPDATE and first == "sqlite_master"):
            return sqlite.SQLITE_OK
        return self._refuse(
            Denied("a query may not write", hint="use execute or batch, over a link that is not read-only")
        )

    def _unless(self, refused: bool, what: str) -> int:
        return self._refuse(not_shared(what)) if refused else sqlite.SQLITE_OK

    def _refuse(self, refusal: ActorhostError) -> int:
        self.refusal = refusal
        return sqlite.SQLITE_DENY
