"""A storm becomes a few events that count the rest; what waits is bounded, and nothing goes uncounted."""

from __future__ import annotations

import pytest

from actorhost.host.event_queue import KEPT, SINGLY, WINDOW, EventQueue, Happening
from actorhost.telemetry.event import EventKind
from actorhost.testing import ManualClock

ENDED, FAILED = EventKind.INSTANCE_ENDED, EventKind.ACTOR_FAILED


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> EventQueue:
    return EventQueue(clock)


def happening(kind: EventKind = ENDED, subject: str = "trap", *, at: int = 0, count: int = 1) -> Happening:
    return Happening(kind, subject, {"at": at}, at, count)


def told(queue: EventQueue) -> list[Happening]:
    found = []
    while (one := queue.next()) is not None:
        found.append(one)
        queue.told()
    return found


def test_few_are_told_one_by_one(queue: EventQueue) -> None:
    for at in range(SINGLY):
        queue.add(happening(at=at))
    assert [(one.time_ns, one.count) for one in told(queue)] == [(at, 1) for at in range(SINGLY)]


def test_a_storm_is_a_handful_of_events_that_count_all_of_it(queue: EventQueue, clock: ManualClock) -> None:
    seen: list[Happening] = []
    for at in range(10_000):
        queue.add(happening(at=at))
        clock.advance(0.001)
        queue.release()
        seen += told(queue)
    queue.release(everything=True)
    seen += told(queue)
    assert sum(one.count for one in seen) == 10_000
    assert len(seen) <= 10 * (SINGLY + 1)
    assert queue.dropped == 0
    held = seen[SINGLY]
    assert (held.time_ns, held.data["at"]) == (SINGLY, SINGLY + held.count - 1), "first time, last data"


def test_one_storm_hides_nothing_else(queue: EventQueue) -> None:
    for _ in range(100):
        queue.add(happening())
    queue.add(happening(subject="other"))
    queue.add(happening(FAILED))
    assert [(one.kind, one.subject) for one in told(queue)[SINGLY:]] == [(ENDED, "other"), (FAILED, "trap")]


def test_what_is_held_back_is_told_when_its_window_ends(queue: EventQueue, clock: ManualClock) -> None:
    assert queue.wait() is None
    for _ in range(SINGLY + 2):
        queue.add(happening())
    told(queue)
    clock.advance(0.4)
    queue.release()
    assert told(queue) == []
    assert queue.wait() == pytest.approx(WINDOW - 0.4)
    clock.advance(WINDOW)
    assert queue.wait() == 0
    queue.release()
    assert [one.count for one in told(queue)] == [2]
    clock.advance(WINDOW)
    queue.release()
    assert queue.wait() is None, "nothing is kept of those that have gone quiet"


def test_no_more_than_the_bound_waits_and_the_oldest_go(queue: EventQueue) -> None:
    for at in range(KEPT + 50):
        queue.add(happening(subject=str(at), at=at, count=3))
    waiting = told(queue)
    assert (len(waiting), waiting[0].time_ns, queue.dropped) == (KEPT, 50, 150)


def test_more_subjects_than_can_be_told_apart_are_counted(queue: EventQueue) -> None:
    for at in range(10_000):
        queue.add(happening(subject=str(at)))
    assert len(told(queue)) + queue.dropped == 10_000
