"""Values that are no text or no number are refused where they are given, whatever typer thinks of them."""

from __future__ import annotations

import pytest
import typer

from actorhost.cli import commands
from actorhost.cli.options import finite, http_address, utf8
from actorhost.errors import InvalidInput

Captured = pytest.CaptureFixture[str]
BROKEN = "a\udcffb"


@pytest.mark.parametrize(
    "arguments",
    [
        ["invoke", "x.wasm", BROKEN],
        ["invoke", "x.wasm", "Echo", "--env", f"A={BROKEN}"],
        ["call", BROKEN, "Echo"],
        ["call", "echo", BROKEN],
        ["tell", "echo", BROKEN],
        ["logs", BROKEN],
        ["trace", BROKEN],
        ["ps", "--nats", BROKEN],
        ["ps", "--lattice", BROKEN],
        ["up", "--nats", BROKEN],
        ["up", "--log-level", BROKEN],
        ["ps", f"--{BROKEN}"],
        [BROKEN],
    ],
)
def test_arguments_that_are_not_utf8(arguments: list[str], capsys: Captured) -> None:
    assert commands.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "a\\udcffb" in err
    assert "a bug" not in err


@pytest.mark.parametrize(
    "command",
    [
        ["call", "echo", "Echo", "--timeout"],
        ["invoke", "x.wasm", "Echo", "--timeout"],
        ["deploy", "x.yaml", "--timeout"],
        ["dead", "retry", "--all", "--timeout"],
        ["demo", "--seconds"],
        ["bench", "preempt", "--seconds"],
        ["bench", "echo", "--open-seconds"],
        ["bench", "overload", "--factor"],
    ],
)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e999", "soon"])
def test_seconds_that_nobody_can_wait(command: list[str], value: str, capsys: Captured) -> None:
    assert commands.run([*command, value]) == 2
    assert f"Invalid value for '{command[-1]}'" in capsys.readouterr().err


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_refused_without_bounds_too(value: float) -> None:
    with pytest.raises(typer.BadParameter, match="not a finite number"):
        finite(value)


def test_what_is_fine_stays_as_it_is() -> None:
    assert (finite(1.5), finite(None)) == (1.5, None)
    assert utf8(["ü", ""]) == ["ü", ""]
    assert utf8("grüße") == "grüße"


def test_an_address_is_needed(capsys: Captured) -> None:
    assert commands.run(["ps", "--nats", ""]) == 2
    assert "an address is needed" in capsys.readouterr().err


def test_an_empty_variable_is_not_set(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def remember(nats: str, lattice: str, _work: object) -> list[object]:
        asked.append((nats, lattice))
        return []

    monkeypatch.setattr("actorhost.cli.listing.with_client", remember)
    for value in ("", "other"):
        monkeypatch.setenv("ACTORHOST_NATS", value)
        monkeypatch.setenv("ACTORHOST_LATTICE", value)
        assert commands.run(["ps"]) == 0
    assert asked == [("nats://127.0.0.1:4222", "default"), ("other", "other")]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0", ("127.0.0.1", 0)),
        ("9090", ("127.0.0.1", 9090)),
        ("0.0.0.0:9090", ("0.0.0.0", 9090)),  # noqa: S104 - read, not listened at
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_addresses_are_read(text: str, address: tuple[str, int]) -> None:
    assert http_address(text) == address


@pytest.mark.parametrize("text", [":80", "localhost", "localhost:", "1:65536", "1:-1", "١", ""])  # noqa: RUF001
def test_other_texts_are_no_addresses(text: str) -> None:
    with pytest.raises(InvalidInput, match="no address to listen at"):
        http_address(text)
