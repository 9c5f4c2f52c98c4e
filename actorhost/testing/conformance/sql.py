"""The conformance suite of ``actorhost:sql``: the rules every backend must keep.

Backend-neutral: statements are in the part of SQL that SQLite and PostgreSQL share, and time passes
through the ``wait`` of the case.
"""

from __future__ import annotations

from typing import Final

from actorhost.testing.conformance import (
    sql_limits,
    sql_pages,
    sql_races,
    sql_rights,
    sql_statements,
    sql_values,
)
from actorhost.testing.conformance.rule import Rule
from actorhost.testing.conformance.sql_case import SqlCase

RULES: Final[tuple[Rule[SqlCase], ...]] = (
    *sql_values.SUITE,
    *sql_statements.SUITE,
    *sql_rights.SUITE,
    *sql_pages.SUITE,
    *sql_limits.SUITE,
    *sql_races.SUITE,
)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
