"""The conformance suite of ``actorhost:keyvalue``: the rules every backend must keep.

Backend-neutral: no rule looks inside a backend or needs a clock it can move; those about time
let seconds pass through the ``wait`` of the case.
"""

from __future__ import annotations

from typing import Final

from actorhost.testing.conformance import (
    keyvalue_conditions,
    keyvalue_expiry,
    keyvalue_listing,
    keyvalue_numbers,
    keyvalue_races,
    keyvalue_values,
)
from actorhost.testing.conformance.keyvalue_case import KeyValueCase
from actorhost.testing.conformance.rule import Rule

RULES: Final[tuple[Rule[KeyValueCase], ...]] = (
    *keyvalue_values.SUITE,
    *keyvalue_conditions.SUITE,
    *keyvalue_numbers.SUITE,
    *keyvalue_listing.SUITE,
    *keyvalue_expiry.SUITE,
    *keyvalue_races.SUITE,
)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
