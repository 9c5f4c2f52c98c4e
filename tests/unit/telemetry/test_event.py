"""Events are CloudEvents: what each must have, what is bounded, what is refused."""

from __future__ import annotations

import json

import pytest

from actorhost.errors import ProtocolError
from actorhost.ids import ActorName
from actorhost.telemetry import event
from actorhost.telemetry.event import Event, EventKind
from actorhost.wire.subject import event_subject, parse_event

AT = 1_795_000_000_123_456_000


def made(**data: object) -> Event:
    name = ActorName("counter")
    return event.event_of(
        EventKind.ACTOR_FAILED, number=7, source="/default/0f", subject=name, time_ns=AT, data=data
    )


def test_an_event_has_every_attribute_of_the_specification() -> None:
    """By hand, as a reader that knows nothing of us would look at it."""
    assert json.loads(event.encode(made(causes=["trapped: it"]))) == {
        "specversion": "1.0",
        "id": "7",
        "source": "/default/0f",
        "type": "actorhost.actor.failed",
        "subject": "counter",
        "time": "2026-11-18T11:06:40.123456Z",
        "datacontenttype": "application/json",
        "data": {"causes": ["trapped: it"]},
    }


@pytest.mark.parametrize("kind", EventKind)
def test_each_kind_is_one_token_and_found_again(kind: EventKind) -> None:
    told = event.event_of(kind, number=1, source="/l/h", subject="s", time_ns=AT, data={})
    assert told.kind == kind == parse_event(event_subject("l", kind)).type


def test_an_event_is_bounded_and_keeps_no_secret() -> None:
    data = made(
        reason="x" * 5000, causes=["y" * 5000] * 99, broken="a\udcffb", where="nats://me:hunter2@there"
    ).data
    assert (len(data["reason"]), len(data["causes"]), len(data["causes"][0])) == (1000, 16, 1000)
    assert (data["broken"], data["where"]) == ("a?b", "nats://***@there")
    assert made(causes=["at nats://me:hunter2@there"]).data["causes"] == ["at nats://***@there"]


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("specversion", "id", "source", "type", "subject", "time", "data")),
        *({name: ""} for name in ("id", "source", "type", "subject", "time")),
        {"specversion": "0.3"},
        {"time": "2026-11-18T11:06:40"},
        {"time": "0001-01-01T00:00:00+23:00"},
        {"datacontenttype": "text/plain"},
        {"data": []},
    ],
)
def test_what_lacks_something_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(event.encode(made()))
    for name, value in change.items():
        fields[name] = value
        if value is None:
            del fields[name]
    with pytest.raises(ProtocolError, match="are no event: "):
        event.decode(json.dumps(fields).encode())


def test_what_others_add_is_passed_over() -> None:
    fields = {**json.loads(event.encode(made())), "traceparent": "00-1", "dataschema": "x"}
    fields["time"] = "2026-11-18T12:06:40.123456+01:00"
    assert event.decode(json.dumps(fields).encode()) == made()
