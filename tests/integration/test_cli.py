"""The command line as people use it: real processes, from `up` to the signal that ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from actorhost import clock
from tests.wat import ECHO as ECHO_BODY
from tests.wat import guest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "actorhost")
ECHO = ROOT / "actors/echo/echo.wasm"
PATIENCE = 30.0
Done = subprocess.CompletedProcess[str]


def environment() -> dict[str, str]:
    """Return an environment whose output is plain and whose locale is the poorest."""
    return {**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "COLUMNS": "80"}


@dataclass
class Up:
    """`actorhost up` in a process of its own."""

    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.ready["nats"])

    def run(self, *arguments: str, stdin: str = "") -> Done:
        """Run another command against its server."""
        return run(*arguments, nats=self.url, stdin=stdin)

    def json(self, *arguments: str) -> Any:
        """Return what a command prints, which must succeed."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def server(self) -> psutil.Process:
        """Return the NATS server it started."""
        (server,) = (
            child for child in psutil.Process(self.process.pid).children() if child.name() == "nats-server"
        )
        return server

    def end(self, number: int) -> int:
        """Send signal `number` and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def run(*arguments: str, nats: str = "", stdin: str = "") -> Done:
    """Run one command to its end."""
    variables = environment()
    if nats:
        variables["ACTORHOST_NATS"] = nats
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT, env=variables, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@contextmanager
def going_up(directory: Path, *arguments: str) -> Iterator[Up]:
    """Start a host on a free port and wait until it is ready; end it if the body did not."""
    directory.mkdir(exist_ok=True)
    options = ("--port", "0", "--store", str(directory / "nats")) if "--nats" not in arguments else ()
    with (directory / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*PROGRAM, "up", "--json", *options, *arguments],
            cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (directory / "stderr").read_text()
        yield Up(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One host for the tests that only talk to it."""
    with going_up(
        tmp_path_factory.mktemp("up") / "one",
        "manifests/echo.yaml",
        "manifests/counter.yaml",
        "--http",
        "0",
    ) as up:
        yield up


def test_up_says_where_it_is_and_what_it_runs(host: Up) -> None:
    assert host.ready["event"] == "ready"
    assert host.ready["nats"].startswith("nats://127.0.0.1:")
    assert host.ready["actors"] == ["counter", "echo"]
    assert host.ready["pid"] == host.process.pid
    assert Path(host.ready["server_log"]).is_file()
    with urllib.request.urlopen(f"{host.ready['http']}/readyz", timeout=PATIENCE) as answer:  # noqa: S310
        assert answer.read() == b"ok\n"


@pytest.mark.parametrize(
    ("payload", "printed"),
    [
        (['{"a": [2.5, null], "ü": {"$bytes": "AAE="}}'], '{"a": [2.5, null], "ü": {"$bytes": "AAE="}}\n'),
        (["--raw", "plain text"], "plain text"),
        (["--hex", "c1 80"], "c1 80\n"),
        ([], "null\n"),
    ],
)
def test_call_prints_the_reply(host: Up, payload: list[str], printed: str) -> None:
    done = host.run("call", "echo", "Echo", *payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


def test_call_reads_a_file_and_standard_input(host: Up, tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text("[1]")
    assert host.run("call", "echo", "Echo", f"@{tmp_path / 'payload.json'}").stdout == "[1]\n"
    assert host.run("call", "echo", "Echo", "-", stdin='{"x": 2}').stdout == '{"x": 2}\n'


def test_call_as_json(host: Up) -> None:
    reply = host.json("call", "echo", "Echo", "5")
    assert reply.pop("time_ms") > 0
    assert reply == {"reply": 5, "reply_bytes": 1, "reply_hex": "05"}


def test_a_fault_says_what_where_and_exits_with_1(host: Up) -> None:
    done = host.run("call", "echo", "Fail", "--raw", "because\x1b[2J")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: actor_error: because\\x1b[2J [actor echo]\n"
    done = host.run("call", "echo", "Fail", "--raw", "because", "--json")
    assert done.returncode == 1
    fault = json.loads(done.stdout)["error"]
    assert (fault["code"], fault["message"], fault["outcome_known"]) == ("actor_error", "because", True)


def test_an_actor_that_is_not_there(host: Up) -> None:
    done = host.run("call", "nobody", "Op")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no_route: nobody in lattice 'default' answers as actor 'nobody'\n")
    assert "\nhint: " in done.stderr


def test_tell_says_nothing_and_ps_counts_it(host: Up) -> None:
    before = _replied(host, "echo")
    done = host.run("tell", "echo", "Echo", "1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    _until(lambda: _replied(host, "echo") == before + 1)


def test_ps_is_a_table_of_80_columns(host: Up) -> None:
    done = host.run("ps")
    header, *rows = done.stdout.splitlines()
    counter, echo = [row for row in rows if row.startswith(("counter ", "echo "))]
    assert header.split() == [
        "ACTOR",
        "STATE",
        "WAITING",
        "FAULTS",
        "RESTARTS",
        "RATE/S",
        "P50",
        "P99",
        "TICKS",
        "MEMORY",
    ]
    assert counter.split()[:3] == ["counter", "running", "0"]
    assert echo.endswith("KiB")
    assert max(map(len, done.stdout.splitlines())) <= 80
    columns, *wide = [row.split() for row in host.run("ps", "--wide").stdout.splitlines()]
    assert len(columns) == 16
    assert ["counter", "counter", host.ready["host"][:8]] in [row[:3] for row in wide]


def test_ps_tells_everything_about_one_actor(host: Up) -> None:
    host.run("call", "echo", "Echo", "1")
    lines = host.run("ps", "echo").stdout.splitlines()
    facts = dict(line.split("  ", 1) for line in lines if "  " in line)
    facts = {name: value.strip() for name, value in facts.items()}
    assert (facts["name"], facts["state"], facts["host"]) == ("echo", "running", host.ready["host"])
    assert float(facts["guest ms"]) > 0
    (actor,) = host.json("ps", "echo")["hosts"][0]["actors"]
    assert actor["mean_ms"] > 0
    missing = host.run("ps", "ehco")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "no host runs an actor 'ehco'" in missing.stderr


def test_logs_of_an_actor(host: Up) -> None:
    for text in ("first", "second"):
        assert host.run("call", "echo", "Log", "--raw", text).returncode == 0
    (line,) = host.run("logs", "echo", "-n", "1").stdout.splitlines()
    assert line.split()[1:] == ["console", "second"]
    lines = [json.loads(line) for line in host.run("logs", "echo", "--json").stdout.splitlines()]
    assert [line["text"] for line in lines[-2:]] == ["first", "second"]
    assert {line["host"] for line in lines} == {host.ready["host"]}
    assert host.run("logs", "nobody").returncode == 1


def test_deploy_replaces_an_application(host: Up, tmp_path: Path) -> None:
    done = host.run("deploy", _manifest(tmp_path, ECHO, "v1"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{host.ready['host']}  app v1  1 actor running\n"
    (tmp_path / "other.wasm").write_bytes(guest("(i32.const 0)"))
    result = host.json("deploy", _manifest(tmp_path, tmp_path / "other.wasm", "v2"))
    assert (result["application"], result["version"]) == ("app", "v2")
    assert result["hosts"] == [
        {"host": host.ready["host"], "actors": ["mine"], "finished": True, "error": None}
    ]
    assert host.run("call", "mine", "Echo").returncode == 1


def test_a_host_that_refuses_says_why(host: Up, tmp_path: Path) -> None:
    path = Path(_manifest(tmp_path, ECHO, "v1", name="bad", actor="bad"))
    manifest = json.loads(path.read_text())
    provider = {"provider": "nonesuch", "contract": "a:b"}
    manifest["spec"]["components"].append({"name": "store", "type": "provider", "properties": provider})
    path.write_text(json.dumps(manifest))
    done = host.run("deploy", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "provider 'nonesuch' is not installed" in done.stderr
    assert host.ready["host"] in done.stderr


def test_a_lattice_without_hosts(host: Up) -> None:
    done = host.run("ps", "--lattice", "elsewhere")
    assert done.returncode == 3
    assert "no host of lattice 'elsewhere'" in done.stderr


def test_no_server() -> None:
    for arguments in (["ps"], ["call", "echo", "Echo"]):
        done = run(*arguments, "--nats", "nats://127.0.0.1:9")
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("error: no NATS server at nats://127.0.0.1:9")
        assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(host: Up, tmp_path: Path) -> None:
    port = host.url.rpartition(":")[2]
    done = run("up", "--port", port, "--store", str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: cannot start a NATS server: port {port} is taken\n")
    assert "--port 0" in done.stderr


def test_a_second_host_joins_and_both_are_seen(host: Up, tmp_path: Path) -> None:
    with going_up(tmp_path / "two", "--nats", host.url) as second:
        assert second.ready["server_log"] is None
        hosts = host.json("ps")["hosts"]
        assert {each["id"] for each in hosts} == {host.ready["host"], second.ready["host"]}
        manifest = _manifest(tmp_path, ECHO, "v1", name="both", actor="both")
        assert len(host.json("deploy", manifest)["hosts"]) == 2
        assert second.end(signal.SIGTERM) == 0
    assert host.run("call", "both", "Echo", "1").stdout == "1\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with going_up(tmp_path / "up", "manifests/echo.yaml") as up:
        server = up.server()
        assert up.end(number) == 0
        assert not server.is_running()
    errors = (tmp_path / "up" / "stderr").read_text()
    assert errors == ""


def test_a_signal_while_starting_leaves_nothing(tmp_path: Path) -> None:
    command = [*PROGRAM, "up", "--port", "0", "--store", str(tmp_path / "nats"), "manifests/echo.yaml"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    _until((tmp_path / "nats" / "nats.log").exists)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert output in ("", f"{output.strip()}\n")
    _until(lambda: not any(child.is_running() for child in children))


def test_a_server_that_dies_ends_the_host_and_says_so(tmp_path: Path) -> None:
    with going_up(tmp_path / "up") as up:
        up.server().kill()
        assert up.process.wait(PATIENCE) == 3
    errors = (tmp_path / "up" / "stderr").read_text()
    assert "error: the NATS server of this host ended" in errors
    assert "Traceback" not in errors


def test_a_manifest_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(guest(ECHO_BODY, '(func (export "wapc_init") unreachable)'))
    manifest = _manifest(tmp_path, tmp_path / "bad.wasm", "v1")
    done = run("up", "--port", "0", "--store", str(tmp_path / "nats"), manifest)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: trapped: " in done.stderr
    assert (tmp_path / "nats").exists()
    assert not [process for process in psutil.process_iter() if str(tmp_path) in _command_line(process)]


def test_a_module_that_cannot_run_is_found_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"\0asm\1\0\0\0")
    manifest = _manifest(tmp_path, tmp_path / "bad.wasm", "v1")
    done = run("up", "--port", "0", "--store", str(tmp_path / "nats"), manifest)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{manifest}:1:" in done.stderr
    assert "spec.components[0].properties.module: the module cannot run here" in done.stderr
    assert not (tmp_path / "nats").exists()


def test_the_ready_line_for_people(tmp_path: Path) -> None:
    command = [*PROGRAM, "up", "--port", "0", "--store", str(tmp_path / "nats"), "manifests/echo.yaml"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=PATIENCE)
    start, _, rest = line.partition("127.0.0.1:")
    assert start == "ready nats://"
    assert rest.partition(" ")[2] == "lattice default, 1 actor\n"


def _manifest(directory: Path, module: Path, version: str, *, name: str = "app", actor: str = "mine") -> str:
    """Write a manifest of one actor and return its path."""
    properties = {"module": os.path.relpath(module, directory)}
    manifest = {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {"name": name, "annotations": {"version": version}},
        "spec": {"components": [{"name": actor, "type": "actor", "properties": properties}]},
    }
    path = directory / f"{name}.yaml"
    path.write_text(json.dumps(manifest))
    return str(path)


def _replied(host: Up, name: str) -> int:
    (row,) = [row for row in host.json("ps")["hosts"][0]["actors"] if row["name"] == name]
    return int(row["replied"])


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _until(condition: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline
        clock.sleep(0.02)
