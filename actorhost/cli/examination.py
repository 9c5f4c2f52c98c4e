"""What a manifest names beyond its text, looked at without starting anything: modules, providers, links.

Everything found is added to the manifest's draft, at the place that names it. Nothing is kept; the
hosts check again, for what they are given may be another file by then.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actorhost.capability.grants import grant_of
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets
from actorhost.contracts.base import Contract
from actorhost.contracts.declaration import Declaration
from actorhost.contracts.known import known_contracts
from actorhost.contracts.provider import Provider
from actorhost.engine import admission
from actorhost.engine.modules import check_size, declaration_of, examine, validate
from actorhost.engine.sections_model import ModuleInfo
from actorhost.errors import ActorhostError, InvalidInput, ModuleRefused
from actorhost.ids import ActorName, Digest
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, LinkSpec, Place, ProviderSpec, grammar
from actorhost.manifest.agreement import Parties, check_agreement
from actorhost.manifest.build import Part
from actorhost.manifest.draft import Draft
from actorhost.manifest.references import holds_references
from actorhost.manifest.waits import check_waits


@dataclass(frozen=True)
class _Module:
    """A file that can be read: its digest, what it is or why it is no module, and what it declares."""

    digest: Digest
    info: ModuleInfo | ModuleRefused
    declaration: Declaration | None = None


def examine_modules(draft: Draft, base: Path, limits: Limits) -> Mapping[str, Declaration]:
    """Find modules that are missing, changed or cannot run; each file in `base` is read once.

    Returns what those that can run declare, by their path as written.
    """
    known: dict[str, _Module | InvalidInput] = {}
    for actor in draft.actors:
        path = actor.spec.module
        if path not in known:
            known[path] = _read(base / path, limits)
        _examine_actor(actor, known[path], limits)
    modules = ((path, module) for path, module in known.items() if isinstance(module, _Module))
    return {path: module.declaration for path, module in modules if module.declaration is not None}


def examine_agreement(
    draft: Draft, declared: Mapping[str, Declaration], provided: Mapping[str, Contract]
) -> None:
    """Find where modules, what they are linked to and how long they wait do not go together."""
    check_agreement(draft, Parties(declared, provided, known_contracts()))
    check_waits(draft, declared)


def examine_providers(draft: Draft, limits: Limits) -> Mapping[str, Contract]:
    """Find providers and links that a host in this Python environment would refuse.

    What holds references is not looked into: only the host knows the values. Returns what the
    providers that are installed provide, by their component's name.
    """
    registry = Registry(limits)
    provided: dict[str, Contract] = {}
    made: dict[str, Provider] = {}
    for part in draft.providers:
        if part.spec.place is Place.LATTICE:
            # Whoever starts it there has it installed, and what it says is asked when it is deployed.
            continue
        if (kind := _find(registry, part)) is None:
            continue
        provided[part.spec.name] = kind.contract
        if (provider := _make(registry, part, kind)) is not None:
            made[part.spec.name] = provider
    for actor in draft.actors:
        for link in actor.links:
            if draft.sound(link.properties.cursor):
                _examine_link(actor.spec, link, made)
    return provided


def examine_names(drafts: Iterable[Draft]) -> None:
    """Find actors that an application before them has too; one of the same name is replaced."""
    running: dict[ActorName, dict[str, str]] = {}
    for draft in drafts:
        others = {name: places for name, places in running.items() if name != draft.name}
        for actor in draft.actors:
            if draft.sound(actor.name):
                _examine_name(actor, others)
        if draft.name is not None:
            running[draft.name] = {
                actor.spec.name: f"{draft.source}:{actor.name.node.at.line}" for actor in draft.actors
            }


def _examine_name(actor: Part[ActorSpec], others: Mapping[ActorName, Mapping[str, str]]) -> None:
    for application, places in others.items():
        if (place := places.get(actor.spec.name)) is not None:
            message = f"application {application} has an actor of this name too"
            actor.name.refuse(
                message, f"actor names are unique in a lattice: rename one; the other is at {place}"
            )


def _examine_actor(actor: Part[ActorSpec], module: _Module | InvalidInput, limits: Limits) -> None:
    place = actor.properties.place(grammar.Actor.module)
    if isinstance(module, InvalidInput):
        place.refuse(module.message, module.hint)
        return
    if actor.spec.digest not in (None, module.digest):
        actor.properties.place(grammar.Actor.digest).refuse(
            f"the module has the digest {module.digest}", "rebuild the module, or correct the digest"
        )
    try:
        _admit(actor, module.info, limits)
    except ModuleRefused as error:
        place.refuse(error.message, error.hint)


def _admit(actor: Part[ActorSpec], info: ModuleInfo | ModuleRefused, limits: Limits) -> None:
    if isinstance(info, ModuleRefused):
        raise info
    # A limit with a finding of its own says nothing about the module.
    memory = actor.spec.memory if actor.properties.sound(grammar.Actor.memory) else sys.maxsize
    admission.admit(info, memory=memory, table_elements=limits.table_elements)


def _read(path: Path, limits: Limits) -> _Module | InvalidInput:
    try:
        wasm = _content(path, limits)
    except InvalidInput as error:
        return error
    try:
        info = examine(wasm, max_module=limits.max_module)
        validate(wasm)
        return _Module(Digest.of(wasm), info, declaration_of(wasm, info))
    except ModuleRefused as error:
        return _Module(Digest.of(wasm), error)


def _content(path: Path, limits: Limits) -> bytes:
    """Return the bytes of the module at `path`, or raise :class:`InvalidInput`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{path} is not a file", hint="give the path of a .wasm file")
        check_size(status.st_size, max_module=limits.max_module)
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror}", hint="build it, or correct the path"
        ) from None


def _find(registry: Registry, part: Part[ProviderSpec]) -> type[Provider] | None:
    """Return the class of the provider, or None after recording why it cannot be had."""
    properties = part.properties
    try:
        return registry.find(part.spec.provider, properties.find(grammar.Provider.contract))
    except ActorhostError as error:
        properties.place(grammar.Provider.provider).refuse(error.message, error.hint)
        return None


def _make(registry: Registry, part: Part[ProviderSpec], kind: type[Provider]) -> Provider | None:
    """Return the provider, not started, or None after recording why it does not take its configuration."""
    properties = part.properties
    if not properties.sound(grammar.Provider.config) or holds_references(part.spec.config):
        return None
    try:
        return registry.make(kind, part.spec)
    except ActorhostError as error:
        properties.place(grammar.Provider.config).refuse_key(error.message, error.hint)
        return None


def _examine_link(actor: ActorSpec, link: Part[LinkSpec], providers: Mapping[str, Provider]) -> None:
    """Find a configuration that the provider refuses; other disagreements are found in the text."""
    provider = providers.get(link.spec.target)
    if provider is None or provider.contract.id != link.spec.namespace:
        return
    if holds_references(link.spec.config):
        return
    try:
        grant_of(actor, link.spec, providers, Secrets())
    except ActorhostError as error:
        link.properties.place(grammar.Link.config).refuse_key(error.message, error.hint)
