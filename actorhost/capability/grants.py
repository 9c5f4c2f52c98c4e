"""What one actor may call: a table made of its links, and the refusal of everything else.

Built when an actor is deployed or its links change, never changed afterwards, owned by the
actor's runtime. Deny by default: a (contract, link name) that is not in the table is refused
with the actor, the contract, the link and what to change in the manifest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from actorhost.capability.elsewhere import Elsewhere
from actorhost.capability.redaction import blot, describe, secrets_of
from actorhost.capability.secrets import Secrets
from actorhost.contracts.base import Operation
from actorhost.contracts.known import known_contracts
from actorhost.contracts.provider import Link, Provider, Wanted
from actorhost.errors import ActorhostError, Denied, InternalError, ProviderRefused
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.manifest.model import ActorSpec, LinkSpec

T = TypeVar("T")

DEFAULT_LINK: Final = LinkName("default")
"""The link name of a guest that gives none."""


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """An operation of a running provider and the method that serves it."""

    operation: Operation
    method: Callable[[Link, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ProviderGrant:
    """A link to the provider `provider`; `elsewhere` stands for it when it does not run in this host."""

    link: Link
    provider: str
    operations: Mapping[str, BoundOperation]
    secrets: tuple[str, ...] = field(repr=False)
    """Texts from the configuration, which no foreign error may repeat."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Those among them that references stand for, which no error at all may repeat."""
    elsewhere: Elsewhere | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ActorGrant:
    """A link to the actor `actor`, wherever it runs.

    `operations` are those of the contract it stands for; None without one, or with one not known here.
    """

    actor: ActorName
    operations: tuple[str, ...] | None = None


Grant = ProviderGrant | ActorGrant


class Grants:
    """The table of one actor, keyed by namespace and link name."""

    __slots__ = ("_actor", "_contracts", "_table")

    def __init__(
        self, actor: ActorName, contracts: Iterable[ContractId], table: Mapping[tuple[str, str], Grant]
    ) -> None:
        """Hold `table`, keyed (namespace, link name); `contracts` are those the actor declared."""
        self._actor = actor
        self._contracts = frozenset(contracts)
        self._table: Mapping[tuple[str, str], Grant] = MappingProxyType(dict(table))

    @classmethod
    def of(cls, spec: ActorSpec, providers: Mapping[str, Provider], secrets: Secrets | None = None) -> Grants:
        """Return the grants of `spec`; `providers` are those running here, by component name.

        `secrets` holds what the references in the links' configurations stand for.
        Raises :class:`ProviderRefused` for a link whose target is not running, serves another
        contract or does not take the link's configuration.
        """
        table: dict[tuple[str, str], Grant] = {
            (link.namespace, link.name): grant_of(spec, link, providers, secrets or Secrets())
            for link in spec.links
        }
        return cls(spec.name, spec.contracts, table)

    def find(self, binding: str, namespace: str) -> Grant:
        """Return the grant of that link, or raise :class:`Denied`; an empty binding is ``default``."""
        grant = self._table.get((namespace, binding or DEFAULT_LINK))
        if grant is None:
            raise self._refusal(binding or DEFAULT_LINK, namespace)
        return grant

    def provided(self) -> list[ProviderGrant]:
        """Return the links to providers."""
        return [grant for grant in self._table.values() if isinstance(grant, ProviderGrant)]

    def _refusal(self, binding: str, namespace: str) -> Denied:
        names = sorted(name for known, name in self._table if known == namespace)
        called, link = repr(namespace[:80]), repr(binding[:80])
        if names:
            return Denied(
                f"actor {self._actor!r} has no link {link} to {called}",
                hint=f"its links there are {', '.join(names)}; call one of them or add a link named {link}",
            )
        if namespace in self._contracts:
            return Denied(
                f"actor {self._actor!r} has no link to {called}, which it declares",
                hint=f"add a trait of type link to it: target a provider, contract {called}, name {link}",
            )
        if ":" in namespace:
            return Denied(
                f"actor {self._actor!r} may not call {called}, which it does not declare (link {link})",
                hint=f"add {called} to its contracts, and a link trait to a provider of it",
            )
        return Denied(
            f"actor {self._actor!r} has no link {link} to an actor {called}",
            hint=f"add a trait of type link to it: target {called}, name {link}",
        )


class Caller(msgspec.Struct, frozen=True, gc=False):
    """On whose behalf a capability is called, and within which bounds.

    `deadline` is in seconds of :data:`actorhost.clock.monotonic`; `chain` names the callers so
    far, outermost first; `max_message` bounds request and reply, in bytes.
    """

    actor: ActorName
    grants: Grants
    deadline: float
    chain: tuple[str, ...]
    max_message: int


def grant_of(spec: ActorSpec, link: LinkSpec, providers: Mapping[str, Provider], secrets: Secrets) -> Grant:
    """Return what `link` of actor `spec` grants; see :meth:`Grants.of`."""
    if link.is_actor:
        contract = (
            known_contracts().get(ContractId(link.namespace)) if link.namespace != link.target else None
        )
        return ActorGrant(link.target, None if contract is None else tuple(contract.operations))
    provider = providers.get(link.target)
    if provider is None:
        raise ProviderRefused(
            f"actor {spec.name!r} is linked to {link.target!r}, which is not running here",
            hint=f"running providers: {', '.join(sorted(providers)) or 'none'}",
        )
    if provider.contract.id != link.namespace:
        raise ProviderRefused(
            f"actor {spec.name!r} is linked to {link.target!r} for {link.namespace!r}",
            hint=f"{link.target!r} provides {provider.contract.id}",
        )
    config = MappingProxyType(dict(secrets.fill(link.config)))
    seen = Link(spec.name, provider.contract.id, link.name, config)
    return grant_link(provider, link.target, seen, secrets)


def grant_link(provider: Provider, name: str, link: Link, secrets: Secrets) -> ProviderGrant:
    """Return what `link` to `provider`, the component `name`, grants; raises what it refuses it with."""
    texts = secrets.hidden + secrets_of((provider.config, link.config))
    elsewhere = provider if isinstance(provider, Elsewhere) else None
    grant = ProviderGrant(link, name, _bind(provider), texts, secrets.hidden, elsewhere)
    _ask(grant, provider.check_link)
    return grant


def examine_link(provider: Provider, grant: ProviderGrant) -> None:
    """Refuse what `provider` would when it is linked, as far as that can be told without."""
    _ask(grant, provider.examine_link)


def wanted_over(provider: Provider, grant: ProviderGrant) -> tuple[Wanted, ...]:
    """Return what `provider` calls the actor of a link for."""
    return _ask(grant, lambda link: tuple(provider.wanted(link)))


def _ask(grant: ProviderGrant, ask: Callable[[Link], T]) -> T:
    """Return what the provider answers about the link of `grant`, in errors of ours."""
    link = grant.link
    try:
        return ask(link)
    except ActorhostError as error:
        blot(error, grant.hidden)
        raise
    except Exception as error:  # noqa: BLE001 - the seam where foreign exceptions are translated
        why = describe(error, grant.secrets)
        raise ProviderRefused(
            f"the link {link.name!r} of actor {link.actor!r} to {link.contract} could not be checked: {why}",
            hint="look at what the provider takes",
        ) from None


def _bind(provider: Provider) -> Mapping[str, BoundOperation]:
    return MappingProxyType(
        {
            name: BoundOperation(operation, _method(provider, operation))
            for name, operation in provider.contract.operations.items()
        }
    )


def _method(provider: Provider, operation: Operation) -> Callable[[Link, Any], Awaitable[Any]]:
    if isinstance(provider, Elsewhere):
        return _not_here
    method: Callable[[Link, Any], Awaitable[Any]] = getattr(provider, operation.method)
    return method


async def _not_here(link: Link, _params: object) -> object:
    raise InternalError(f"{link.contract} was called here, and its provider runs elsewhere")
