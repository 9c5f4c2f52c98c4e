"""Records without findings to the model: defaults filled in, links resolved.

Pure functions; the records end with the reading, the model belongs to the caller.
"""

from __future__ import annotations

from actorhost.ids import ActorName
from actorhost.limits import Limits
from actorhost.manifest.check import MEMORY_SHARE
from actorhost.manifest.grammar import (
    Actor,
    ActorComponent,
    Annotations,
    Link,
    Mailbox,
    Manifest,
    Metadata,
    Provider,
    ProviderComponent,
)
from actorhost.manifest.model import ActorSpec, Application, LinkSpec, ProviderSpec
from actorhost.manifest.parts import actors_of, links_of, providers_of
from actorhost.manifest.shapes import Record


def build(manifest: Record, limits: Limits) -> Application:
    """Return the application that `manifest`, checked and without findings, describes."""
    metadata = manifest.need(Manifest.metadata)
    annotations = metadata.find(Metadata.annotations)
    actors = actors_of(manifest)
    names = frozenset(actor.need(ActorComponent.name) for actor in actors)
    return Application(
        name=metadata.need(Metadata.name),
        version=annotations.need(Annotations.version) if annotations else "",
        description=annotations.need(Annotations.description) if annotations else "",
        actors=tuple(_actor(actor, names, limits) for actor in actors),
        providers=tuple(_provider(provider) for provider in providers_of(manifest)),
    )


def _actor(component: Record, names: frozenset[ActorName], limits: Limits) -> ActorSpec:
    actor = component.need(ActorComponent.properties)
    mailbox = actor.find(Actor.mailbox)
    memory = actor.find(Actor.memory) or limits.memory
    held = (mailbox and mailbox.find(Mailbox.size)) or limits.mailbox_bytes
    return ActorSpec(
        name=component.need(ActorComponent.name),
        module=actor.need(Actor.module),
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
        links=tuple(_link(link, names) for link in links_of(component)),
    )


def _link(link: Record, actors: frozenset[ActorName]) -> LinkSpec:
    target = link.need(Link.target)
    return LinkSpec(
        target=target,
        namespace=link.find(Link.contract) or target,
        name=link.need(Link.name),
        config=link.find(Link.config) or {},
        is_actor=target in actors,
    )


def _provider(component: Record) -> ProviderSpec:
    properties = component.need(ProviderComponent.properties)
    return ProviderSpec(
        name=component.need(ProviderComponent.name),
        provider=properties.need(Provider.provider),
        contract=properties.need(Provider.contract),
        config=properties.find(Provider.config) or {},
    )
