"""The budget of a host: what all its mailboxes hold together, whatever happens to any of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import Closed, Overloaded
from actorhost.mailbox import Budget, Mailbox


def test_mailboxes_with_room_refuse_when_the_host_has_none() -> None:
    budget = Budget(max_count=3, max_bytes=1000)
    first, second = (Mailbox[int](name, max_count=9, max_bytes=999, budget=budget) for name in "ab")
    for n in range(3):
        first.put(n, 1)
    with pytest.raises(Overloaded, match="the host's mailboxes are full: 3 messages, 3 bytes"):
        second.put(3, 1)
    assert (second.statistics().refused, second.statistics().accepted) == (1, 0)
    first.close()
    second.put(3, 1)


def test_it_tells_how_full_it_is() -> None:
    budget = Budget(max_count=4, max_bytes=1000)
    mailbox = Mailbox[int]("a", max_count=9, max_bytes=2000, budget=budget)
    mailbox.put(0, 1)
    mailbox.put(1, 1)
    assert not budget.fuller_than(0.5)
    mailbox.put(2, 1)
    assert budget.fuller_than(0.5)
    mailbox.close()
    Mailbox[int]("b", max_count=9, max_bytes=2000, budget=budget).put(0, 501)
    assert budget.fuller_than(0.5)


@given(
    steps=st.lists(st.tuples(st.sampled_from(["put", "get", "close"]), st.integers(0, 1), st.integers(0, 60)))
)
async def test_it_always_holds_what_the_mailboxes_hold(steps: Sequence[tuple[str, int, int]]) -> None:
    budget = Budget(max_count=5, max_bytes=100)
    boxes = [Mailbox[int](name, max_count=4, max_bytes=80, budget=budget) for name in "ab"]
    for step, which, size in steps:
        box = boxes[which]
        if step == "put":
            refusal = box.refusal(size)
            with contextlib.suppress(Overloaded, Closed):
                box.put(0, size)
                assert refusal is None
        elif step == "get" and box.statistics().waiting:
            await box.get()
        elif step == "close":
            box.close()
        held = [box.statistics() for box in boxes]
        assert budget.count == sum(box.waiting for box in held) <= 5
        assert budget.size == sum(box.waiting_bytes for box in held) <= 100
