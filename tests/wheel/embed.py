"""Embed a host in a Python program, as the README shows; run by the check of the built wheel."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import entry_points
from pathlib import Path

import actorhost
from actorhost import Host
from actorhost.manifest import load_manifest


async def main(manifest: Path) -> None:
    """Ask an actor that the manifest describes, then show that a contract has its providers."""
    application = load_manifest(manifest.read_bytes(), str(manifest))
    async with Host() as host:
        await host.deploy(application, manifest.parent)
        reply = await host.ask("echo", "Echo", b"hello")
    if reply != b"hello":
        sys.exit(f"the echo actor answered {reply!r}")
    if "site-packages" not in str(actorhost.__file__):
        sys.exit(f"actorhost was imported from {actorhost.__file__}")
    for found in entry_points(group="actorhost.providers"):
        found.load()


asyncio.run(main(Path(sys.argv[1])))
