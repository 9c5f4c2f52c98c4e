"""How a command ends as a process: interrupted, with nobody to write to, beside a guest without end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actorhost import clock
from actorhost.ids import Digest
from actorhost.transport import NatsServer, NatsTransport
from tests.transports import Arrivals

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "actorhost")
ECHO = "actors/echo/echo.wasm"
PATIENCE = 30.0
MOST_MEMORY = 250 * 1024 * 1024
"""Bytes a command may occupy; Python and the engine alone are about 60 MiB."""


def run(*arguments: str | bytes, **options: Any) -> subprocess.CompletedProcess[str]:
    usual = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    command = [*PROGRAM, *arguments]
    return subprocess.run(command, timeout=PATIENCE, check=False, **{**usual, **options})


def closing(*numbers: int) -> Callable[[], None]:
    """Return what closes standard streams in the child."""

    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


COMMANDS = [
    ["--help"],
    ["ps", "--help"],
    ["inspect", ECHO],
    ["inspect", ECHO, "--json"],
    ["invoke", ECHO, "Echo", "1"],
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (1, "error: cannot write output: No space left on device\n")


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_closed_output_is_told(arguments: list[str]) -> None:
    done = run(*arguments, preexec_fn=closing(1))
    assert (done.returncode, done.stderr) == (1, "error: cannot write output: Bad file descriptor\n")


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_has_gone_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(*arguments, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_errors_that_nobody_can_read_keep_their_code() -> None:
    with Path("/dev/full").open("w") as full:
        assert run("pss", stderr=full).returncode == 2
        assert run("inspect", "missing", "--json", stdout=full, stderr=full).returncode == 1
    assert run("pss", preexec_fn=closing(2)).returncode == 2
    done = run("ps", "--nats", "nats://127.0.0.1:9", preexec_fn=closing(0, 1, 2))
    assert (done.returncode, done.stdout) == (3, "")


def test_a_closed_input_is_empty() -> None:
    done = run("invoke", ECHO, "Echo", "--raw", "-", "--json", preexec_fn=closing(0))
    assert json.loads(done.stdout)["reply_bytes"] == 0


def test_an_input_that_cannot_be_read() -> None:
    with Path(os.devnull).open("w") as nowhere:
        done = run("invoke", ECHO, "Echo", "-", stdin=nowhere)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot read standard input: Bad file descriptor\n")


@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_what_an_encoding_lacks_is_escaped_as_in_json(json_option: tuple[str, ...]) -> None:
    done = run(
        "invoke", ECHO, "Echo", '"grüße 💥"', *json_option, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"gr\\u00fc\\u00dfe \\ud83d\\udca5"' in done.stdout
    if json_option:
        assert json.loads(done.stdout)["reply"] == "grüße 💥"


def test_bytes_of_arguments_that_are_no_text() -> None:
    done = run("invoke", ECHO, b"\xff")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'\\udcff' is not text in UTF-8" in done.stderr
    assert run("invoke", ECHO, "Echo", "--raw", b"\xff", "--json").stdout.count('"reply_hex": "ff"') == 1


INTERRUPTING = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Interrupting(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv[1:] = {arguments!r}
from actorhost.cli.main import main
main()
"""


@pytest.mark.parametrize(
    "name", ["json", "actorhost.errors", "actorhost.cli.output", "typer", "actorhost.cli.invoke", "wasmtime"]
)
def test_an_interrupt_while_it_is_imported_is_quiet(name: str) -> None:
    program = INTERRUPTING.format(name=name, arguments=["invoke", ECHO, "Echo", "1"])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("delay", [0.1, 0.3, 0.6, 1.2])
def test_an_interrupt_of_a_guest_without_end_is_quiet(delay: float) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "invoke", "actors/hostile/loop.wat", "X", "--timeout", "60"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    clock.sleep(delay)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (130, b"", b"")


MEASURING = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""Tells the most memory of a program in KiB. Its own parent would add to that: a process's peak starts
with what was resident when it was forked, and that of these tests is large."""


@pytest.mark.parametrize("json_option", [(), ("--json",)])
@pytest.mark.parametrize(
    ("guest", "dropped"),
    [("loop_log.wat", "log"), ("million_host_calls.wat", "calls"), ("loop_host_call.wat", "calls")],
)
def test_a_guest_without_end_ends_in_time_and_in_little_memory(
    guest: str, dropped: str, json_option: tuple[str, ...], tmp_path: Path
) -> None:
    command = [*PROGRAM, "invoke", f"actors/hostile/{guest}", "X", "--timeout", "1", *json_option]
    started = clock.monotonic()
    with (tmp_path / "out").open("w") as out:
        done = subprocess.run(
            [sys.executable, "-c", MEASURING, *command], cwd=ROOT, stdout=out, stderr=subprocess.PIPE,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert clock.monotonic() - started < 6
    assert int(done.stderr) * 1024 < MOST_MEMORY
    text = (tmp_path / "out").read_text()
    assert len(text) < 16 * 1024 * 1024
    if json_option:
        assert json.loads(text)[f"{dropped}_dropped"] > 0
    else:
        assert f"\n{dropped.removesuffix('s'):<8}(not shown: " in text


def test_the_time_limit_holds_for_start_functions_too() -> None:
    done = run("invoke", "actors/hostile/init_loop.wat", "X", "--timeout", "0.3", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error"]["code"]) == (1, "deadline")
    assert answer["time_ms"] < 3000


def test_a_message_is_as_large_as_a_host_would_take(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(768 * 1024 + 1))
    large = ("invoke", ECHO, "Echo", "--raw", f"@{tmp_path / 'large'}", "--json")
    assert json.loads(run(*large).stdout)["status"] == "too_large"
    more = {**os.environ, "ACTORHOST_MAX_MESSAGE": str(1024 * 1024)}
    assert json.loads(run(*large, env=more).stdout)["reply_bytes"] == 768 * 1024 + 1


def test_a_module_is_compiled_once(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    digest = Digest.of((ROOT / ECHO).read_bytes())
    written = []
    for _ in range(2):
        assert run("invoke", ECHO, "Echo", "1", env=environment).returncode == 0
        (compiled,) = (tmp_path / "actorhost" / "modules").glob(f"{digest}-*")
        written.append(compiled.stat().st_mtime_ns)
    assert written[0] == written[1]


async def test_a_lost_connection_is_told_by_the_error_alone(tmp_path: Path) -> None:
    """However much the client library has to say meanwhile."""
    asked = Arrivals()
    server = NatsServer(tmp_path / "nats")
    await server.start()
    mute = NatsTransport(server.url, name="mute")
    await mute.start()
    try:
        await mute.subscribe("ah.default.rpc.mute.*", asked)
        call = await asyncio.create_subprocess_exec(
            *PROGRAM, "call", "mute", "Op", "--nats", server.url, "--timeout", "20",
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        await asked.until(1)
    finally:
        await server.stop()
        await mute.close()
    async with asyncio.timeout(PATIENCE):
        output, errors = await call.communicate()
    assert (call.returncode, output) == (1, b"")
    assert errors.startswith(b"error: unknown_outcome: ")
    assert {line.partition(b":")[0] for line in errors.splitlines()} <= {b"error", b"hint"}
