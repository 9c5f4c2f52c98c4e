"""Key-value stores that another process can import, and that misbehave when a key says so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actorhost import clock
from actorhost.contracts.keyvalue import Entry, ExistsParams, GetParams
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderFailed, ProviderRefused
from actorhost.host.provider.process import ProviderProcess
from actorhost_providers.kv.memory import MemoryKeyValue


class OddStore(MemoryKeyValue):
    """Writes what it is told to the file ``told`` of its configuration; see its keys."""

    def __init__(self, config: Mapping[str, object]) -> None:
        super().__init__({})
        self.config = config
        self.links: dict[str, Link] = {}

    def check_link(self, link: Link) -> None:
        """Take any configuration but one."""
        if link.config.get("bad"):
            raise ProviderRefused("a bad link")

    async def start(self) -> None:
        self.tell(f"started {os.getpid()}")
        await asyncio.sleep(float(str(self.config.get("starting", 0))))
        if self.config.get("exits"):
            os._exit(3)
        if self.config.get("fails"):
            raise ProviderFailed(f"cannot log in with {self.config['fails']}")
        await super().start()

    async def linked(self, link: Link) -> None:
        self.links[str(link.actor)] = link
        self.tell(f"linked {link.actor} {dict(link.config)}")

    async def unlinked(self, link: Link) -> None:
        self.tell(f"unlinked {link.actor}")

    async def stop(self) -> None:
        await asyncio.sleep(float(str(self.config.get("stopping", 0))))
        self.tell("stopped")
        await super().stop()

    async def get(self, link: Link, params: GetParams) -> Entry | None:
        match params.key:
            case "block":
                clock.sleep(60)
            case "hang":
                await self.hang()
            case "secret":
                raise KeyError(self.config["password"])
            case "garbage":
                ProviderProcess._outcome = _garbage  # type: ignore[method-assign,assignment]
            case "fork":
                child = os.fork()
                if not child:
                    clock.sleep(60)
                    os._exit(0)
                return Entry(str(child).encode(), 1)
            case "pid":
                return Entry(str(os.getpid()).encode(), 1)
            case "config":
                return Entry(str(dict(link.config)).encode(), 1)
        return await super().get(link, params)

    async def exists(self, link: Link, params: ExistsParams) -> bool:  # noqa: ARG002
        """Whether the actor of the link answers ``Count`` with something."""
        reply = await self.surroundings.call(self.links[str(link.actor)], "Count", b"", timeout=1.0)
        self.tell(f"counted {int.from_bytes(reply, 'little')}")
        return True

    async def hang(self) -> None:
        self.tell("hangs")
        try:
            await asyncio.Event().wait()
        finally:
            self.tell("ended")

    def tell(self, what: str) -> None:
        with Path(str(self.config["told"])).open("a") as file:
            file.write(f"{what}\n")


async def _garbage(*_: Any) -> bytes:
    return b"\xc1 no envelope"
