"""Finding commands, and the exit codes of what goes wrong before anything is started."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from actorhost.cli import commands
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    EngineUnavailable,
    InternalError,
    ManifestInvalid,
    ServerUnavailable,
)

Captured = pytest.CaptureFixture[str]
LANDED = sorted(set(commands.COMMANDS) - {"bench", "demo"})


@pytest.mark.parametrize("name", LANDED)
def test_every_command_is_where_the_table_says_and_explains_itself(name: str, capsys: Captured) -> None:
    module, _, attribute = commands.COMMANDS[name][0].partition(":")
    assert hasattr(import_module(module), attribute)
    assert commands.run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: actorhost {name} ")
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(arguments: list[str], capsys: Captured) -> None:
    assert commands.run(arguments) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in commands.COMMANDS)
    assert max(map(len, text.splitlines())) <= 80


def test_the_version(capsys: Captured) -> None:
    assert commands.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("actorhost 0.")


def test_help_imports_neither_engine_nor_network() -> None:
    """So that it answers at once."""
    program = (
        "import sys; from actorhost.cli import commands; commands.run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('wasmtime', 'nats', 'typer', 'rich', 'structlog')))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pss"], "there is no command 'pss'\nhint: did you mean 'ps'?"),
        (["reboot-everything"], "`actorhost --help` lists the commands"),
        (["call"], "Missing argument"),
        (["call", "echo", "Echo", "1", "--timeout", "0"], "--timeout"),
        (["call", "echo", "Echo", "hello"], "is not JSON"),
        (["call", "echo", "Echo", "--hex", "0g"], "not hexadecimal"),
        (["tell", "echo", "Echo", "@no-such-file"], "cannot read no-such-file"),
        (["logs", "echo", "-n", "0"], "--lines"),
        (["logs", "Not A Name"], "is not an actor name"),
        (["logs", "echo", "--count", "1"], "--count is for --follow"),
        (["trace", "Not A Name"], "is not an actor name"),
        (["trace", "echo", "--count", "0"], "--count"),
        (["up", "--nats", "nats://x", "--port", "1"], "give one or the other"),
        (["up", "--log-level", "loud"], "'loud' is no log level"),
        (["up", "--log-format", "xml"], "'xml' is no log format"),
        (["up", "no-such.yaml"], "cannot read no-such.yaml"),
        (["deploy", "no-such.yaml"], "cannot read no-such.yaml"),
        (["ps", "--bogus"], "No such option"),
    ],
)
def test_wrong_input_is_one_clear_error(arguments: list[str], said: str, capsys: Captured) -> None:
    assert commands.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_the_findings_of_all_manifests_are_reported_together(tmp_path: Path, capsys: Captured) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("kind: Nonsense")
    assert commands.run(["up", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]) == 2
    err = capsys.readouterr().err
    assert "a.yaml:1:" in err
    assert "b.yaml:1:" in err


def test_a_module_that_is_not_there_is_found_before_anything_is_sent(
    tmp_path: Path, capsys: Captured
) -> None:
    manifest = tmp_path / "app.yaml"
    manifest.write_text(
        "{apiVersion: core.oam.dev/v1beta1, kind: Application, metadata: {name: app}, spec: {components: ["
        "{name: one, type: actor, properties: {module: missing.wasm}}]}}"
    )
    assert commands.run(["deploy", str(manifest)]) == 2
    assert "missing.wasm: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest("x"), 1),
        (ManifestInvalid("x"), 2),
        (ServerUnavailable("x"), 3),
        (EngineUnavailable("x"), 3),
        (InternalError("x"), 70),
    ],
)
def test_exit_codes(
    error: ActorhostError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("actorhost.cli.ps.ps", fail)
    assert commands.run(["ps"]) == code
    assert "x" in capsys.readouterr().err
