"""How many restarts a storm may see, by the policy alone."""

from __future__ import annotations

import pytest

from actorhost.bench.storm import restarts_allowed
from actorhost.lifecycle import RestartPolicy


@pytest.mark.parametrize(
    ("seconds", "restarts"), [(0.5, 20), (1.0, 21), (2.9, 21), (3.0, 22), (10.0, 23), (1000.0, 25)]
)
def test_what_always_ends_is_restarted_at_once_and_then_after_growing_waits(
    seconds: float, restarts: int
) -> None:
    assert restarts_allowed(RestartPolicy(), seconds) == restarts
