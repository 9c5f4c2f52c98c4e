"""The Python face of ``actorhost:clock``: what time it is, for actors.

``wit/clock.wit`` is the specification. It is named apart from :mod:`actorhost.clock`, by which this
package itself reads the time. Pure: no I/O, no state.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from actorhost.contracts.base import U64, Contract, Effect, Operation, Params
from actorhost.contracts.provider import Link, Provider


class NowParams(Params, frozen=True):
    """Parameters of ``now``: none."""


class MonotonicParams(Params, frozen=True):
    """Parameters of ``monotonic``: none."""


class ResolutionParams(Params, frozen=True):
    """Parameters of ``resolution``: none."""


CONTRACT: Final = Contract.of(
    "actorhost:clock",
    "0.1.0",
    Operation("now", Effect.READ, idempotent=True, params=NowParams, result=U64),
    Operation("monotonic", Effect.READ, idempotent=True, params=MonotonicParams, result=U64),
    Operation("resolution", Effect.READ, idempotent=True, params=ResolutionParams, result=U64),
)


class Clock(Provider):
    """A backend of ``actorhost:clock``; each method keeps the rules of the WIT, in nanoseconds."""

    contract: ClassVar[Contract] = CONTRACT

    @abstractmethod
    async def now(self, link: Link, params: NowParams) -> int:
        """Return the time since the Unix epoch."""

    @abstractmethod
    async def monotonic(self, link: Link, params: MonotonicParams) -> int:
        """Return a time that never goes back."""

    @abstractmethod
    async def resolution(self, link: Link, params: ResolutionParams) -> int:
        """Return the least difference that both clocks can tell."""
