"""Checks what modules say about themselves against what a manifest gives them and links them to.

Pure functions over one draft. A module without a declaration is asked for nothing and promises
nothing: only what is known of both sides can be a finding. What a module wants and does not get is
found where the module is named, what the manifest says wrong where it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from actorhost.contracts.base import Contract
from actorhost.contracts.declaration import (
    Declaration,
    Need,
    Signature,
    call_misfit,
    compatible,
    signature_of,
)
from actorhost.contracts.provider import Wanted
from actorhost.contracts.types import Record as RecordType
from actorhost.contracts.types import misfit, spelled
from actorhost.ids import ActorName, ContractId
from actorhost.manifest.build import Part
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.draft import Draft
from actorhost.manifest.grammar import Actor, ActorComponent, Ingest, Link
from actorhost.manifest.model import ActorSpec, LinkSpec, PayloadFormat
from actorhost.manifest.parts import ingests_of
from actorhost.manifest.shapes import Record
from actorhost.manifest.wording import listed, nearest, suggestion

Modules = Mapping[ActorName, Declaration | None]
"""What the module of each actor declares."""

LinkKey = tuple[str, str, str]
"""Actor, namespace and name of a link."""

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Parties:
    """What is known of the parts of a draft.

    `declared` is by module as written, `provided` by the component's name; `contracts` are those that
    an actor may serve in a provider's place. `wanted` is what providers call actors for, by link.
    """

    declared: Mapping[str, Declaration]
    provided: Mapping[str, Contract]
    contracts: Mapping[ContractId, Contract]
    wanted: Mapping[LinkKey, Sequence[Wanted]]


def key_of(actor: ActorSpec, link: LinkSpec) -> LinkKey:
    """Return what tells `link` of `actor` from all others."""
    return (actor.name, link.namespace, link.name)


def check_agreement(draft: Draft, parties: Parties) -> None:
    """Record every disagreement between modules, links and what they lead to as a finding."""
    modules = {actor.spec.name: parties.declared.get(actor.spec.module) for actor in draft.actors}
    for actor in draft.actors:
        links = [link for link in actor.links if draft.sound(link.properties.cursor)]
        for link in links:
            _check_served(link, modules.get(link.spec.target), parties)
        if (module := parties.declared.get(actor.spec.module)) is None:
            continue
        _check_needs(actor, links, module, parties)
        _check_versions(links, module, modules)
        _check_exports(actor.spec, links, module, parties)
        _check_calls(actor, links, module, modules)
        for ingest in ingests_of(actor.whole):
            _check_ingest(ingest, module)


def _check_needs(
    actor: Part[ActorSpec], links: list[Part[LinkSpec]], module: Declaration, parties: Parties
) -> None:
    for need in module.needs:
        reached = [link for link in links if link.spec.namespace == need.contract]
        alone = [link.spec.namespace for link in actor.links].count(need.contract) == 1
        if not reached:
            _check_given(actor, need)
            continue
        _check_names(actor, reached, need)
        for link in reached:
            if (provided := parties.provided.get(link.spec.target)) is not None:
                _check_provided(link, need, provided, alone=alone)


def _check_provided(link: Part[LinkSpec], need: Need, provided: Contract, *, alone: bool) -> None:
    """Find a provider of another version, and one that has nothing to call where the module calls it."""
    place = link.properties.place(Link.target)
    if not compatible(need.version, provided.version):
        _refuse_version(link, need, provided.version)
    elif not provided.operations and (alone or link.spec.name in need.links):
        place.refuse(
            f"the module calls {need.contract} over the link {link.spec.name}, and {link.spec.target} only"
            " calls the actor",
            "link it to a provider of the contract's other side, under this name",
        )


def _check_versions(links: list[Part[LinkSpec]], module: Declaration, modules: Modules) -> None:
    """Find actors in a provider's place that were built with another version of the contract."""
    for need in module.needs:
        for link in links:
            target = modules.get(link.spec.target) if link.spec.namespace == need.contract else None
            provided = target.provides.get(need.contract, need.version) if target else need.version
            if not compatible(need.version, provided):
                _refuse_version(link, need, provided)


def _refuse_version(link: Part[LinkSpec], need: Need, provided: str) -> None:
    link.properties.place(Link.target).refuse(
        f"the module needs {need.contract} {need.version}, {link.spec.target} provides {provided}",
        "link it to one of that version, or rebuild the module for the one there is",
    )


def _check_given(actor: Part[ActorSpec], need: Need) -> None:
    """Find a contract the actor was not given; one that it declares without a link is found in the text."""
    known = actor.properties.sound(Actor.contracts) and actor.whole.sound(ActorComponent.traits)
    unlinked = all(link.spec.namespace != need.contract for link in actor.links)
    if known and unlinked and not need.optional and need.contract not in actor.spec.contracts:
        actor.properties.place(Actor.module).refuse(
            f"the module needs {need.contract}, which the actor may not use",
            f"add contracts: [{need.contract}], and a link trait with contract: {need.contract}",
        )


def _check_names(actor: Part[ActorSpec], reached: list[Part[LinkSpec]], need: Need) -> None:
    if not actor.whole.sound(ActorComponent.traits):
        return
    names = {link.spec.name for link in actor.links if link.spec.namespace == need.contract}
    for name in need.links:
        if name not in names:
            place = reached[0].properties.place(Link.name)
            place.refuse_key(
                f"the module calls {need.contract} over a link named {name}, which it does not have",
                f"write name: {name}, or add a link of this name",
            )


def _check_served(link: Part[LinkSpec], target: Declaration | None, parties: Parties) -> None:
    """Find what an actor in a provider's place does not serve of the contract, or serves otherwise."""
    contract = parties.contracts.get(ContractId(link.spec.namespace))
    if link.spec.is_actor and target is not None and contract is not None:
        wanted = {name: signature_of(operation) for name, operation in contract.operations.items()}
        who = f"{link.spec.target} does not serve"
        _check_operations(link.properties.place(Link.target), wanted, target, who)


def _check_exports(
    actor: ActorSpec, links: list[Part[LinkSpec]], module: Declaration, parties: Parties
) -> None:
    """Find what a provider would call the actor for, and the module does not serve.

    Where the provider can be called itself, that may be all that the link is for, unless it says otherwise.
    """
    for link in links:
        if (provided := parties.provided.get(link.spec.target)) is None:
            continue
        wanted = parties.wanted.get(key_of(actor, link.spec), ())
        asked = [one for one in wanted if one.key or not provided.operations or one.name in module.serves]
        _check_wanted(link, [one for one in asked if not one.key], module)
        for one in asked:
            if one.key:
                _check_named(link, one, module)


def _check_wanted(link: Part[LinkSpec], wanted: list[Wanted], module: Declaration) -> None:
    signatures = {one.name: signature_of(one.operation) for one in wanted}
    who = f"{link.spec.target} calls what the module does not serve:"
    _check_operations(link.properties.place(Link.target), signatures, module, who)


def _check_named(link: Part[LinkSpec], wanted: Wanted, module: Declaration) -> None:
    """Find an operation that the link's own configuration names, at its key there."""
    place = link.properties.place(Link.config).within((wanted.key,))
    if (served := module.serves.get(wanted.name)) is not None:
        _check_types(place, wanted.name, signature_of(wanted.operation), served)
    else:
        place.refuse(
            f"the module does not serve {wanted.name}, which {link.spec.target} would call",
            _nearest(wanted.name, module),
        )


def _check_operations(place: Cursor, wanted: Mapping[str, Signature], module: Declaration, who: str) -> None:
    missing = [name for name in wanted if name not in module.serves]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        place.refuse(
            f"{who} {listed(missing[:_SHOWN])}{more}",
            f"serve it, or link to another; the module serves {_operations(module)}",
        )
    for name, call in wanted.items():
        if name in module.serves:
            _check_types(place, name, call, module.serves[name])


def _check_types(place: Cursor, name: str, call: Signature, served: Signature) -> None:
    if why := call_misfit(call, served):
        place.refuse(
            f"{name} is called and served with different types: {why}",
            f"{name} takes {spelled(served.params)} and gives"
            f" {spelled(served.result) if served.result else 'nothing'}; rebuild one of the modules",
        )


def _check_calls(
    actor: Part[ActorSpec], links: list[Part[LinkSpec]], module: Declaration, modules: Modules
) -> None:
    reached = {link.spec.namespace: link for link in links}
    for name, calls in module.calls.items():
        if (link := reached.get(name)) is None:
            _check_unlinked(actor, name, calls, modules)
        elif (target := modules.get(link.spec.target)) is not None:
            _check_called(link.properties.place(Link.target), link.spec.target, calls, target)


def _check_unlinked(
    actor: Part[ActorSpec], name: str, calls: Mapping[str, Signature], modules: Modules
) -> None:
    """Find calls without a link, unless there is one that has a finding of its own."""
    unlinked = all(link.spec.namespace != name for link in actor.links)
    if unlinked and actor.whole.sound(ActorComponent.traits):
        actor.properties.place(Actor.module).refuse(
            f"the module calls {listed(list(calls)[:_SHOWN])} of actor {name}, to which there is no link",
            f"{'' if name in modules else _named(name, modules)}add a link trait with target: {name}",
        )


def _named(name: str, modules: Modules) -> str:
    guess = nearest(name, modules)
    return f"rename {guess} to {name}, and " if guess else f"name the actor it means {name}, and "


def _check_called(place: Cursor, name: str, calls: Mapping[str, Signature], target: Declaration) -> None:
    for operation, call in calls.items():
        if operation in target.serves:
            _check_types(place, operation, call, target.serves[operation])
        else:
            place.refuse(
                f"the module calls {operation} of {name}, which does not serve it",
                _nearest(operation, target),
            )


def _check_ingest(ingest: Record, module: Declaration) -> None:
    operation, place = ingest.find(Ingest.operation), ingest.place(Ingest.operation)
    if operation is None:
        return
    if (served := module.serves.get(operation)) is None:
        place.refuse(f"the module does not serve {operation}", _nearest(operation, module))
    elif why := _ingest_misfit(ingest, served):
        place.refuse(
            f"{operation} does not take what comes: {why}",
            f"it takes {spelled(served.params)}; change payload or with-subject, or take another operation",
        )


def _ingest_misfit(ingest: Record, served: Signature) -> str:
    raw = ingest.need(Ingest.payload) is PayloadFormat.RAW
    if ingest.need(Ingest.with_subject):
        return misfit(
            RecordType({"subject": "string", "payload": "list<u8>" if raw else "any"}), served.params
        )
    return "raw bytes, not MessagePack" if raw and served.params != "any" else ""


def _nearest(operation: str, module: Declaration) -> str:
    return suggestion(operation, module.serves, "its operations") if module.serves else "it serves nothing"


def _operations(module: Declaration) -> str:
    names = list(module.serves)
    return listed(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") if names else "nothing"
