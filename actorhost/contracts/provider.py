"""What a provider is: a class that implements the operations of one contract.

A host finds provider classes by entry point (group ``actorhost.providers``), makes one instance
for each provider of an application and owns it: :meth:`Provider.start` before the first call,
:meth:`Provider.stop` after the last. What survives a fault is the provider's own affair; a call
that raised must have changed nothing unless its error says the outcome is unknown.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import msgspec

from actorhost.contracts.base import Contract
from actorhost.errors import ProviderRefused
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


class Provider(ABC):
    """An implementation of :attr:`contract`.

    Each operation is a method ``async def get_many(self, link, params)`` named like the
    operation in snake case, taking its parameter struct and returning its result type. It may
    be cancelled at any await: the caller's deadline has passed. It may raise any
    :class:`~actorhost.errors.ActorhostError`; anything else reaches the caller as
    :class:`~actorhost.errors.ProviderFailed`.
    """

    contract: ClassVar[Contract]
    nats: str = ""
    """URL of the NATS server of the host that runs this, empty without one; set before :meth:`start`."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Keep or refuse `config` (raise :class:`~actorhost.errors.ProviderRefused`); no I/O yet."""
        self.config = config

    async def start(self) -> None:  # noqa: B027 - nothing to prepare is a fine default
        """Connect, open, prepare; called once, before the first operation."""

    async def stop(self) -> None:  # noqa: B027 - nor to let go of
        """Let go of everything; called once, after the last operation, also when start failed."""

    def check_link(self, link: Link) -> None:  # noqa: B027 - a link without rules is fine
        """Refuse a link whose configuration makes no sense, with :class:`ProviderRefused`."""
