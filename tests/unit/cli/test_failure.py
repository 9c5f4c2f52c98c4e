"""How failures end a command: exit codes, JSON for programs, and nothing of what only users may see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from actorhost.cli import commands, failure, output
from actorhost.errors import ActorFailed, NoRoute, ServerUnavailable

Captured = pytest.CaptureFixture[str]
FACTS = {"code", "message", "hint", "where", "retryable", "outcome_known"}
NOWHERE = ("--nats", "nats://127.0.0.1:9")


def run(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = commands.run(list(arguments))
    return code, *capsys.readouterr()


def failing(error: BaseException) -> Any:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["invoke", "--json", "missing.wasm", "Echo"], 2, "cannot read missing.wasm"),
        (["inspect", "--json", "missing.wasm"], 2, "cannot read missing.wasm"),
        (["inspect", "strange.wasm", "--json"], 2, "not a WebAssembly module"),
        (["invoke", "--json", "strange.wasm", "Echo"], 2, "not a WebAssembly module"),
        (["ps", "--json", *NOWHERE], 3, "no NATS server"),
        (["logs", "--json", "echo", *NOWHERE], 3, "no NATS server"),
        (["call", "--json", "echo", "Echo", *NOWHERE], 3, "no NATS server"),
        (["call", "--json", "echo", "Echo", "hello"], 2, "is not JSON"),
        (["deploy", "--json", "missing.yaml"], 2, "cannot read missing.yaml"),
        (["up", "--json", "missing.yaml"], 2, "cannot read missing.yaml"),
        (["ps", "--json", "--bogus"], 2, "No such option"),
        (["pss", "--json"], 2, "there is no command"),
    ],
)
def test_with_json_every_failure_is_one_object(
    arguments: list[str],
    code: int,
    said: str,
    capsys: Captured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("strange.wasm").write_text("strange")
    got, out, err = run(capsys, *arguments)
    assert got == code
    (answer,) = [json.loads(line) for line in out.splitlines()]
    assert list(answer) == ["error"]
    assert set(answer["error"]) >= FACTS
    assert said in answer["error"]["message"]
    assert said in err


def test_a_manifest_has_its_findings_in_the_object(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.yaml").write_text("kind: Nonsense")
    _, out, _ = run(capsys, "deploy", "--json", "app.yaml")
    findings = json.loads(out)["error"]["findings"]
    assert {"file", "line", "column", "path", "message", "hint", "excerpt"} == set(findings[0])


def test_what_comes_after_two_dashes_is_no_option(capsys: Captured) -> None:
    _, out, _ = run(capsys, "call", "echo", "Echo", "--", "--json")
    assert out == ""


def test_a_command_that_has_answered_answers_once(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer_and_fail(json: Annotated[bool, typer.Option("--json")] = False) -> None:
        output.json_line({"event": "ready", "json": json})
        raise ServerUnavailable("it went away")

    monkeypatch.setattr("actorhost.cli.ps.ps", answer_and_fail)
    code, out, err = run(capsys, "ps", "--json")
    assert (code, err) == (3, "error: it went away\n")
    assert json.loads(out)["event"] == "ready"


def test_a_bug_is_told_in_one_line_without_what_it_was_about(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actorhost.cli.ps.ps", failing(ZeroDivisionError("the secret")))
    assert run(capsys, "ps") == (
        failure.BUG,
        "",
        "error: this is a bug of actorhost: ZeroDivisionError\nhint: ACTORHOST_DEBUG=1 shows the traceback\n",
    )
    monkeypatch.setenv("ACTORHOST_DEBUG", "1")
    code, _, err = run(capsys, "ps")
    assert code == failure.BUG
    assert err.startswith("Traceback")
    assert "ZeroDivisionError: the secret" in err


def test_the_first_error_of_tasks_is_the_one_that_counts(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [NoRoute("nobody")]), ActorFailed("later")])
    monkeypatch.setattr("actorhost.cli.ps.ps", failing(group))
    assert run(capsys, "ps") == (1, "", "error: no_route: nobody\n")


def test_a_file_name_that_is_no_text_is_told_as_text(capsys: Captured) -> None:
    code, out, err = run(capsys, "inspect", "--json", "\udcff.wasm")
    assert code == failure.WRONG_INPUT
    assert err.startswith("error: cannot read \\udcff.wasm: ")
    assert json.loads(out)["error"]["message"].startswith("cannot read \\udcff.wasm: ")
