"""The parts of a manifest that was read: its actors, providers, links and ingests.

Pure functions over one reading's records; parts that could not be read are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from actorhost.manifest.cursor import Cursor
from actorhost.manifest.grammar import (
    ActorComponent,
    IngestTrait,
    LinkTrait,
    Manifest,
    ProviderComponent,
    Spec,
)
from actorhost.manifest.nodes import Mapping, Scalar, Sequence
from actorhost.manifest.shapes import Record


def actors_of(manifest: Record) -> tuple[Record, ...]:
    """Return the actor components."""
    return tuple(one for one in _components(manifest) if one.shape is ActorComponent.shape)


def providers_of(manifest: Record) -> tuple[Record, ...]:
    """Return the provider components."""
    return tuple(one for one in _components(manifest) if one.shape is ProviderComponent.shape)


def links_of(actor: Record) -> tuple[Record, ...]:
    """Return the links of an actor component."""
    traits = (one for one in actor.find(ActorComponent.traits) or () if one.shape is LinkTrait.shape)
    found = (trait.find(LinkTrait.properties) for trait in traits)
    return tuple(link for link in found if link is not None)


def ingests_of(actor: Record) -> tuple[Record, ...]:
    """Return what an actor component takes from subjects."""
    traits = (one for one in actor.find(ActorComponent.traits) or () if one.shape is IngestTrait.shape)
    found = (trait.find(IngestTrait.properties) for trait in traits)
    return tuple(ingest for ingest in found if ingest is not None)


def names_of(manifest: Record) -> Iterator[tuple[str, Cursor]]:
    """Yield every component name as written and its place, also of components that are wrong."""
    spec = manifest.find(Manifest.spec)
    place = spec.place(Spec.components) if spec else manifest.cursor
    for index, node in enumerate(place.node.items if isinstance(place.node, Sequence) else ()):
        entry = node.entries.get("name") if isinstance(node, Mapping) else None
        if entry and isinstance(entry.node, Scalar) and isinstance(entry.node.value, str):
            yield entry.node.value, place.item(index, node).child("name", entry.node, entry.key_at)


def _components(manifest: Record) -> tuple[Record, ...]:
    spec = manifest.find(Manifest.spec)
    return (spec.find(Spec.components) or ()) if spec else ()
