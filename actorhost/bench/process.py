"""Other processes of a benchmark: hosts as people start them, a bare responder, and what they use.

A host is ``actorhost up`` with every default: limits, logs, metrics. Only its store is a fresh one,
its port free, and its log goes to a file beside the store.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from actorhost import clock
from actorhost.errors import Unavailable
from actorhost.examples import example
from actorhost.host import child

_READY: Final = 60.0
_GONE: Final = 30.0
_TAIL: Final = 2000
"""Characters of the log that are shown when a host does not get ready."""
_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """A process that is ready: the NATS server it is on, its host id if it is one, and what it uses."""

    url: str
    process: psutil.Process
    host: str = ""

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, in all its threads, those that ended too."""
        return _cpu_seconds(self.process)

    def family_cpu_seconds(self) -> float:
        """Return the same with its children's, such as the NATS server of ``actorhost up``."""
        return sum(map(_cpu_seconds, (self.process, *self.process.children(recursive=True))))

    def resident_mb(self) -> float:
        """Return its resident memory, without its children's, in MiB."""
        return float(self.process.memory_info().rss / _MIB)


class Place:
    """A temporary folder for the manifest, the modules, the stores and the logs of hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hosts = 0

    def manifest(self, actors: Mapping[str, bytes | Path]) -> Path:
        """Write a manifest of these actors, each a module or its path, and return its path."""
        for name, module in actors.items():
            if isinstance(module, bytes):
                (self.folder / f"{name}.wasm").write_bytes(module)
        components = [
            {
                "name": name,
                "type": "actor",
                "properties": {"module": str(module if isinstance(module, Path) else f"{name}.wasm")},
            }
            for name, module in actors.items()
        ]
        manifest = {
            "apiVersion": "core.oam.dev/v1beta1",
            "kind": "Application",
            "metadata": {"name": "bench"},
            "spec": {"components": components},
        }
        path = self.folder / "bench.yaml"
        path.write_text(json.dumps(manifest))  # JSON is YAML
        return path

    @asynccontextmanager
    async def up(
        self, manifest: Path, *, nats: str | None = None, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[Measured]:
        """Run ``actorhost up``, with a NATS server of its own unless `nats` is given; stop it at the end.

        Raises :class:`Unavailable` with the end of its log when it does not get ready.
        """
        self._hosts += 1
        store, log_path = self.folder / f"nats-{self._hosts}", self.folder / f"host-{self._hosts}.log"
        where = ("--port", "0", "--store", str(store)) if nats is None else ("--nats", nats)
        with log_path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "actorhost", "up", *where, "--json", str(manifest)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        try:
            ready = await _ready(process, log_path)
            yield Measured(ready["nats"], psutil.Process(process.pid), ready["host"])
        finally:
            await _stop(process)


@contextmanager
def place() -> Iterator[Place]:
    """Yield a :class:`Place` that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="actorhost-bench-") as folder:
        yield Place(Path(folder))


@asynccontextmanager
async def host() -> AsyncIterator[Measured]:
    """Run ``actorhost up`` with the echo actor and a NATS server of its own."""
    with place() as here:
        async with here.up(here.manifest({"echo": example("actors/echo/echo.wasm")})) as started:
            yield started


@asynccontextmanager
async def responder(url: str, subject: str) -> AsyncIterator[Measured]:
    """Run a bare nats-py responder on the server at `url`."""
    async with child.started("actorhost.bench.bare", url, subject) as started:
        yield Measured(url, psutil.Process(started.pid))


async def _ready(process: asyncio.subprocess.Process, log_path: Path) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - asked for
    try:
        async with asyncio.timeout(_READY):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise Unavailable(f"the host did not get ready; its log ends with: {_tail(log_path)}")
    found: dict[str, Any] = json.loads(line)
    return found


def _tail(log_path: Path) -> str:
    return log_path.read_text(errors="replace")[-_TAIL:]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_GONE):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _cpu_seconds(process: psutil.Process) -> float:
    if psutil.LINUX:
        return clock.cpu_seconds(process.pid)
    used = process.cpu_times()
    return float(used.user + used.system)
