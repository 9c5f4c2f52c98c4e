"""Runs a nats-server of our own: started, watched until it answers, stopped, and never left behind.

Owned by whoever starts it, on Linux down to the thread: the kernel kills the server when the thread
that runs the event loop ends, also by ``kill -9`` (see ``server_launcher.py``). What JetStream has
acknowledged survives that, in the directory, for the next server started there; so does the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import anyio

from actorhost import limits as limits_module
from actorhost.errors import ServerUnavailable
from actorhost.limits import Limits
from actorhost.transport.environment import bare_environment
from actorhost.transport.server_binary import find_server

_LAUNCHER: Final = Path(__file__).with_name("server_launcher.py")
_MODE: Final = "tie" if sys.platform == "linux" else "watch"
_POLL: Final = 0.01
"""Seconds between looks for what the server only says through a file or a lock."""
_LOCK_PATIENCE: Final = 2.0
"""Seconds that the server of an owner just killed may take to let go of the directory."""
_MQTT_URL: Final = re.compile(rb"mqtt://[0-9.]+:[0-9]+")
_LOG_BYTES: Final = 16 * 1024 * 1024
"""The server starts a new log file at this size and keeps the old one."""


class NatsServer:
    """A nats-server on the loopback interface with JetStream, keeping its files in `directory`.

    `port` 0 lets the system choose a free one. With `mqtt_port` it also takes MQTT 3.1.1 clients, 0
    again for a free one: topic ``a/b`` is subject ``a.b``. One server at a time may use a directory.
    Limits not given come from the environment.
    """

    def __init__(
        self, directory: Path, *, port: int = 0, mqtt_port: int | None = None, limits: Limits | None = None
    ) -> None:
        self._directory = directory.absolute()
        self._port = port
        self._mqtt_port = mqtt_port
        self._limits = limits or limits_module.load()
        self._process: asyncio.subprocess.Process | None = None
        self._url = ""
        self._mqtt_url = ""
        self._pid = 0

    @property
    def url(self) -> str:
        """Where clients connect; empty before :meth:`start`."""
        return self._url

    @property
    def mqtt_url(self) -> str:
        """Where MQTT clients connect; empty before :meth:`start`, and without `mqtt_port`."""
        return self._mqtt_url

    @property
    def pid(self) -> int:
        """Process id of the server; 0 before :meth:`start`."""
        return self._pid

    @property
    def log_path(self) -> Path:
        """The server's log, which grows from one start to the next."""
        return self._directory / "nats.log"

    async def __aenter__(self) -> Self:
        """Start the server."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the server."""
        await self.stop()

    async def start(self) -> None:
        """Start the server and return when it answers.

        Raises :class:`ServerUnavailable` when there is none to run, when it ends at once or does not
        answer within ``limits.server_ready``, and when another one uses the directory. Nothing is
        left running then.
        """
        if self._process is not None:
            raise ServerUnavailable(f"the NATS server of {self._directory} already runs at {self._url}")
        program = await find_server(self._limits.server_ready)
        self._make_directory()
        with await self._lock() as lock:
            self._write_configuration()
            logged = self.log_path.stat().st_size if self.log_path.exists() else 0
            self._process = await self._launch(program, lock)
        try:
            self._url = await self._ready(self._process)
            if self._mqtt_port is not None:
                self._mqtt_url = self._mqtt_announced(logged)
        except BaseException:
            await self.stop()
            raise
        self._pid = int((self._directory / "nats.pid").read_text())

    async def wait(self) -> None:
        """Return when the server has ended, whoever ended it; at once if it does not run."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End the server: politely, and after ``limits.stop_timeout`` for certain. May be repeated."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            self._tell_to_stop(process)
            with anyio.move_on_after(self._limits.stop_timeout):
                await process.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await self._kill(process)

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Announcements of servers that were killed.
            for left in self._directory.glob("*.ports"):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise ServerUnavailable(
                f"cannot keep a NATS server's files in {self._directory}: {error.strerror}",
                hint="give a directory that can be written",
            ) from None

    async def _lock(self) -> contextlib.AbstractContextManager[int]:
        """Return the open lock of the directory; the server inherits it and so holds it while it lives."""
        deadline = anyio.current_time() + _LOCK_PATIENCE
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _try_lock(descriptor):
                if anyio.current_time() > deadline:
                    raise ServerUnavailable(
                        f"another NATS server uses {self._directory}",
                        hint="stop it, or give this one a directory of its own",
                    )
                await anyio.sleep(_POLL)
        except BaseException:
            os.close(descriptor)
            raise
        return _closing(descriptor)

    def _write_configuration(self) -> None:
        configuration: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self._port or -1,
            "server_name": "actorhost",
            "jetstream": {"store_dir": str(self._directory)},
            # A host that is frozen or cut off is out of its queue groups within seconds.
            "ping_interval": "1s",
            "ping_max": 1,
            "log_file": str(self.log_path),
            "log_size_limit": _LOG_BYTES,
            "pid_file": str(self._directory / "nats.pid"),
            "ports_file_dir": str(self._directory),
        }
        if self._mqtt_port is not None:
            configuration["mqtt"] = {"host": "127.0.0.1", "port": self._mqtt_port or -1}
        # NATS reads JSON, but not its \u escapes.
        text = json.dumps(configuration, ensure_ascii=False, indent=1)
        (self._directory / "nats.conf").write_text(text, encoding="utf-8")

    async def _launch(self, program: Path, lock: int) -> asyncio.subprocess.Process:
        # Errors before the log is open, and a crash's last words, go to standard error.
        with self.log_path.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *launched(_MODE, program, "-c", self._directory / "nats.conf"),
                stdin=asyncio.subprocess.DEVNULL if _MODE == "tie" else asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                env=bare_environment(),
                # Ctrl-C in a terminal is for the host, which still needs its server to stop well.
                start_new_session=True,
            )  # fmt: skip

    async def _ready(self, process: asyncio.subprocess.Process) -> str:
        """Return the address the server announces once it takes connections."""
        deadline = anyio.current_time() + self._limits.server_ready
        while anyio.current_time() < deadline:
            if process.returncode is not None:
                raise self._failed(f"ended with status {process.returncode} before it answered")
            url = self._announced()
            if url:
                return url
            await anyio.sleep(_POLL)
        raise self._failed(f"did not answer within {self._limits.server_ready:g} s")

    def _announced(self) -> str:
        for path in self._directory.glob("*.ports"):
            # The server may be in the middle of writing it.
            with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
                return str(json.loads(path.read_text())["nats"][0])
        return ""

    def _mqtt_announced(self, logged: int) -> str:
        """Return the address for MQTT clients: only the log says it, in what came after `logged` bytes."""
        with self.log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(logged if logged <= size else 0)  # a log that was full has been started anew
            found = _MQTT_URL.search(log.read())
        if found is None:
            raise self._failed("does not say where MQTT clients connect")
        return found[0].decode("ascii")

    def _failed(self, what: str) -> ServerUnavailable:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        taken = [line for line in lines if "address already in use" in line]
        hint = f"see its log, {self.log_path}"
        if taken:
            port = self._mqtt_port if "MQTT" in taken[-1] else self._port
            hint = f"port {port} is taken: choose another, or leave it out for a free one"
        return ServerUnavailable(f"the NATS server {what}: " + " | ".join(lines), hint=hint)

    def _tell_to_stop(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            # The whole group: the launcher and the server are two processes where there is no tie.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def launched(mode: str, *command: str | os.PathLike[str]) -> tuple[str | os.PathLike[str], ...]:
    """Return what runs `command` so that it does not outlive this process: see ``server_launcher.py``."""
    return (sys.executable, "-I", "-S", _LAUNCHER, mode, str(os.getpid()), *command)


def tied(*command: str) -> tuple[str | os.PathLike[str], ...]:
    """Return what runs `command` and has the kernel kill it with this thread, where it can do that."""
    return launched("tie", *command) if _MODE == "tie" else command


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
