"""Percentiles of durations: at most an eighth too high, never too low, whatever was counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.telemetry.histogram import BOUNDS, Durations


def counted(values: list[float]) -> Durations:
    durations = Durations()
    for value in values:
        durations.add(value)
    return durations


@given(st.lists(st.floats(0, 36_000), min_size=1, max_size=300), st.floats(0.001, 1))
def test_a_percentile_is_at_most_an_eighth_over_the_exact_one(values: list[float], fraction: float) -> None:
    (found,) = counted(values).percentiles([fraction])
    exact = sorted(values)[max(0, math.ceil(fraction * len(values) - 1e-9) - 1)]
    assert exact < found <= exact * 1.126 + 2.1e-6


def test_percentiles_ascend_with_their_fractions() -> None:
    durations = counted([n / 1000 for n in range(1, 1001)])
    low, middle, high = durations.percentiles([0.5, 0.9, 0.99])
    assert (low, middle, high) == pytest.approx((0.5, 0.9, 0.99), rel=0.13)
    assert durations.count == 1000


def test_nothing_counted_has_no_percentile() -> None:
    assert Durations().percentiles([0.5, 0.99]) == [0.0, 0.0]


@pytest.mark.parametrize("value", [-1.0, 0.0, 1e-9])
def test_what_takes_no_time_is_counted(value: float) -> None:
    assert counted([value]).percentiles([1.0]) == [pytest.approx(1e-6, rel=0.13)]


def test_what_takes_days_is_in_the_last_bucket() -> None:
    (found,) = counted([1e9]).percentiles([1.0])
    assert 5e4 < found < 1e9


def test_a_mean_is_exact() -> None:
    durations = counted([0.5, 0.25, 0.75])
    assert durations.total / durations.count == pytest.approx(0.5)


@given(st.lists(st.floats(0, 100), max_size=100), st.integers(0, 100), st.floats(0.001, 1))
def test_what_took_no_time_may_be_counted_elsewhere(values: list[float], none: int, fraction: float) -> None:
    (found,) = counted(values).percentiles([fraction], none=none)
    exact = sorted([0.0] * none + values)
    rank = math.ceil(fraction * len(exact) - 1e-9)
    assert found == 0.0 if rank <= none else found > exact[rank - 1]


@given(st.lists(st.one_of(st.floats(2**-20, 100), st.sampled_from(BOUNDS)), max_size=300))
def test_counts_up_to_a_bound_are_exact(values: list[float]) -> None:
    assert counted(values).cumulative() == [sum(value < bound for value in values) for bound in BOUNDS]


def test_merged_durations_are_those_of_both() -> None:
    one, other, both = Durations(), Durations(), Durations()
    for part, seconds in ((one, 0.001), (one, 0.2), (other, 0.03)):
        part.add(seconds)
        both.add(seconds)
    one.merge(other)
    assert (one.count, one.total, one.cumulative()) == (both.count, both.total, both.cumulative())
