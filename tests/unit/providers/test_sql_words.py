"""First words of statements: what a statement begins with, whatever stands before it."""

from __future__ import annotations

import pytest

from actorhost.errors import BadRequest
from actorhost_providers.sql.statement import check_statement, first_word

WORDS = {
    "select 1": "SELECT",
    " \t\r\n\f;; Commit": "COMMIT",
    "-- BEGIN\rCOMMIT": "COMMIT",
    "--\nEND": "END",
    "/* /* */ BEGIN */ ABORT": "ABORT",
    "/**/ROLLBACK/**/": "ROLLBACK",
    "/* open /* */ COMMIT": "",
    "(SELECT 1)": "(",
    "$1": "$",
    "/ * COMMIT": "/",
    "": "",
    ";": "",
}


@pytest.mark.parametrize(("text", "word"), WORDS.items())
def test_a_statement_begins_with_its_first_word(text: str, word: str) -> None:
    assert first_word(text) == word


@pytest.mark.parametrize(
    "text", ["COPY t TO PROGRAM 'x'", "set x = 1", "/**/ LISTEN x", "PREPARE p AS SELECT 1"]
)
def test_what_changes_a_shared_connection_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not for actors"):
        check_statement(text)


@pytest.mark.parametrize(
    "text", ["SELECT 'COMMIT'", "SETTING", "WITH begin AS (SELECT 1) SELECT 1", "EXPLAIN SELECT 1"]
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    check_statement(text)
