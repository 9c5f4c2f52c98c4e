"""What a module's claims say is shown as it stands, and can be anything."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from actorhost.cli import commands
from tests.wat import ECHO, guest

Captured = pytest.CaptureFixture[str]


def claiming(directory: Path, body: bytes) -> str:
    """Write a module whose claims are `body` and return its path."""
    section = b"\x03jwt" + b"head." + base64.urlsafe_b64encode(body).rstrip(b"=") + b".signature"
    size, length = len(section), b""
    while not length or size:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
    path = directory / "claiming.wasm"
    path.write_bytes(guest(ECHO) + b"\0" + length + section)
    return str(path)


def test_claims_are_shown(tmp_path: Path, capsys: Captured) -> None:
    path = claiming(tmp_path, b'{"sub": "M123", "wascap": {"name": "Echo"}}')
    assert commands.run(["inspect", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["claims"] == {"sub": "M123", "wascap": {"name": "Echo"}}
    assert commands.run(["inspect", path]) == 0
    assert "sub: M123" in capsys.readouterr().out


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"[1]", b"\xff", b"", b'{"a": 1e999}'],
    ids=["deep array", "deep object", "no object", "no text", "nothing", "no number"],
)
def test_claims_that_cannot_be_read_are_no_reason_to_fail(
    body: bytes, tmp_path: Path, capsys: Captured
) -> None:
    path = claiming(tmp_path, body)
    assert commands.run(["inspect", path, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert list(facts["claims"]) == ["unreadable"]
    assert commands.run(["inspect", path]) == 0


@pytest.mark.parametrize("body", [b'{"\\u001b[2J": "\\u202e"}', b'{"a":' * 300 + b"1" + b"}" * 300])
def test_odd_claims_are_shown(body: bytes, tmp_path: Path, capsys: Captured) -> None:
    path = claiming(tmp_path, body)
    assert commands.run(["inspect", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["claims"] == json.loads(body)
    assert commands.run(["inspect", path]) == 0
    assert capsys.readouterr().out.replace("\n", "").isprintable()
