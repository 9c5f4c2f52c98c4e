"""Our trim() of two arguments gives what SQLite's own gives, for every kind of argument."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from actorhost_providers.sql.sqlite_module import sqlite
from actorhost_providers.sql.sqlite_trim import Trimming

texts = st.text(st.sampled_from("ab \0ä€\U0001f600-.0e+1"), max_size=12)
fields = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | texts | texts.map(str.encode)


@given(fields, fields)
def test_texts_are_trimmed_as_sqlite_trims_them(field: object, characters: object) -> None:
    own, db = sqlite3.connect(":memory:"), sqlite.connect(":memory:")
    with closing(own), closing(db), closing(Trimming(db)):
        for name in ("trim", "ltrim", "rtrim"):
            statement = f"SELECT {name}($1, $2), typeof({name}($1, $2)), {name}($1)"
            both = {"1": field, "2": characters}
            assert db.execute(statement, both).fetchall() == own.execute(statement, both).fetchall()
