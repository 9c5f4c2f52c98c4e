"""Real database servers for tests: on loopback, on a free port, in a temporary directory, gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import psutil

from actorhost import clock
from actorhost.limits import Limits
from actorhost.transport import NatsServer
from actorhost.transport.server_binary import find_server

PATIENCE = 20.0
PROGRAMS = ("redis-server", "valkey-server")


def redis_program() -> str | None:
    """Return the path of a Redis or Valkey server, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class RedisServer:
    """A server that keeps to `directory`; it can be killed, frozen and started again on its port."""

    def __init__(self, directory: Path, *, password: str = "") -> None:
        self._directory = directory
        self._password = password
        self._process: asyncio.subprocess.Process | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        user = f":{self._password}@" if self._password else ""
        return f"redis://{user}127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        program = redis_program()
        assert program is not None
        self._directory.mkdir(exist_ok=True)
        options = {
            "port": self.port, "bind": "127.0.0.1", "dir": self._directory, "appendonly": "yes",
            "appendfsync": "always", "save": "", "daemonize": "no",
        }  # fmt: skip
        if self._password:
            options["requirepass"] = self._password
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self._process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.DEVNULL
        )
        end = clock.monotonic() + PATIENCE
        while not await self._answers():
            assert clock.monotonic() < end, "the server did not start"
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """Let it stand still, with its connections open."""
        assert self._process is not None
        _freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    async def command(self, words: bytes) -> bytes:
        """Return the beginning of the answer to a command, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(words + b"\r\n")
            return await reader.read(64)
        finally:
            writer.close()
            await writer.wait_closed()

    async def _answers(self) -> bool:
        try:
            return (await self.command(b"PING")).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


class RestartableNats:
    """A nats-server that keeps to `directory`; it can be killed, frozen and started again on its port."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = NatsServer(directory, limits=Limits())
        self.url = ""

    async def start(self) -> None:
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._server = NatsServer(self._directory, port=port, limits=Limits())
        await self._server.start()
        self.url = self._server.url

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # a second time
            os.kill(self._server.pid, signal.SIGKILL)
        await self._server.wait()
        await self._server.stop()

    def freeze(self) -> None:
        _freeze(self._server.pid)

    def thaw(self) -> None:
        os.kill(self._server.pid, signal.SIGCONT)


@asynccontextmanager
async def configured_nats(directory: Path, configuration: str = "") -> AsyncIterator[str]:
    """Run a nats-server with `configuration`, and return where it listens."""
    path = anyio.Path(directory)
    await (path / "conf").write_text(f'port: -1\nhost: "127.0.0.1"\n{configuration}\n')
    process = await asyncio.create_subprocess_exec(
        await find_server(PATIENCE), "-c", path / "conf", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            said = await process.stderr.readuntil(b"Listening for client connections on ")
            address = await process.stderr.readline()
        assert said
        yield address.decode().strip()
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def redis_server(directory: Path, *, password: str = "") -> AsyncIterator[RedisServer]:
    """Run a server while the body does."""
    server = RedisServer(directory, password=password)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def _freeze(pid: int) -> None:
    """Stop a process, and return when each of its threads has stopped, which may be a moment later."""
    os.kill(pid, signal.SIGSTOP)
    end = clock.monotonic() + PATIENCE
    while any(
        psutil.Process(thread.id).status() != psutil.STATUS_STOPPED
        for thread in psutil.Process(pid).threads()
    ):
        assert clock.monotonic() < end, "the server did not stop"
        clock.sleep(0.001)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
