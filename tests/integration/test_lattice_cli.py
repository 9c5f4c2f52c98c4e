"""The command line about a lattice: its hosts, and its dead letters."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actorhost import Client, clock
from actorhost.errors import CallTimeout
from tests.integration.test_cli import PATIENCE, PROGRAM, Up, environment, going_up, run
from tests.servers import RestartableNats
from tests.wat import TRAP, guest

MANIFEST = """apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: lattice}
spec:
  components:
    - {name: trap, type: actor, properties: {module: trap.wasm, restarts: {intensity: 1000}}}
    - {name: echo, type: actor, properties: {module: %s}}
"""
ECHO = Path(__file__).resolve().parents[2] / "actors/echo/echo.wasm"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "trap.wasm").write_bytes(guest(TRAP))
    path = tmp_path / "lattice.yaml"
    path.write_text(MANIFEST % json.dumps(str(ECHO)))
    return path


@pytest.fixture
def up(tmp_path: Path, manifest: Path) -> Iterator[Up]:
    with going_up(tmp_path / "first", str(manifest)) as started:
        yield started


def until(condition: Callable[[], bool]) -> None:
    end = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < end
        clock.sleep(0.05)


def test_every_host_that_answers_is_shown_and_a_stopped_one_is_not(
    up: Up, tmp_path: Path, manifest: Path
) -> None:
    with going_up(tmp_path / "second", "--nats", up.url, str(manifest)) as second:
        ids = [host["id"] for host in up.json("hosts")["hosts"]]
        assert ids == [up.ready["host"], second.ready["host"]]
        shown = up.run("hosts").stdout.splitlines()
        assert shown[0].split() == ["HOST", "VERSION", "PID", "UP", "APPLICATIONS", "ACTORS"]
        assert [line.split()[0] for line in shown[1:]] == ids
        second.process.send_signal(signal.SIGSTOP)
        assert [host["id"] for host in up.json("hosts")["hosts"]] == [up.ready["host"]]
        second.process.send_signal(signal.SIGCONT)
        until(lambda: len(up.json("hosts")["hosts"]) == 2)


async def test_a_host_that_stood_still_does_not_handle_what_waited_for_callers_that_have_gone(up: Up) -> None:
    async with Client(up.url) as client:
        assert await client.ask("echo", "Echo", b"fresh") == b"fresh"
        up.process.send_signal(signal.SIGSTOP)
        try:
            started = clock.monotonic()
            for _ in range(5):
                with pytest.raises(CallTimeout):
                    await client.ask("echo", "Echo", b"stale", timeout=0.05)
            # Long enough to be noticed, and too short for the server to give the host up.
            await asyncio.sleep(max(0.0, 1.6 - (clock.monotonic() - started)))
        finally:
            up.process.send_signal(signal.SIGCONT)
        assert await client.ask("echo", "Echo", b"fresh") == b"fresh"
        (host,) = await client.control.hosts(count=1)
        echo = next(actor for actor in await client.control.actors(host.id) if actor.name == "echo")
    assert (echo.replied, echo.expired) == (2, 5)


def test_no_lattice_is_no_server() -> None:
    assert run("hosts", nats="nats://127.0.0.1:9").returncode == 3


def test_dead_letters_from_the_list_to_the_end(up: Up) -> None:
    assert up.run("dead", "list").stderr == "no dead letters\n"
    for text in ("one", "two", "three"):
        assert up.run("tell", "trap", "Op", f'"{text}"').returncode == 0
    until(lambda: up.run("dead", "list").stdout.count("trapped") == 3)
    listed = [json.loads(line) for line in up.run("dead", "list", "--json").stdout.splitlines()]
    assert [letter["payload"] for letter in listed] == ["one", "two", "three"]
    number = str(listed[0]["number"])
    shown = up.run("dead", "show", number).stdout
    assert "reason     trapped: the guest was ended" in shown
    assert 'payload    "one"' in shown

    failed = up.run("dead", "retry", number)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"{number} stays:\nerror: trapped: ")
    assert up.run("dead", "drop", number).stdout == f"{number} dropped\n"
    gone = up.run("dead", "drop", number)
    assert (gone.returncode, "there is no dead letter" in gone.stderr) == (1, True)
    assert up.run("dead", "list", "--actor", "echo").stderr == "no dead letters\n"
    assert up.run("dead", "drop", "--all", "--actor", "trap").returncode == 0
    assert up.run("dead", "list").stderr == "no dead letters\n"


def test_a_dead_letter_that_is_handled_at_last_is_dropped(up: Up, tmp_path: Path) -> None:
    """Dead because its actor trapped; deployed again as an echo, the actor takes it."""
    up.run("tell", "trap", "Echo", '"hello"')
    until(lambda: "trapped" in up.run("dead", "list").stdout)
    better = tmp_path / "better.yaml"
    better.write_text((MANIFEST % json.dumps(str(ECHO))).replace("trap.wasm", str(ECHO)))
    assert up.run("deploy", str(better)).returncode == 0
    assert up.run("dead", "retry", "--all").stdout.endswith(" sent again\n")
    assert up.run("dead", "list").stderr == "no dead letters\n"


def test_an_application_is_taken_off_every_host(up: Up, tmp_path: Path, manifest: Path) -> None:
    with going_up(tmp_path / "second", "--nats", up.url, str(manifest)) as second:
        done = up.run("undeploy", "lattice")
        assert done.returncode == 0, done.stderr
        ids = {up.ready["host"], second.ready["host"]}
        assert {line.split()[0] for line in done.stdout.splitlines()} == ids
        assert all(line.endswith("  lattice  2 actors stopped") for line in done.stdout.splitlines())
        assert up.run("ps").stderr == "no actors on 2 hosts\n"
        assert up.run("call", "echo", "Echo").returncode == 1
        again = up.run("undeploy", "lattice")
        assert (again.returncode, "no host runs an application 'lattice'" in again.stderr) == (1, True)
        assert up.run("deploy", str(manifest)).returncode == 0
        assert json.loads(up.run("undeploy", "lattice", "--json").stdout)["application"] == "lattice"
    assert up.run("undeploy", "Not A Name").returncode == 2


@pytest.mark.parametrize("arguments", [["drop"], ["retry", "1", "--actor", "a"]])
def test_which_letters_must_be_clear(arguments: list[str]) -> None:
    done = run("dead", *arguments)
    assert done.returncode == 2
    assert "error: say which dead letters" in done.stderr


@contextmanager
def following(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `actorhost events`, which has subscribed."""
    process = subprocess.Popen(
        [*PROGRAM, "events", "--nats", url, *arguments],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "following the events of lattice 'default'; Ctrl-C ends that\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def test_events_are_followed_by_people_and_programs(up: Up) -> None:
    with (
        following(up.url) as people,
        following(up.url, "--json", "--count", "1", "--type", "instance-*") as program,
    ):
        assert up.run("call", "trap", "Op").returncode == 1
        out, errors = program.communicate(timeout=PATIENCE)
        assert (program.returncode, errors) == (0, "")
        event = json.loads(out)
        assert (event["specversion"], event["type"]) == ("1.0", "actorhost.instance.ended")
        assert (event["source"], event["subject"]) == (f"/default/{up.ready['host']}", "trap")
        assert people.stdout is not None
        when, host, kind, subject, code, reason = people.stdout.readline().split(maxsplit=5)
        assert (when, host) == (event["time"][:23] + "Z", up.ready["host"][:8])
        assert (kind, subject, code) == ("instance-ended", "trap", "code=trapped")
        assert reason.startswith('reason="the guest was ended: it executed `unreachable` (a panic or abort)"')
        people.send_signal(signal.SIGINT)
        assert people.communicate(timeout=PATIENCE) == ("", "")
        assert people.returncode == 130


async def test_who_follows_events_is_told_that_the_connection_was_lost(tmp_path: Path) -> None:
    server = RestartableNats(tmp_path / "nats")
    await server.start()
    with following(server.url) as people:
        assert people.stderr is not None
        await server.kill()
        lost = await asyncio.to_thread(people.stderr.readline)
        assert lost == "the connection to NATS is lost; the events of meanwhile are, too\n"
        await server.start()
        back = await asyncio.to_thread(people.stderr.readline)
        assert back == "the connection to NATS was lost and is back; following again\n"
    await server.kill()


def test_a_call_that_an_actor_which_has_failed_refuses_is_a_failed_call(up: Up, tmp_path: Path) -> None:
    fragile = tmp_path / "fragile.yaml"
    fragile.write_text(
        (MANIFEST % json.dumps(str(ECHO))).replace("intensity: 1000", "intensity: 0, backoff: 30s")
    )
    assert up.run("deploy", str(fragile)).returncode == 0
    assert "trapped" in up.run("call", "trap", "Op").stderr
    refused = up.run("call", "trap", "Op")
    assert "ended too often" in refused.stderr
    assert refused.returncode == 1


def test_a_type_of_event_that_there_is_not_is_refused() -> None:
    done = run("events", "--type", "actor-*", "--type", "actor-faild")
    assert done.returncode == 2
    assert "no type of event matches 'actor-faild'\nhint: there are host-started, " in done.stderr
