"""Processes of our own that print one line of JSON when they are ready, a host above all.

Started with the interpreter that runs this, and stopped when the block is left: terminated, and
waited for. On Linux the kernel kills them should this process be killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from actorhost.errors import Unavailable
from actorhost.transport.server import tied

_READY: Final = 60.0
_GONE: Final = 30.0


@dataclass(frozen=True)
class Child:
    """A process that is ready: its id, and what it printed."""

    pid: int
    ready: dict[str, Any]


@asynccontextmanager
async def host(manifests: Sequence[Path], store: Path) -> AsyncIterator[Child]:
    """Run ``actorhost up`` with `manifests` and a NATS server on a free port that keeps to `store`.

    ``ready["nats"]`` is the server's URL. Raises :class:`Unavailable` when it does not get ready.
    """
    arguments = ["up", "--port", "0", "--store", str(store), "--log-level", "warning", "--json"]
    async with started("actorhost", *arguments, *map(str, manifests)) as child:
        yield child


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run ``python -m module``; yields when it has printed its line."""
    process = await asyncio.create_subprocess_exec(
        *tied(sys.executable, "-m", module, *arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        async with asyncio.timeout(_READY):
            line = await process.stdout.readline()
        if not line:
            raise Unavailable(f"{module} ended before it was ready", hint="its messages are above")
        yield Child(process.pid, json.loads(line))
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(_GONE):
            await process.wait()


def tell_parent(value: dict[str, Any]) -> None:
    """Print the line that :func:`started` waits for."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
