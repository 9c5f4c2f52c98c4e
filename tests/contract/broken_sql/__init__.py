"""SQL backends that each break one rule of the contract, to prove that the suite sees it.

``BROKEN`` maps a rule's id to a SQLite backend in memory that differs from the real one in little
more than that. The ways to break it are those that real backends are prone to.
"""

from tests.contract.broken_sql import pages, races, statements, values
from tests.contract.broken_sql.entry import BROKEN

__all__ = ["BROKEN", "pages", "races", "statements", "values"]
