"""What is printed where, and that nothing printed can steer a terminal."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from actorhost.cli import output
from actorhost.cli.json_text import json_text
from actorhost.errors import ActorFailed, InvalidInput, ManifestInvalid, NoRoute

Captured = pytest.CaptureFixture[str]


def test_data_and_notes_go_different_ways(capsys: Captured) -> None:
    output.data("asked for")
    output.note("by the way")
    assert capsys.readouterr() == ("asked for\n", "by the way\n")


def test_bytes_stay_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    output.raw(b"\x00\xff\n")
    assert capfdbinary.readouterr().out == b"\x00\xff\n"


def test_an_error_is_followed_by_its_hint(capsys: Captured) -> None:
    output.error(NoRoute("nobody answers as actor 'x'", hint="is it deployed?", where="host a"))
    assert capsys.readouterr() == (
        "",
        "error: no_route: nobody answers as actor 'x' [host a]\nhint: is it deployed?\n",
    )


def test_wrong_input_needs_no_code_and_no_hint(capsys: Captured) -> None:
    output.error(InvalidInput("that cannot be"))
    assert capsys.readouterr().err == "error: that cannot be\n"


def test_an_actor_that_gives_no_reason(capsys: Captured) -> None:
    output.error(ActorFailed(""))
    assert capsys.readouterr().err == "error: actor_error: no reason given\n"


def test_findings_are_a_report_of_their_own(capsys: Captured) -> None:
    output.error(ManifestInvalid("a.yaml:1:1: wrong\n  hint: right"))
    assert capsys.readouterr().err == "a.yaml:1:1: wrong\n  hint: right\n"


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\u202e", "\r", "\x07", "\x7f"])
def test_what_guests_say_cannot_steer_the_terminal(capsys: Captured, hostile: str) -> None:
    output.data(f"a{hostile}b\nc")
    output.error(ActorFailed(hostile))
    output.json_line({hostile: hostile})
    printed = "".join(capsys.readouterr()).replace("\n", "")
    assert printed.isprintable()
    assert printed.startswith("a\\")


@pytest.mark.parametrize("value", ["grüße", "\u202e", "\ud800", {"a": [1, None, "\x9b"]}])
def test_json_is_readable_where_that_is_safe(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert text.isprintable()
    assert json_text("grüße") == '"grüße"'


def test_a_table_is_as_wide_as_it_must_be(capsys: Captured) -> None:
    output.table(("NAME", "N"), [("a", "1"), ("longer one", "22")])
    assert capsys.readouterr().out == "NAME        N\na           1\nlonger one  22\n"


def test_progress_is_for_terminals_only(capsys: Captured) -> None:
    with output.progress("uploading", 100) as advance:
        advance(100)
    assert capsys.readouterr() == ("", "")


class _Sip(io.RawIOBase):
    """A file that takes a little at a time, as a pipe may."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:7])
        return min(7, len(data))


def test_unbuffered_streams_get_everything_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = _Sip(), _Sip()
    for name, stream in (("stdout", out), ("stderr", err)):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, "utf-8", write_through=True))  # type: ignore[type-var]
    output.prepare()
    output.json_line("x" * 100_000)
    output.note("y" * 100_000)
    assert out.taken == b'"' + b"x" * 100_000 + b'"\n'
    assert err.taken == b"y" * 100_000 + b"\n"
