"""`actorhost logs --follow` and `trace` as people use them: until Ctrl-C, or as many as they asked for."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgpack
import pytest

from actorhost import Client
from actorhost.errors import ActorhostError
from tests.integration.test_cli import PATIENCE, PROGRAM, ROOT, Up, environment, going_up
from tests.wat import guest

LOG = """(call $request (i32.const 0) (i32.const 1024)) (call $log (i32.const 1024) (local.get $m))
(call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
MANIFEST = """apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: watched}
spec:
  components:
    - {name: talker, type: actor, properties: {module: talker.wasm}}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "talker.wasm").write_bytes(guest(LOG))
    (folder / "watched.yaml").write_text(MANIFEST)
    counter = str(ROOT / "manifests/counter.yaml")
    with going_up(folder / "host", str(folder / "watched.yaml"), counter) as started:
        yield started


def call(up: Up, actor: str, operation: str, *payloads: bytes) -> None:
    """Send messages to an actor, one after the other, however they end."""

    async def send() -> None:
        async with Client(up.url) as client:
            for payload in payloads:
                with suppress(ActorhostError):
                    await client.ask(actor, operation, payload)

    asyncio.run(send())


@contextmanager
def following(up: Up, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command that follows, from when it says that it does."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments, "--nats", up.url],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == f"following actor {arguments[1]} on 1 host; Ctrl-C ends it\n"
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def test_logs_are_followed_until_ctrl_c(up: Up) -> None:
    call(up, "talker", "Log", b"left out", b"before", b"\x1b[31mred")
    with following(up, "logs", "talker", "--follow", "-n", "2") as process:
        assert process.stdout is not None
        call(up, "talker", "Log", b"after\ntwo")
        lines = [process.stdout.readline().split(" ", 2)[1:] for _ in range(4)]
        assert lines == [
            ["console", "before\n"],
            ["console", "\\x1b[31mred\n"],
            ["console", "after\n"],
            ["console", "two\n"],
        ]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest, errors) == (130, "", "")
    enough = up.run("logs", "talker", "-f", "-n", "3", "--count", "2", "--json")
    assert enough.returncode == 0
    assert [json.loads(line)["text"] for line in enough.stdout.splitlines()] == ["\\x1b[31mred", "after"]


def test_a_trace_shows_messages_and_what_they_called(up: Up) -> None:
    with following(up, "trace", "counter", "--count", "2", "--payload") as process:
        call(up, "counter", "Increment", msgpack.packb({"key": "visits"}))
        call(up, "counter", "Nonsense", b"")
        shown, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    first, payload, called, second, *_ = shown.splitlines()
    assert " Increment 12B: reply 1B in " in first
    assert payload == '    payload {"key": "visits"}'
    assert called.startswith("    actorhost:keyvalue increment: reply in 0.")
    assert " Nonsense 0B: actor_error in " in second


def test_an_actor_that_nobody_runs_is_an_error(up: Up) -> None:
    done = up.run("trace", "nobody", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "no_route")
    assert done.stderr == (
        "error: no_route: no host runs an actor 'nobody'\nhint: `actorhost ps` shows what runs\n"
    )


def test_ctrl_c_ends_it_also_while_its_reader_stalls(up: Up) -> None:
    with following(up, "logs", "talker", "--follow") as process:
        # More than a pipe holds, and nobody reads it.
        call(up, "talker", "Say", *(b"x" * 1000 for _ in range(200)))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.send_signal(signal.SIGINT)
        assert process.wait(5.0) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
