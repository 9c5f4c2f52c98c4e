"""What a generator wrote down, read as latencies and counts."""

from __future__ import annotations

import math

from actorhost.bench.load import REPLY, UNANSWERED, Outcome, message
from actorhost.wire.codec import decode
from actorhost.wire.envelope import Kind

OUTCOME = Outcome(
    started=100.0,
    rate=10.0,
    turns=2,
    sent=[0.0, 0.15, 0.2, 0.3],
    ended=[0.05, math.nan, 0.26, math.nan],
    ends=[1, 0, 2, 0],
    sources=[1, 0, 1, 0],
    codes=[UNANSWERED, REPLY, "overloaded"],
    hosts=["", "h"],
    repeated=0,
)


def test_latency_counts_from_the_schedule_or_from_sending() -> None:
    assert [round(ms) for ms in OUTCOME.from_sending([0, 2])] == [50, 60]
    assert OUTCOME.from_schedule([1]) == [math.inf]
    assert round(OUTCOME.from_schedule([2])[0]) == 60
    assert round(OUTCOME.lateness_ms()) == 50, "the second left 50 ms after it was due"
    assert round(OUTCOME.offered(), 6) == 10.0


def test_messages_are_found_by_end_and_turn() -> None:
    assert OUTCOME.which(REPLY, "overloaded", "never seen") == [0, 2]
    assert OUTCOME.which(UNANSWERED) == [1, 3]
    assert OUTCOME.which(UNANSWERED, turns=[0]) == []


def test_a_message_is_an_envelope_the_host_takes() -> None:
    tell = message("work", "Do it", b"data", ask=False, patience=0.3)
    envelope = decode(tell.data)
    assert (tell.subject, tell.ask) == ("ah.default.rpc.work.Do%20it", False)
    assert (envelope.kind, envelope.payload, envelope.remaining_ms) == (Kind.TELL, b"data", 300)
