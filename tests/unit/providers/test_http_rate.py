"""A client may ask so often in any second, whatever others do."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from actorhost_providers.http.rate import Allowance

steps = st.lists(st.tuples(st.sampled_from(["10.0.0.1", "::1"]), st.floats(0, 3)), max_size=80)


@given(steps, st.floats(0.2, 20))
def test_no_window_has_more_than_its_share_and_waiting_helps(
    steps: list[tuple[str, float]], rate: float
) -> None:
    allowance, now = Allowance(rate), 1000.0
    taken: dict[str, list[float]] = {"10.0.0.1": [], "::1": []}
    for peer, pause in steps:
        now += pause
        wait = allowance.wait(peer, now)
        if not wait:
            taken[peer].append(now)
        elif wait < 60:
            now += wait + 1e-6
            assert allowance.wait(peer, now) == 0
            taken[peer].append(now)
    for times in taken.values():
        for at, first in enumerate(times):
            inside = sum(first <= each <= first + 5 for each in times[at:])
            assert inside <= math.ceil(max(1, rate) + 5 * rate) + 1


def test_as_many_at_once_as_in_a_second_and_no_more() -> None:
    allowance = Allowance(5)
    assert [allowance.wait("a", 0.0) == 0 for _ in range(7)] == [True] * 5 + [False] * 2
    assert allowance.wait("a", 0.0) < 0.21
    assert allowance.wait("b", 0.0) == 0


def test_clients_of_ipv6_are_networks_and_few_are_remembered() -> None:
    allowance = Allowance(0.5)
    assert allowance.wait("2001:db8::1", 0.0) == 0
    assert allowance.wait("2001:db8::2", 0.0) > 0
    assert allowance.wait("fe80::1%eth0", 0.0) == 0
    assert allowance.wait("no address: at all", 0.0) == 0
    for number in range(20_000):
        assert allowance.wait(f"10.{number >> 8}.{number & 255}.1", 1.0) == 0
    assert len(allowance._due) == 10_000
