"""Embed a host in a Python program, as the README shows; run by the check of the built wheel."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import entry_points
from pathlib import Path

import actorhost
from actorhost import Host
from actorhost.manifest import Application, load_manifest

EXTRAS = {"keyvalue-redis": "redis", "sql-postgres": "asyncpg"}
"""Providers that need a package of an extra, which is not installed here."""


async def ask(application: Application, base: Path) -> bytes:
    """Return what the application's echo actor answers."""
    async with Host() as host:
        await host.deploy(application, base)
        return await host.ask("echo", "Echo", b"hello")


def main(manifest: Path) -> None:
    """Fail unless the actor answers, the package is the installed one and every provider loads."""
    application = load_manifest(manifest.read_bytes(), str(manifest))
    reply = asyncio.run(ask(application, manifest.parent))
    if reply != b"hello":
        sys.exit(f"the echo actor answered {reply!r}")
    if "site-packages" not in str(actorhost.__file__):
        sys.exit(f"actorhost was imported from {actorhost.__file__}")
    for found in entry_points(group="actorhost.providers"):
        try:
            found.load()
        except ModuleNotFoundError as error:
            if error.name != EXTRAS.get(found.name):
                raise


main(Path(sys.argv[1]))
