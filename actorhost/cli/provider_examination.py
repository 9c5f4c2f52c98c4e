"""Providers and links of manifests, made as a host makes them and never started: what would be refused.

Every wrong key is found at its own place, also beside references, for which a text stands that nobody
knows. Providers live no longer than the manifests they are in are looked at; what they share meanwhile is
given by whoever looks at several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from actorhost.capability.grants import Grant, ProviderGrant, examine_link, grant_of, wanted_over
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets
from actorhost.contracts.base import Contract
from actorhost.contracts.config import WRONG, holds_unknown
from actorhost.contracts.provider import Provider, Surroundings, Wanted
from actorhost.errors import ActorhostError, ConfigFault, ConfigRefused
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, LinkSpec, Place, ProviderSpec, grammar
from actorhost.manifest.agreement import LinkKey, key_of
from actorhost.manifest.build import Part
from actorhost.manifest.draft import Draft
from actorhost.manifest.references import holds_references
from actorhost.manifest.shapes import Field, Record

T = TypeVar("T")
Config = Mapping[str, object]

_UNKNOWN: Final = Secrets.unknown()


@dataclass(frozen=True)
class Provided:
    """What is known of providers: their contracts by component, and what they call actors for by link."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    wanted: dict[LinkKey, tuple[Wanted, ...]] = field(default_factory=dict)


class _Text:
    """The configuration of a provider or link as it stands in a manifest."""

    def __init__(self, draft: Draft, properties: Record, key: Field[dict[str, object]]) -> None:
        self._draft = draft
        self._written = properties.find(key) is not None
        self.readable = properties.sound(key) or self._written
        """Whether it is a map, or left out."""
        self.cursor = properties.place(key)
        self.values: Config = properties.find(key) or {}

    @property
    def sound(self) -> bool:
        """Whether nothing is known to be wrong in it."""
        return self._draft.sound(self.cursor)

    def unreadable(self) -> set[str]:
        """Return the keys that have findings already."""
        return {key for key in self.values if not self._draft.sound(self.cursor.within((key,)))}

    def refuse(self, faults: Iterable[ConfigFault]) -> None:
        """Record each of `faults` at its key, or as near as there is one."""
        for one in faults:
            if self._written:
                self.cursor.within(one.path).refuse_key(one.message, one.hint)
            else:
                self.cursor.refuse_key(f"there is no config: {one.message}", one.hint)

    def known(self, fault: ConfigFault) -> bool:
        """Whether the value that `fault` is about is in the text, not behind a reference."""
        value: Any = self.values
        for step in fault.path:
            try:
                value = value[step]
            except (LookupError, TypeError):
                break
        return not holds_references({"value": value})


def examine_providers(draft: Draft, limits: Limits, shared: MutableMapping[str, Any] | None) -> Provided:
    """Find providers and links that a host in this Python environment would refuse.

    Providers that are given the same `shared` are held against each other, too. Without it the host is
    elsewhere: classes that are not installed here are passed over, and nobody looks at this machine.
    """
    registry = Registry(limits, secrets=_UNKNOWN)
    provided, made = Provided(), dict[str, Provider]()
    for part in draft.providers:
        if part.spec.place is Place.LATTICE:
            # Whoever starts it there has it installed, and what it says is asked when it is deployed.
            if (elsewhere := _elsewhere(registry, part.spec)) is not None:
                made[part.spec.name] = elsewhere
            continue
        if (kind := _find(registry, part, here=shared is not None)) is None:
            continue
        provided.contracts[part.spec.name] = kind.contract
        around = None
        if shared is not None:
            around = Surroundings(shared=shared, alone=part.spec.place is Place.PROCESS)
        if (provider := _make(registry, draft, part, kind, around)) is not None:
            made[part.spec.name] = provider
    for actor in draft.actors:
        for link in actor.links:
            if (provider := made.get(link.spec.target)) and provider.contract.id == link.spec.namespace:
                _examine_link(draft, actor.spec, link, made, provided, here=shared is not None)
    return provided


def _elsewhere(registry: Registry, spec: ProviderSpec) -> Provider | None:
    """Return one like the provider `spec` in the lattice, to look at its links, if it is installed here, too.

    Its own configuration is where it runs: what must be in it is taken for right.
    """
    config: dict[str, object] = {}
    for _ in range(2):
        try:
            return registry.model(replace(spec, config=config))
        except ConfigRefused as error:
            config = {str(one.path[0]): WRONG for one in error.faults if one.path}
        except ActorhostError:
            break
    return None


def _find(registry: Registry, part: Part[ProviderSpec], *, here: bool) -> type[Provider] | None:
    """Return the class of the provider, or None after recording why it cannot be had."""
    properties, found = part.properties, None
    try:
        found = registry.find(part.spec.provider, None)
        return registry.find(part.spec.provider, properties.find(grammar.Provider.contract))
    except ActorhostError as error:
        if here or found is not None:
            properties.place(grammar.Provider.provider).refuse(error.message, error.hint)
        return None


def _make(
    registry: Registry,
    draft: Draft,
    part: Part[ProviderSpec],
    kind: type[Provider],
    around: Surroundings | None,
) -> Provider | None:
    """Return the provider, not started, or None after recording why it does not take its configuration.

    Unless it would run `around` here, it is not asked what this machine lacks.
    One that takes the rest of it, were the keys that are wrong right, is returned to look at its links.
    """
    text = _Text(draft, part.properties, grammar.Provider.config)

    def make(config: Config, wrong: Iterable[str]) -> Provider:
        return registry.make(kind, replace(part.spec, config={**config, **dict.fromkeys(wrong, WRONG)}))

    provider = _tried(text, make)
    if provider is None or around is None:
        return provider
    # What stands for wrong values is no reason to collide with another, nor are links of what collides.
    provider.surroundings = around if text.sound else Surroundings()
    _examined(text, lambda: registry.examine(provider, part.spec))
    if not text.sound:
        provider.surroundings = Surroundings()
    return provider


def _examine_link(
    draft: Draft,
    actor: ActorSpec,
    link: Part[LinkSpec],
    made: Mapping[str, Provider],
    provided: Provided,
    *,
    here: bool,
) -> None:
    """Find a configuration that the provider refuses; other disagreements are found in the text."""
    text = _Text(draft, link.properties, grammar.Link.config)

    def grant_with(config: Config, _wrong: Iterable[str]) -> Grant:
        return grant_of(actor, replace(link.spec, config=config), made, _UNKNOWN)

    grant = _tried(text, grant_with)
    if not isinstance(grant, ProviderGrant) or not draft.sound(link.properties.cursor):
        return
    provider = made[link.spec.target]
    if here:
        _examined(text, lambda: examine_link(provider, grant))
    wanted = _examined(text, lambda: wanted_over(provider, grant))
    if wanted is not None:
        known = tuple(one for one in wanted if not holds_unknown(one.name))
        provided.wanted[key_of(actor, link.spec)] = known
    if wanted == () and link.spec.policy is not None:
        link.properties.place(grammar.Link.policy).refuse_key(
            f"{link.spec.target} never calls the actor, which is what the policy would be for", "delete it"
        )


def _tried(text: _Text, make: Callable[[Config, Iterable[str]], T]) -> T | None:
    """Return what `make` makes of `text`: of what is right in it, and the keys that are found to be wrong."""
    if not text.readable:
        return None
    wrong = text.unreadable()
    while True:
        config = {key: value for key, value in text.values.items() if key not in wrong}
        try:
            return make(config, wrong)
        except ConfigRefused as error:
            found = [one for one in _faults(error) if not one.path or one.path[0] not in wrong]
            text.refuse(found)
            if not (more := {str(one.path[0]) for one in found if one.path}):
                return None
            wrong |= more
        except ActorhostError as error:
            # What it is about may be a value that another stands for.
            if not wrong and not holds_references(config):
                text.refuse(_faults(error))
            return None


def _examined(text: _Text, examine: Callable[[], T]) -> T | None:
    """Return what `examine` does, or None after recording what it refuses and is known here."""
    try:
        return examine()
    except ActorhostError as error:
        text.refuse(one for one in _faults(error) if text.known(one))
        return None


def _faults(error: ActorhostError) -> tuple[ConfigFault, ...]:
    found = error.faults if isinstance(error, ConfigRefused) else ()
    return found or (ConfigFault((), error.message, error.hint),)
