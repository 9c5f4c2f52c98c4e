"""Events as lines for people: on one line each, no wider than the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from actorhost.cli import events, output
from actorhost.telemetry.event import Event, EventKind, event_of

Captured = pytest.CaptureFixture[str]
HOST = "0123456789abcdef"


def told(kind: EventKind, subject: str, **data: Any) -> Event:
    return event_of(kind, number=1, source=f"/l/{HOST}", subject=subject, time_ns=0, data=data)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            told(
                EventKind.ACTOR_FAILED, "trap", causes=["a b"], code="trapped", hint="", text="x y\n", none=[]
            ),
            'actor-failed            trap  causes=["a b"] code=trapped text="x y\\n"',
        ),
        (told(EventKind.HOST_STARTED, HOST, pid=7), "host-started            pid=7"),
        (told(EventKind.HOST_STOPPING, HOST), "host-stopping"),
    ],
)
def test_the_line_of_an_event(event: Event, line: str) -> None:
    assert events._line(event) == f"1970-01-01T00:00:00.000Z 01234567  {line}"


def test_the_furthest_times_are_shown() -> None:
    for time in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        fields = {name: getattr(told(EventKind.HOST_STARTED, HOST), name) for name in Event.__struct_fields__}
        assert events._line(Event(**{**fields, "time": time})).startswith(time.isoformat()[:19])


def test_a_line_is_as_wide_as_the_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    output.line("0123456789abc\n\x1b[1m")
    assert capsys.readouterr().out == "0123456789abc \\x1b[1m\n", "no terminal, nothing is cut"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.line("0123456789")
    output.line("0123456789a")
    assert capsys.readouterr().out == "0123456789\n012345678…\n"
