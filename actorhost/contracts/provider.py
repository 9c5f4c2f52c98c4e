"""What a provider is: a class that implements the operations of one contract.

A host finds provider classes by entry point (group ``actorhost.providers``), makes one instance
for each provider of an application and owns it: :meth:`Provider.start` before the first call,
:meth:`Provider.linked` for each link once the actors run, :meth:`Provider.unlinked` before they stop,
:meth:`Provider.stop` after the last call. What survives a fault is the provider's own affair; a call
that raised must have changed nothing unless its error says the outcome is unknown.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from actorhost.contracts.base import Contract, Operation
from actorhost.contracts.config import Config
from actorhost.errors import InternalError
from actorhost.ids import ActorName, ContractId, LinkName

__all__ = ["CallActor", "Config", "Link", "Provider", "Surroundings", "Wanted"]


@dataclass(frozen=True, slots=True)
class Link:
    """On whose behalf and under which link a provider is called; `config` is the link's own."""

    actor: ActorName
    contract: ContractId
    name: LinkName
    config: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An operation that a provider calls the actor of a link for, named `name` there.

    `key` is that of the link's configuration which gives it this name, empty without one.
    """

    name: str
    operation: Operation
    key: str = ""


class CallActor(Protocol):
    """How a provider calls the actor of a link, by an operation that its contract exports."""

    async def __call__(self, link: Link, operation: str, payload: bytes, *, timeout: float) -> bytes:
        """Return the reply within `timeout` seconds, or raise how the call ended."""


async def _nobody(link: Link, operation: str, payload: bytes, *, timeout: float) -> bytes:  # noqa: ARG001
    raise InternalError("a provider called an actor outside a host")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host gives its providers.

    `nats` is the URL of its NATS server, empty without one. `call` reaches the actors of links.
    `shared` is one for all providers of the host, of every application, by any key: what they must
    share, such as a port, they find there. A provider that is `alone` has a process of its own, and finds
    nothing there but when it is looked at together with others: they are then on one machine with it.
    """

    nats: str = ""
    call: CallActor = _nobody
    shared: MutableMapping[str, Any] = field(default_factory=dict)
    alone: bool = False


class Provider(ABC):
    """An implementation of :attr:`contract`.

    Each operation is a method ``async def get_many(self, link, params)`` named like the
    operation in snake case, taking its parameter struct and returning its result type. It may
    be cancelled at any await: the caller's deadline has passed. It may raise any
    :class:`~actorhost.errors.ActorhostError`; anything else reaches the caller as
    :class:`~actorhost.errors.ProviderFailed`.
    """

    contract: ClassVar[Contract]

    def __init__(self, config: Mapping[str, object]) -> None:
        """Keep or refuse `config` (raise :class:`~actorhost.errors.ProviderRefused`); no I/O yet."""
        self.config = config
        self.surroundings = Surroundings()
        """What the host that runs this gives it; set before :meth:`start`."""

    async def start(self) -> None:  # noqa: B027 - nothing to prepare is a fine default
        """Connect, open, prepare; called once, before the first operation."""

    async def stop(self) -> None:  # noqa: B027 - nor to let go of
        """Let go of everything; called once, after the last operation, also when start failed."""

    async def linked(self, link: Link) -> None:  # noqa: B027 - most providers wait to be called
        """Take note that the actor of `link` runs and may be called; may refuse the link."""

    async def relinked(self, links: Iterable[Link]) -> None:
        """Take note, in a process that was started again, of all `links` there were: the actors run.

        One after the other as :meth:`linked`, unless it matters that they are all there before any is used.
        """
        for link in links:
            await self.linked(link)

    async def unlinked(self, link: Link) -> None:  # noqa: B027 - likewise
        """Call the actor of `link` no more: it is about to stop. Also called when :meth:`linked` failed."""

    def check_link(self, link: Link) -> None:  # noqa: B027 - a link without rules is fine
        """Refuse a link whose configuration makes no sense, with :class:`ProviderRefused`."""

    def wanted(self, link: Link) -> Iterable[Wanted]:  # noqa: ARG002 - for those that differ
        """Return what the actor of `link`, which was checked, is called for: all the contract exports."""
        return [Wanted(name, operation) for name, operation in self.contract.exports.items()]

    def examine(self) -> None:  # noqa: B027 - what needs nothing of its machine finds nothing
        """Refuse what :meth:`start` would, as far as it can be told on this machine without starting.

        For whoever looks at manifests: `surroundings.shared` is common to all that are looked at together.
        """

    def examine_link(self, link: Link) -> None:  # noqa: B027 - likewise
        """Refuse what :meth:`linked` would, because of others that are looked at together with this."""
