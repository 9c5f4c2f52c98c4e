"""Records to the model: defaults filled in, links resolved, every part with its place.

Pure functions; the records end with the reading, the model belongs to the caller. What has a finding
stands at its default here too, so that the rest of its part can still be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from actorhost.ids import ActorName, ContractId
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import Limits
from actorhost.manifest.check import MEMORY_SHARE
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.grammar import (
    Actor,
    ActorComponent,
    Annotations,
    Ingest,
    Link,
    Mailbox,
    Manifest,
    Metadata,
    Provider,
    ProviderComponent,
    RestartRules,
)
from actorhost.manifest.model import ActorSpec, Application, IngestSpec, LinkSpec, Place, ProviderSpec
from actorhost.manifest.parts import actors_of, ingests_of, links_of, providers_of
from actorhost.manifest.shapes import Record

Spec = TypeVar("Spec", ActorSpec, ProviderSpec, LinkSpec)

_NAMELESS: Final = ActorName("?")
_NO_CONTRACT: Final = ContractId("?")


@dataclass(frozen=True, slots=True)
class Part(Generic[Spec]):
    """A component or link: what it says, where its name stands, its properties, and all of it."""

    spec: Spec
    name: Cursor
    properties: Record
    whole: Record
    links: tuple[Part[LinkSpec], ...] = ()


def build(
    manifest: Record, actors: tuple[Part[ActorSpec], ...], providers: tuple[Part[ProviderSpec], ...]
) -> Application:
    """Return the application of these parts; `manifest` is checked and without findings."""
    metadata = manifest.need(Manifest.metadata)
    annotations = metadata.find(Metadata.annotations)
    return Application(
        name=metadata.need(Metadata.name),
        version=annotations.need(Annotations.version) if annotations else "",
        description=annotations.need(Annotations.description) if annotations else "",
        actors=tuple(actor.spec for actor in actors),
        providers=tuple(provider.spec for provider in providers),
    )


def build_actors(manifest: Record, limits: Limits) -> tuple[Part[ActorSpec], ...]:
    """Return the actors of `manifest` that have a module."""
    components = actors_of(manifest)
    names = frozenset(component.find(ActorComponent.name) or _NAMELESS for component in components)
    found = (_actor(component, names, limits) for component in components)
    return tuple(actor for actor in found if actor is not None)


def build_providers(manifest: Record) -> tuple[Part[ProviderSpec], ...]:
    """Return the providers of `manifest` that say which provider they are."""
    found = (_provider(component) for component in providers_of(manifest))
    return tuple(provider for provider in found if provider is not None)


def _actor(component: Record, names: frozenset[ActorName], limits: Limits) -> Part[ActorSpec] | None:
    actor = component.find(ActorComponent.properties)
    module = actor.find(Actor.module) if actor else None
    if actor is None or module is None:
        return None
    mailbox = actor.find(Actor.mailbox)
    memory = actor.find(Actor.memory) or limits.memory
    held = (mailbox and mailbox.find(Mailbox.size)) or limits.mailbox_bytes
    links = tuple(_link(link, names) for link in links_of(component) if link.find(Link.target))
    spec = ActorSpec(
        name=component.find(ActorComponent.name) or _NAMELESS,
        module=module,
        digest=actor.find(Actor.digest),
        instances=actor.need(Actor.instances),
        policy=actor.need(Actor.policy),
        weight=actor.need(Actor.weight),
        memory=memory,
        profile=actor.need(Actor.profile),
        timeout=actor.find(Actor.timeout) or limits.call_timeout,
        # A small actor needs no second key: its messages shrink with its memory and mailbox.
        max_message=actor.find(Actor.max_message) or min(limits.max_message, memory // MEMORY_SHARE, held),
        mailbox_count=(mailbox and mailbox.find(Mailbox.count)) or limits.mailbox_count,
        mailbox_bytes=held,
        env=actor.find(Actor.env) or {},
        contracts=actor.find(Actor.contracts) or (),
        links=tuple(link.spec for link in links),
        restarts=_restarts(actor.find(Actor.restarts)),
        ingests=tuple(spec for one in ingests_of(component) if (spec := _ingest(one)) is not None),
    )
    return Part(spec, component.place(ActorComponent.name), actor, component, links)


def _restarts(rules: Record | None) -> RestartPolicy:
    policy = RestartPolicy()
    if rules is None:
        return policy
    backoff = rules.find(RestartRules.backoff) or policy.backoff
    return RestartPolicy(
        intensity=rules.need(RestartRules.intensity),
        period=rules.find(RestartRules.period) or policy.period,
        backoff=backoff,
        backoff_limit=rules.find(RestartRules.backoff_limit) or max(backoff, policy.backoff_limit),
        attempts=rules.need(RestartRules.attempts),
    )


def _link(link: Record, actors: frozenset[ActorName]) -> Part[LinkSpec]:
    target = link.need(Link.target)
    spec = LinkSpec(
        target=target,
        namespace=link.find(Link.contract) or target,
        name=link.need(Link.name),
        config=link.find(Link.config) or {},
        is_actor=target in actors,
        policy=link.find(Link.policy),
    )
    return Part(spec, link.place(Link.name), link, link)


def _ingest(ingest: Record) -> IngestSpec | None:
    subject, operation = ingest.find(Ingest.subject), ingest.find(Ingest.operation)
    if subject is None or operation is None:
        return None
    return IngestSpec(
        subject=subject,
        operation=operation,
        payload=ingest.need(Ingest.payload),
        with_subject=ingest.need(Ingest.with_subject),
        answer=ingest.need(Ingest.answer),
    )


def _provider(component: Record) -> Part[ProviderSpec] | None:
    properties = component.find(ProviderComponent.properties)
    provider = properties.find(Provider.provider) if properties else None
    if properties is None or provider is None:
        return None
    spec = ProviderSpec(
        name=component.find(ProviderComponent.name) or _NAMELESS,
        provider=provider,
        contract=properties.find(Provider.contract) or _NO_CONTRACT,
        config=properties.find(Provider.config) or {},
        place=properties.find(Provider.place) or Place.HOST,
        restarts=_restarts(properties.find(Provider.restarts)),
    )
    return Part(spec, component.place(ProviderComponent.name), properties, component)
