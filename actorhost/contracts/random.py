"""The Python face of ``actorhost:random``: bytes, numbers and identities that nobody can foretell.

``wit/random.wit`` is the specification. Pure: no I/O, no state.
"""

from __future__ import annotations

import builtins
from abc import abstractmethod
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from actorhost.contracts.base import U64, Contract, Effect, Operation, Params
from actorhost.contracts.provider import Link, Provider

MAX_BYTES: Final = 64 * 1024
"""Most bytes in one answer."""

Count = Annotated[int, Meta(ge=0, le=MAX_BYTES, extra={"wit": "u32"})]
"""How many bytes."""


class BytesParams(Params, frozen=True):
    """Parameters of ``bytes``."""

    count: Count


class U64Params(Params, frozen=True):
    """Parameters of ``u64``: none."""


class UuidParams(Params, frozen=True):
    """Parameters of ``uuid``: none."""


CONTRACT: Final = Contract.of(
    "actorhost:random",
    "0.1.0",
    Operation("bytes", Effect.READ, idempotent=True, params=BytesParams, result=bytes),
    Operation("u64", Effect.READ, idempotent=True, params=U64Params, result=U64),
    Operation("uuid", Effect.READ, idempotent=True, params=UuidParams, result=str),
)


class Random(Provider):
    """A backend of ``actorhost:random``; each method keeps the rules of the WIT."""

    contract: ClassVar[Contract] = CONTRACT

    @abstractmethod
    async def bytes(self, link: Link, params: BytesParams) -> builtins.bytes:
        """Return that many random bytes."""

    @abstractmethod
    async def u64(self, link: Link, params: U64Params) -> int:
        """Return a random number of 64 bits."""

    @abstractmethod
    async def uuid(self, link: Link, params: UuidParams) -> str:
        """Return a random UUID, version 4."""
