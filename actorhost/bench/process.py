"""Other processes of a benchmark: a host started as people start it, and a bare responder.

Both are children of this process and are stopped when the block is left.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from actorhost.bench.figures import echo_module
from actorhost.errors import Unavailable

_READY: Final = 30.0
_GONE: Final = 10.0
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
class Child:
    """A process that is ready: where it is reached, and how to see what it uses."""

    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, in all its threads."""
        used = self.process.cpu_times()
        return float(used.user + used.system)


@asynccontextmanager
async def host() -> AsyncIterator[Child]:
    """Run ``actorhost up`` with the echo actor, default limits and a NATS server of its own."""
    with tempfile.TemporaryDirectory(prefix="actorhost-bench-") as folder:
        manifest = Path(folder) / "bench.yaml"
        manifest.write_text(_MANIFEST.format(module=json.dumps(str(echo_module()))))
        arguments = ["up", "--port", "0", "--store", f"{folder}/nats", "--json", str(manifest)]
        async with _started("actorhost", *arguments) as (ready, process):
            yield Child(ready["nats"], process)


@asynccontextmanager
async def responder(url: str, subject: str) -> AsyncIterator[Child]:
    """Run a bare nats-py responder on the server at `url`."""
    async with _started("actorhost.bench.bare", url, subject) as (_, process):
        yield Child(url, process)


@asynccontextmanager
async def _started(module: str, *arguments: str) -> AsyncIterator[tuple[dict[str, Any], psutil.Process]]:
    """Run a module; yields the JSON object it prints when it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        async with asyncio.timeout(_READY):
            line = await process.stdout.readline()
        if not line:
            raise Unavailable(f"{module} ended before it was ready", hint="its messages are above")
        yield json.loads(line), psutil.Process(process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(_GONE):
            await process.wait()
