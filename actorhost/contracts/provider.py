"""What a provider is: a class that implements the operations of one contract.

A host finds provider classes by entry point (group ``actorhost.providers``), makes one instance
for each provider of an application and owns it: :meth:`Provider.start` before the first call,
:meth:`Provider.linked` for each link once the actors run, :meth:`Provider.unlinked` before they stop,
:meth:`Provider.stop` after the last call. What survives a fault is the provider's own affair; a call
that raised must have changed nothing unless its error says the outcome is unknown.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

import msgspec

from actorhost.contracts.base import Contract
from actorhost.errors import InternalError, ProviderRefused
from actorhost.ids import ActorName, ContractId, LinkName


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a provider's configuration: unknown keys are refused."""

    @classmethod
    def read(cls, config: Mapping[str, object], owner: str) -> Self:
        """Return `config` as this type; :class:`ProviderRefused` names `owner` and what is wrong."""
        try:
            return msgspec.convert(dict(config), cls)
        except msgspec.ValidationError as error:
            known = ", ".join(cls.__struct_encode_fields__) or "nothing"
            message = f"configuration of {owner}: {error}"
            raise ProviderRefused(message, hint=f"it may hold: {known}") from None


@dataclass(frozen=True, slots=True)
class Link:
    """On whose behalf and under which link a provider is called; `config` is the link's own."""

    actor: ActorName
    contract: ContractId
    name: LinkName
    config: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)


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
    share, such as a port, they find there.
    """

    nats: str = ""
    call: CallActor = _nobody
    shared: MutableMapping[str, Any] = field(default_factory=dict)


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

    async def unlinked(self, link: Link) -> None:  # noqa: B027 - likewise
        """Call the actor of `link` no more: it is about to stop. Also called when :meth:`linked` failed."""

    def check_link(self, link: Link) -> None:  # noqa: B027 - a link without rules is fine
        """Refuse a link whose configuration makes no sense, with :class:`ProviderRefused`."""
