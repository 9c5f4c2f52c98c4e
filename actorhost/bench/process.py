"""Other processes of a benchmark: a host as people start it, a bare responder, and what they use."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from actorhost import clock
from actorhost.examples import example
from actorhost.host import child

_MANIFEST: Final = """apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {{name: bench}}
spec:
  components:
    - name: echo
      type: actor
      properties: {{module: {module}}}
"""


@dataclass(frozen=True)
class Measured:
    """A process that is ready: the NATS server it is on, and the processor time it uses."""

    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, in all its threads, those that ended too."""
        return _cpu_seconds(self.process)

    def family_cpu_seconds(self) -> float:
        """Return the same with its children's, such as the NATS server of ``actorhost up``."""
        return sum(map(_cpu_seconds, (self.process, *self.process.children(recursive=True))))


@asynccontextmanager
async def host() -> AsyncIterator[Measured]:
    """Run ``actorhost up`` with the echo actor, default limits and a NATS server of its own."""
    with tempfile.TemporaryDirectory(prefix="actorhost-bench-") as folder:
        manifest = Path(folder) / "bench.yaml"
        manifest.write_text(_MANIFEST.format(module=json.dumps(str(example("actors/echo/echo.wasm")))))
        async with child.host([manifest], Path(folder) / "nats") as started:
            yield Measured(started.ready["nats"], psutil.Process(started.pid))


def _cpu_seconds(process: psutil.Process) -> float:
    if psutil.LINUX:
        return clock.cpu_seconds(process.pid)
    used = process.cpu_times()
    return float(used.user + used.system)


@asynccontextmanager
async def responder(url: str, subject: str) -> AsyncIterator[Measured]:
    """Run a bare nats-py responder on the server at `url`."""
    async with child.started("actorhost.bench.bare", url, subject) as started:
        yield Measured(url, psutil.Process(started.pid))
