"""Payloads that cannot be sent are refused with what to do about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actorhost.cli import payload
from actorhost.errors import InvalidInput
from actorhost.limits import MIB

QUOTES, NESTING, INTEGERS, SURROGATES, ENCODING, FORMS = (
    "needs quotes",
    "hundred levels",
    "-2**63 to 2**64-1",
    "surrogate",
    "JSON is UTF-8",
    "the forms of what JSON lacks",
)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"hello", QUOTES),
        (b"", QUOTES),
        (b"[" * 100_000, NESTING),
        (b"[" * 2000 + b"]" * 2000, NESTING),
        (str(2**64).encode(), INTEGERS),
        (str(-(2**63) - 1).encode(), INTEGERS),
        (b"1" * 5000, INTEGERS),
        (b'"\\ud800"', SURROGATES),
        (b'{"\\udfff": 1}', SURROGATES),
        (b"\xff", ENCODING),
        (b'{"$bytes": "!"}', FORMS),
        (b'{"$bytes": 1}', FORMS),
        (b'{"$ext": [300, ""]}', FORMS),
        (b'{"$ext": 5}', FORMS),
        (b'{"$map": [[{}, 1]]}', FORMS),
        (b'{"$float": "x"}', FORMS),
    ],
)
def test_the_hint_fits(content: bytes, hint: str) -> None:
    with pytest.raises(InvalidInput, match="not JSON that can be sent") as caught:
        payload.from_json(content)
    assert hint in caught.value.hint
    assert caught.value.hint.isprintable()


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63)])
def test_the_largest_integers_are_sent(number: int) -> None:
    assert payload.decoded(payload.from_json(json.dumps(number).encode())) == (True, number)


@pytest.mark.parametrize("depth", [10, 300, 1000, 5000])
def test_any_depth_can_be_shown(depth: int) -> None:
    shown = payload.show(b"\x91" * depth + b"\x01")
    assert shown in ("[" * depth + "1" + "]" * depth, "91 " * depth + "01")


@pytest.mark.parametrize("name", ["missing", ".", "a\0b", "x" * 5000])
def test_what_cannot_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="cannot read"):
        payload.read(f"@{name}")


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "_LARGEST", 2 * MIB)
    with pytest.raises(InvalidInput, match="/dev/zero has more than 2 MiB"):
        payload.read("@/dev/zero")
