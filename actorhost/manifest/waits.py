"""Checks who waits for whom: callers that give up before their callees, and circles of callers.

Pure functions over one draft. An actor that is called holds its caller until it has answered, so
what one may wait for the other is a matter of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actorhost.contracts.declaration import Declaration
from actorhost.ids import ActorName
from actorhost.manifest.build import Part
from actorhost.manifest.draft import Draft
from actorhost.manifest.grammar import Actor, Link
from actorhost.manifest.model import ActorSpec, LinkSpec
from actorhost.manifest.wording import duration

_SHOWN: Final = 8

Edges = Mapping[ActorName, tuple[Part[LinkSpec], ...]]


def check_waits(draft: Draft, declared: Mapping[str, Declaration]) -> None:
    """Record waits that cannot end well; `declared` is by module as written."""
    actors = {actor.spec.name: actor for actor in draft.actors if draft.sound(actor.name)}
    edges = {name: _called(draft, actor, declared) for name, actor in actors.items()}
    for name, links in edges.items():
        for link in links:
            if link.spec.target in actors:
                _check_timeout(actors[name], link, actors[link.spec.target])
    _check_circles(actors, edges)


def _called(
    draft: Draft, actor: Part[ActorSpec], declared: Mapping[str, Declaration]
) -> tuple[Part[LinkSpec], ...]:
    """Return the links to actors, but for those that the module is known not to call."""
    module = declared.get(actor.spec.module)
    links = (link for link in actor.links if link.spec.is_actor and draft.sound(link.properties.cursor))
    return tuple(link for link in links if module is None or _calls(module, link.spec.namespace))


def _calls(module: Declaration, namespace: str) -> bool:
    return namespace in module.calls or any(need.contract == namespace for need in module.needs)


def _check_timeout(caller: Part[ActorSpec], link: Part[LinkSpec], callee: Part[ActorSpec]) -> None:
    """Only a time that somebody wrote down is meant: a default says nothing about its actor."""
    needed = callee.properties.find(Actor.timeout)
    sound = caller.properties.sound(Actor.timeout)
    if needed is None or not sound or caller.spec.timeout >= needed:
        return
    written = caller.properties.find(Actor.timeout) is not None
    place = caller.properties.place(Actor.timeout) if written else link.properties.place(Link.target)
    place.refuse(
        f"{caller.spec.name} waits {duration(caller.spec.timeout)} at most, and calls {callee.spec.name},"
        f" which may take {duration(needed)}",
        f"give {caller.spec.name} timeout: {duration(needed)} or more, or {callee.spec.name} less",
    )


def _check_circles(actors: Mapping[ActorName, Part[ActorSpec]], edges: Edges) -> None:
    """Find circles through an actor with a single instance, which would wait for itself.

    Each link is followed once, so a link that closes several circles is found in one of them.
    """
    done: set[ActorName] = set()
    for start in actors:
        # The way from the start, and for each step on it the links that were not followed yet.
        way = {start: iter(edges[start])} if start not in done else {}
        while way:
            here = next(reversed(way))
            if (link := next(way[here], None)) is None:
                del way[here]
                done.add(here)
            elif (target := link.spec.target) in way:
                names = list(way)
                _check_circle([actors[name] for name in names[names.index(target) :]], link)
            elif target in actors and target not in done:
                way[target] = iter(edges[target])


def _check_circle(circle: list[Part[ActorSpec]], link: Part[LinkSpec]) -> None:
    single = next((one.spec for one in circle if one.spec.instances == 1), None)
    if single is None:
        return
    names = [one.spec.name for one in circle]
    between = ["..."] if len(names) > _SHOWN else []
    way = " -> ".join([*names[:_SHOWN], *between, names[0]])
    link.properties.place(Link.target).refuse(
        f"actors call each other in a circle: {way}",
        f"the only instance of {single.name} would wait for itself: delete a link, or give it more instances",
    )
