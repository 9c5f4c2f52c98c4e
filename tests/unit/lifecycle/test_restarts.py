"""Restarts: OTP's intensity within a period, then trials with growing waits, then never."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actorhost.lifecycle import Cause, RestartPolicy, Restarts

POLICY = RestartPolicy(intensity=3, period=10.0, backoff=1.0, backoff_limit=5.0, attempts=4)


def test_up_to_the_intensity_restarts_happen_at_once_and_one_more_waits() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.ended("trap", 0.1 * n) for n in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert restarts.total == 4


def test_restarts_older_than_the_period_do_not_count() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.ended("trap", 4.0 * n) for n in range(50)] == [0.0] * 50


def test_the_edge_of_the_period_belongs_to_it() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.ended("trap", now) for now in (0.0, 0.0, 0.0, 10.0)] == [0.0, 0.0, 0.0, 1.0]


def test_a_trial_that_ends_early_doubles_the_wait_up_to_its_limit_and_then_it_has_failed() -> None:
    restarts = Restarts(POLICY)
    now, waits = 0.0, []
    for _ in range(3):
        restarts.ended("trap", now)
    while (wait := restarts.ended("trap", now)) is not None:
        waits.append(wait)
        now += wait + 0.5
    assert waits == [1.0, 2.0, 4.0, 5.0]
    assert restarts.failed
    assert restarts.ended("trap", now + 1e6) is None


def test_a_trial_that_outlives_the_period_clears_the_record() -> None:
    restarts = Restarts(POLICY)
    for _ in range(4):
        restarts.ended("trap", 0.0)
    assert [restarts.ended("trap", 11.5 + n) for n in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_what_ends_during_a_wait_waits_with_it_and_is_no_attempt() -> None:
    restarts = Restarts(POLICY)
    for _ in range(4):
        restarts.ended("trap", 0.0)
    assert [restarts.ended("trap", 0.25) for _ in range(20)] == [0.75] * 20
    assert not restarts.failed
    assert restarts.total == 4


def test_the_chain_of_causes_is_the_latest_few() -> None:
    restarts = Restarts(RestartPolicy(intensity=100))
    for n in range(20):
        restarts.ended(f"trap {n}", float(n))
    assert restarts.causes == tuple(Cause(float(n), f"trap {n}") for n in range(12, 20))


def test_an_intensity_of_nothing_waits_from_the_first_end() -> None:
    assert Restarts(RestartPolicy(intensity=0)).ended("trap", 0.0) == 1.0


@given(
    gaps=st.lists(st.floats(0, 20), min_size=1, max_size=200),
    intensity=st.integers(0, 5),
    attempts=st.integers(0, 5),
)
def test_no_window_of_a_period_holds_more_restarts_than_promised(
    gaps: list[float], intensity: int, attempts: int
) -> None:
    policy = RestartPolicy(intensity=intensity, period=10.0, attempts=attempts)
    restarts, now, begun, waits = Restarts(policy), 0.0, [], 0
    for gap in gaps:
        now += gap
        wait = restarts.ended("trap", now)
        if wait is None:
            assert restarts.failed
            break
        waits += wait > 0
        if wait == 0:
            begun.append(now)
    for start in begun:
        assert sum(start <= moment < start + 10.0 for moment in begun) <= intensity
    assert restarts.failed or restarts.total <= len(begun) + waits
