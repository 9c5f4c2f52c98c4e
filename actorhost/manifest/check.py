"""Checks across keys: what one key says must agree with what the others say.

Pure functions over records in which single values were already read; a value with a finding of
its own is passed over, so that one mistake makes one finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from actorhost.ids import ContractId
from actorhost.limits import Limits
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.fitting import namesake, twin, undeclared
from actorhost.manifest.grammar import (
    Actor,
    ActorComponent,
    Ingest,
    Link,
    Mailbox,
    Provider,
    ProviderComponent,
    RestartRules,
)
from actorhost.manifest.model import DENSE_MEMORY, Place, Profile
from actorhost.manifest.nodes import Sequence
from actorhost.manifest.parts import actors_of, ingests_of, links_of, names_of, providers_of
from actorhost.manifest.shapes import Record
from actorhost.manifest.wording import duration, size, suggestion

MEMORY_SHARE: Final = 4
"""A message may take one part in four of the memory: the guest holds it, its reply, and copies."""


@dataclass(frozen=True, slots=True)
class _Targets:
    """What a link may point at: every name written, and the contract of those that are providers."""

    names: frozenset[str]
    contracts: dict[str, ContractId | None]


def check(manifest: Record, limits: Limits) -> None:
    """Record every disagreement in `manifest` as a finding."""
    names = tuple(names_of(manifest))
    _check_names(names)
    targets = _Targets(frozenset(name for name, _ in names), dict(map(_provided, providers_of(manifest))))
    for component in providers_of(manifest):
        _check_place(component)
    for component in actors_of(manifest):
        if (actor := component.find(ActorComponent.properties)) is not None:
            _check_sizes(actor, limits)
            _check_restarts(actor.find(Actor.restarts))
            _check_links(component, actor, targets)
            _check_contracts(component, actor)
        _check_ingests(component)


def _provided(component: Record) -> tuple[str, ContractId | None]:
    properties = component.find(ProviderComponent.properties)
    return component.find(ProviderComponent.name) or "", properties.find(
        Provider.contract
    ) if properties else None


def _check_place(component: Record) -> None:
    properties = component.find(ProviderComponent.properties)
    if properties is None or not properties.sound(Provider.place):
        return
    place, rules = properties.find(Provider.place), properties.find(Provider.restarts)
    config = properties.find(Provider.config)
    if place is Place.LATTICE and config:
        name = component.find(ProviderComponent.name)
        properties.place(Provider.config).refuse_key(
            "a provider that is started elsewhere gets its configuration there",
            f"delete it here; give it to `actorhost provider run {name or 'NAME'} --config FILE`",
        )
    if place is not Place.PROCESS and rules is not None:
        properties.place(Provider.restarts).refuse_key(
            "the host starts no provider again that has no process of its own",
            "delete it, or add place: process",
        )
    _check_restarts(rules)


def _check_names(names: Iterable[tuple[str, Cursor]]) -> None:
    seen: dict[str, int] = {}
    for name, place in names:
        if name in seen:
            place.refuse(*namesake(f"on line {seen[name]}"))
        seen.setdefault(name, place.node.at.line)


def _check_sizes(actor: Record, limits: Limits) -> None:
    memory = actor.find(Actor.memory) or limits.memory
    if not actor.sound(Actor.memory):
        return
    message = actor.find(Actor.max_message)
    if message is not None and message > memory // MEMORY_SHARE:
        actor.place(Actor.max_message).refuse(
            f"{size(message)} is more than a quarter of the memory, which is {size(memory)}",
            f"use at most {size(memory // MEMORY_SHARE)}, or give the actor more memory",
        )
    if actor.find(Actor.profile) is Profile.DENSE and memory > DENSE_MEMORY:
        actor.place(Actor.profile).refuse(
            f"the dense profile has at most {size(DENSE_MEMORY)} of memory, this actor has {size(memory)}",
            "use roomy or auto, or less memory",
        )
    _check_mailbox(actor, message, limits)


def _check_mailbox(actor: Record, message: int | None, limits: Limits) -> None:
    mailbox = actor.find(Actor.mailbox)
    held = mailbox.find(Mailbox.size) if mailbox else None
    if message is None:
        return
    if mailbox is not None and held is not None:
        place, most, hint = mailbox.place(Mailbox.size), held, "use at least {}, or a smaller max-message"
    elif actor.sound(Actor.mailbox):
        place, most = actor.place(Actor.max_message), limits.mailbox_bytes
        hint = "add mailbox: {{bytes: {}}}, or use a smaller max-message"
    else:
        return
    if message > most:
        place.refuse(
            f"a message of max-message, {size(message)}, does not fit a mailbox of {size(most)}",
            hint.format(size(message)),
        )


def _check_restarts(rules: Record | None) -> None:
    if rules is None:
        return
    backoff, limit = rules.find(RestartRules.backoff), rules.find(RestartRules.backoff_limit)
    if backoff is not None and limit is not None and limit < backoff:
        rules.place(RestartRules.backoff_limit).refuse(
            f"the longest wait, {duration(limit)}, is shorter than the first, {duration(backoff)}",
            f"use at least {duration(backoff)}, or a shorter backoff",
        )


def _check_links(component: Record, actor: Record, targets: _Targets) -> None:
    seen: dict[tuple[str, str], int] = {}
    for link in links_of(component):
        _check_target(link, targets)
        _check_declared(link, actor)
        namespace, name = link.find(Link.contract) or link.find(Link.target), link.find(Link.name)
        if namespace is None or name is None or not link.sound(Link.contract):
            continue
        if (namespace, name) in seen:
            link.cursor.refuse_key(*twin(namespace, name, f"on line {seen[namespace, name]}"))
        seen.setdefault((namespace, name), link.cursor.key_at.line)


def _check_target(link: Record, targets: _Targets) -> None:
    target, contract = link.find(Link.target), link.find(Link.contract)
    if target is None:
        return
    if target not in targets.names:
        hint = suggestion(target, targets.names, "components")
        link.place(Link.target).refuse(f"there is no component {target}", hint)
    elif target not in targets.contracts:
        _check_of_provider(link)
    if (provided := targets.contracts.get(target)) is None or not link.sound(Link.contract):
        return
    if contract is None:
        link.place(Link.target).refuse(
            f"the link to provider {target} has no contract", f"add contract: {provided}"
        )
    elif contract != provided:
        message = f"provider {target} provides {provided}, not {contract}"
        link.place(Link.contract).refuse(message, f"write {provided}, or link to another component")


def _check_of_provider(link: Record) -> None:
    """Find what a link to an actor says and only a provider would heed."""
    if link.find(Link.config):
        message, hint = "an actor gets no configuration from a link", "delete it, or give it env of its own"
        link.place(Link.config).refuse_key(message, hint)
    if link.find(Link.policy) is not None:
        message = "only what a provider calls the actor for has a policy of the link"
        link.place(Link.policy).refuse_key(
            message, "delete it; an actor's own policy is among its properties"
        )


def _check_declared(link: Record, actor: Record) -> None:
    misfit = undeclared(link.find(Link.contract), actor.find(Actor.contracts) or ())
    if misfit is not None and actor.sound(Actor.contracts):
        link.place(Link.contract).refuse(*misfit)


def _check_ingests(component: Record) -> None:
    """Hosts share the messages of a subject by its name: an actor takes from each once."""
    seen: dict[str, int] = {}
    for ingest in ingests_of(component):
        if (subject := ingest.find(Ingest.subject)) is None:
            continue
        place = ingest.place(Ingest.subject)
        if subject in seen:
            hint = f"delete one, or take it to another actor; the first is on line {seen[subject]}"
            place.refuse(f"another ingest of this actor takes {subject}", hint)
        seen.setdefault(subject, place.node.at.line)


def _check_contracts(component: Record, actor: Record) -> None:
    place = actor.place(Actor.contracts)
    if not isinstance(place.node, Sequence) or not actor.sound(Actor.contracts):
        return
    linked = {link.find(Link.contract) for link in links_of(component)}
    seen: set[ContractId] = set()
    for index, contract in enumerate(actor.find(Actor.contracts) or ()):
        item = place.item(index, place.node.items[index])
        if contract in seen:
            item.refuse(f"the contract {contract} is declared twice", "delete one of them")
        elif contract not in linked and component.sound(ActorComponent.traits):
            hint = f"add a link trait with contract: {contract}, or delete it here"
            item.refuse(f"the contract {contract} is declared but no link uses it", hint)
        seen.add(contract)
