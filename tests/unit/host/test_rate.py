"""Rates follow what is counted, over about a minute."""

from __future__ import annotations

import pytest

from actorhost import clock
from actorhost.host.rate import Rate


def test_a_steady_count_has_its_rate_after_a_few_minutes() -> None:
    rate, now = Rate(), clock.monotonic()
    for step in range(1, 61):
        rate.update(50 * step, now + 5 * step)
    assert rate.per_second == pytest.approx(10, rel=0.01)


def test_an_actor_that_falls_silent_is_seen_to() -> None:
    rate, now = Rate(), clock.monotonic()
    rate.update(6000, now + 60)
    busy = rate.per_second
    rate.update(6000, now + 120)
    assert busy > 60
    assert rate.per_second == pytest.approx(busy * 0.368, rel=0.01)


def test_no_time_between_two_looks_changes_nothing() -> None:
    rate = Rate()
    rate.update(5, clock.monotonic() - 1)
    assert rate.per_second == 0.0
