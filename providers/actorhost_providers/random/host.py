"""The random backend that asks the operating system; it keeps nothing, so nothing can repeat."""

from __future__ import annotations

import builtins
import os
import uuid
from collections.abc import Mapping

from actorhost.contracts.provider import Config, Link
from actorhost.contracts.random import BytesParams, Random, U64Params, UuidParams


class HostRandom(Random):
    """Random bytes of the host's operating system; see the module."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Take an empty `config`."""
        super().__init__(config)
        Config.read(config, "provider random")

    def check_link(self, link: Link) -> None:
        """Refuse a link that is configured: there is nothing to choose."""
        Config.read(link.config, f"the link {link.name!r} of actor {link.actor!r} to {link.contract}")

    async def bytes(self, link: Link, params: BytesParams) -> builtins.bytes:  # noqa: ARG002
        """Return that many random bytes."""
        return os.urandom(params.count)

    async def u64(self, link: Link, params: U64Params) -> int:  # noqa: ARG002
        """Return a random number of 64 bits."""
        return int.from_bytes(os.urandom(8), "big")

    async def uuid(self, link: Link, params: UuidParams) -> str:  # noqa: ARG002
        """Return a random UUID, version 4."""
        return str(uuid.UUID(bytes=os.urandom(16), version=4))
