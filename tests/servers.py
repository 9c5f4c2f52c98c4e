"""Real database servers for tests: on loopback, on a free port, in a temporary directory, gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil

from actorhost import clock
from actorhost.limits import Limits
from actorhost.transport import NatsServer
from actorhost.transport.server_binary import find_server

PATIENCE = 20.0
PROGRAMS = ("redis-server", "valkey-server")
POSTGRES_PASSWORD = "hunter2-postgres"  # noqa: S105 - a test's own


def redis_program() -> str | None:
    """Return the path of a Redis or Valkey server, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, the newest; None where there is none."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((path.parent for path in versions), key=lambda path: int(path.parent.name), default=None)


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


class PostgresServer:
    """A PostgreSQL server that keeps to `directory`; to be killed, frozen and started again on its port."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        return f"postgresql://actorhost:{POSTGRES_PASSWORD}@127.0.0.1:{self.port}/postgres"

    async def start(self) -> None:
        """Start it and wait until it listens; make its files the first time."""
        folder = postgres_programs()
        assert folder is not None
        if not self._directory.exists():
            await self._make(folder)
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self._directory,
            "fsync": "off", "shared_buffers": "16MB", "max_connections": 60, "autovacuum": "off",
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = await asyncio.create_subprocess_exec(
            folder / "postgres", "-D", self._directory / "data", *arguments,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, **self._user(),
        )  # fmt: skip
        end = clock.monotonic() + PATIENCE
        while not (self._directory / "data" / "postmaster.pid").exists() or not await self._answers(folder):
            assert clock.monotonic() < end, "the server did not start"
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it as a crash of the machine would, with all its processes."""
        if self._process is not None and self._process.returncode is None:
            for each in self._processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """Let all its processes stand still, with their connections open."""
        for each in self._processes():
            # Those of connections that just ended go by themselves.
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                _freeze(each.pid)

    def thaw(self) -> None:
        """Let them go on."""
        for each in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGCONT)

    def _processes(self) -> list[psutil.Process]:
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    async def _make(self, folder: Path) -> None:
        await asyncio.to_thread(self._directory.mkdir)
        if os.getuid() == 0:
            await asyncio.to_thread(shutil.chown, self._directory, "postgres")
        password = self._directory / "password"
        await anyio.Path(password).write_text(POSTGRES_PASSWORD)
        done = await asyncio.create_subprocess_exec(
            folder / "initdb", "-D", self._directory / "data", "-U", "actorhost", "--no-sync", "-E", "UTF8",
            "--locale=C", "-A", "scram-sha-256", f"--pwfile={password}",
            stdout=asyncio.subprocess.DEVNULL, **self._user(),
        )  # fmt: skip
        assert await done.wait() == 0

    async def _answers(self, folder: Path) -> bool:
        ready = await asyncio.create_subprocess_exec(
            folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)
        )
        return await ready.wait() == 0

    def _user(self) -> dict[str, Any]:
        """Return how to run what refuses to run as root."""
        return {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}


@contextmanager
def open_folder() -> Iterator[Path]:
    """Return a folder for a server that runs as another user, which may not enter pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="actorhost-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder / "server"


@asynccontextmanager
async def postgres_server(directory: Path) -> AsyncIterator[PostgresServer]:
    """Run a server while the body does; under root its folder must be one that others may enter."""
    server = PostgresServer(directory)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


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
        psutil.Process(thread.id).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        for thread in psutil.Process(pid).threads()
    ):
        assert clock.monotonic() < end, "the server did not stop"
        clock.sleep(0.001)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
