"""Key-value backends that each break one rule of the contract, to prove that the suite sees it.

``BROKEN`` maps a rule's id to a memory backend that differs from the real one in little more
than that. The ways to break it are those that real backends are prone to.
"""

from tests.contract.broken_keyvalue import expiry, listing, races, values, writes
from tests.contract.broken_keyvalue.entry import BROKEN

__all__ = ["BROKEN", "expiry", "listing", "races", "values", "writes"]
