"""What the parts of an application must have in common, whoever wrote it: a manifest, or a program.

Pure rules over single values, so that the check of a text can say them at their place, and
:func:`check_application`, which holds a model to them. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from actorhost.errors import InvalidInput
from actorhost.manifest.model import ActorSpec, Application, LinkSpec


class Misfit(NamedTuple):
    """Why two values do not go together, and what to do about it."""

    message: str
    hint: str


def undeclared(contract: str | None, declared: Collection[str]) -> Misfit | None:
    """Return why a link of `contract` does not suit an actor that declares others; None if it does."""
    if contract is None or contract in declared:
        return None
    return Misfit(
        f"the actor does not declare the contract {contract}",
        f"add it to the actor's list: contracts: [{contract}]",
    )


def twin(namespace: str, name: str, place_of_first: str) -> Misfit:
    """Return why an actor cannot have two links that reach `namespace` as `name`."""
    return Misfit(
        f"another link of this actor reaches {namespace} as {name}",
        f"give one of them another name; the first is {place_of_first}",
    )


def namesake(place_of_first: str) -> Misfit:
    """Return why no two components can have one name."""
    return Misfit("another component has this name", f"rename one; the first is {place_of_first}")


def check_application(application: Application) -> None:
    """Raise :class:`InvalidInput` for the first thing in `application` that breaks these rules."""
    seen: dict[str, str] = {}
    for kind, parts in (("actor", application.actors), ("provider", application.providers)):
        for part in parts:
            if part.name in seen:
                raise _refusal(f"{kind} {part.name!r}", namesake(seen[part.name]))
            seen[part.name] = f"the {kind} {part.name!r}"
    for actor in application.actors:
        _check_links(actor)


def _check_links(actor: ActorSpec) -> None:
    seen: dict[tuple[str, str], LinkSpec] = {}
    for link in actor.links:
        where = f"actor {actor.name!r}, link {link.name!r} to {link.target!r}"
        contract = link.namespace if link.namespace != link.target else None
        if (misfit := undeclared(contract, actor.contracts)) is not None:
            raise _refusal(where, misfit)
        first = seen.setdefault((link.namespace, link.name), link)
        if first is not link:
            raise _refusal(where, twin(link.namespace, link.name, f"to {first.target!r}"))


def _refusal(where: str, misfit: Misfit) -> InvalidInput:
    return InvalidInput(f"{where}: {misfit.message}", hint=misfit.hint)
